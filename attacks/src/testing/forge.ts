import { decode, equalBytes } from "@latchkey/codec";
import { createNodePlatform } from "@latchkey/client/node";
import {
  accountStateCodec,
  deviceIdOf,
  devicePopCodec,
  ed25519Algorithm,
  signStructure,
  signedCodec,
  stateHashOf,
} from "@latchkey/transparency";
import type { AccountState, DeviceEntry, DevicePop } from "@latchkey/transparency";
import type { ShownAccount } from "./false-record.ts";

const platform = createNodePlatform();
const { signatures } = platform;
const nothing = new Uint8Array(0);

/** A device whose key the operator has. */
export interface ForgedDevice {
  readonly entry: DeviceEntry;
  readonly secretKey: Uint8Array;
}

/** Makes one, with an id that hashes to its key unless `deviceId` is another. */
export async function forgeDevice(deviceId?: Uint8Array): Promise<ForgedDevice> {
  const { publicKey, secretKey } = await platform.crypto.suite(0x0001).generateSignatureKeyPair(platform.random);
  const entry: DeviceEntry = {
    deviceId: deviceId ?? deviceIdOf(publicKey),
    signatureAlgorithm: ed25519Algorithm,
    signatureKey: publicKey,
    addedMs: Date.now(),
    ext: nothing,
  };
  return { entry, secretKey };
}

/** The newest state of an account, and its hash. */
export function newestState(account: ShownAccount): { state: AccountState; hash: Uint8Array } {
  const signed = account.states.at(-1);
  if (signed === undefined) throw new Error("an account has states");
  const { body } = decode(signedCodec, signed);
  return { state: decode(accountStateCodec, body), hash: stateHashOf(body) };
}

/** The next state of an account, signed with whatever key the operator has. */
export async function forgeState(account: ShownAccount, change: Partial<AccountState>, secretKey: Uint8Array): Promise<Uint8Array> {
  const { state, hash } = newestState(account);
  const value: AccountState = {
    ...state,
    accountId: account.accountId,
    version: state.version + 1,
    prevHash: hash,
    timeMs: Date.now(),
    ...change,
  };
  return await signStructure({ codec: accountStateCodec, value, label: "AccountState", secretKey, signatures });
}

/** The new device's own signature, which the operator can make. */
export async function forgePop(account: ShownAccount, device: ForgedDevice): Promise<Uint8Array> {
  const value: DevicePop = { format: 1, accountId: account.accountId, device: device.entry, ext: nothing };
  return await signStructure({ codec: devicePopCodec, value, label: "DevicePoP", secretKey: device.secretKey, signatures });
}

/** Devices in the order that a state has them in. */
export function sortedDevices(devices: readonly DeviceEntry[]): readonly DeviceEntry[] {
  return devices.toSorted((a, b) => (equalBytes(a.deviceId, b.deviceId) ? 0 : isLess(a.deviceId, b.deviceId) ? -1 : 1));
}

function isLess(a: Uint8Array, b: Uint8Array): boolean {
  for (const [at, byte] of a.entries()) if (byte !== b[at]) return byte < (b[at] ?? 0);
  return false;
}
