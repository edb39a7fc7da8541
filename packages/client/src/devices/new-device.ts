import type { KeyPair } from "@latchkey/mls";
import { deviceIdOf, devicePopCodec, ed25519Algorithm, signStructure } from "@latchkey/transparency";
import type { DeviceEntry } from "@latchkey/transparency";
import { inboxSuite } from "../group/inbox-seal.ts";
import type { Platform } from "../platform/platform.ts";

/** The keys of a device that is about to become one of an account. */
export interface NewDevice {
  readonly deviceId: Uint8Array;
  readonly name: string;
  readonly signatureKeyPair: KeyPair;
  readonly inboxId: Uint8Array;
  /** HPKE, X-Wing. */
  readonly inboxKeyPair: KeyPair;
  readonly entry: DeviceEntry;
}

/** Makes a device's keys. Touches nothing. */
export async function createNewDevice(platform: Platform, name: string): Promise<NewDevice> {
  const { random } = platform;
  const signatureKeyPair = await platform.crypto.suite(0x0001).generateSignatureKeyPair(random);
  const inboxKeyPair = await platform.crypto.suite(inboxSuite).deriveKemKeyPair(random(32));
  const deviceId = deviceIdOf(signatureKeyPair.publicKey);
  const entry: DeviceEntry = {
    deviceId,
    signatureAlgorithm: ed25519Algorithm,
    signatureKey: signatureKeyPair.publicKey,
    addedMs: platform.nowMs(),
    ext: new Uint8Array(0),
  };
  return { deviceId, name, signatureKeyPair, inboxId: random(32), inboxKeyPair, entry };
}

/** Its proof that it holds its key, for one account (spec A-1). */
export function proofOfPossession(platform: Platform, device: NewDevice, accountId: Uint8Array): Promise<Uint8Array> {
  return signStructure({
    codec: devicePopCodec,
    value: { format: 1, accountId, device: device.entry, ext: new Uint8Array(0) },
    label: "DevicePoP",
    secretKey: device.signatureKeyPair.secretKey,
    signatures: platform.signatures,
  });
}
