import { decode } from "@latchkey/codec";
import type { KeyPair, RandomBytes } from "@latchkey/mls";
import { nodeCrypto } from "@latchkey/mls/node";
import type { AccountRecord } from "@latchkey/protocol";
import {
  accountIdOf,
  accountStateCodec,
  deviceIdOf,
  devicePopCodec,
  ed25519Algorithm,
  nobleSignatures,
  signedCodec,
  signStructure,
  stateHashOf,
} from "@latchkey/transparency";
import type { AccountState, DeviceEntry } from "@latchkey/transparency";

const nothing = new Uint8Array(0);
const zeros = new Uint8Array(32);

/** An account of one device, as the simulation's directory has it. */
export interface SimAccount {
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
  /** Its states, signed: first with this device, then, after it moved, with another one in its place. */
  readonly record: AccountRecord;
  readonly moved: AccountRecord;
}

const entryOf = (signatureKey: Uint8Array): DeviceEntry => ({
  deviceId: deviceIdOf(signatureKey),
  signatureAlgorithm: ed25519Algorithm,
  signatureKey,
  addedMs: 1_700_000_000_000,
  ext: nothing,
});

/** Makes the account of a device with these keys. */
export async function createSimAccount(params: {
  host: string;
  username: string;
  keys: KeyPair;
  random: RandomBytes;
}): Promise<SimAccount> {
  const { host, username, keys } = params;
  const signatures = nobleSignatures;
  const { secretKey } = keys;
  const next = await nodeCrypto.suite(0x0001).generateSignatureKeyPair(params.random);
  const device = entryOf(keys.publicKey);
  const other = entryOf(next.publicKey);
  const { deviceId } = device;
  const sign = async (value: AccountState): Promise<Uint8Array> =>
    await signStructure({ codec: accountStateCodec, value, label: "AccountState", secretKey, signatures });
  const pop = async (entry: DeviceEntry, accountId: Uint8Array, key: Uint8Array): Promise<Uint8Array> =>
    await signStructure({
      codec: devicePopCodec,
      value: { format: 1, accountId, device: entry, ext: nothing },
      label: "DevicePoP",
      secretKey: key,
      signatures,
    });
  const genesis: AccountState = {
    format: 1,
    accountId: zeros,
    version: 0,
    prevHash: zeros,
    timeMs: 1_700_000_000_000,
    status: "active",
    username,
    host,
    devices: [device],
    recoveryKey: next.publicKey,
    signer: { kind: "device", deviceId },
    ext: nothing,
  };
  const first = await sign(genesis);
  const { body } = decode(signedCodec, first);
  const accountId = accountIdOf(body);
  const second = await sign({ ...genesis, accountId, version: 1, prevHash: stateHashOf(body), devices: [other] });
  const pops = [await pop(device, zeros, secretKey), await pop(other, accountId, next.secretKey)];
  const common = { pops, bindings: [], proof: nothing };
  return { accountId, deviceId, record: { ...common, states: [first] }, moved: { ...common, states: [first, second] } };
}
