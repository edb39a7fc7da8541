import { decode, utf8Bytes } from "@latchkey/codec";
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
  usernameBindingCodec,
} from "@latchkey/transparency";
import type { AccountState, DeviceEntry, LogEvidence } from "@latchkey/transparency";
import { createMemoryDirectory } from "@latchkey/transparency/testing";

const nothing = new Uint8Array(0);
const zeros = new Uint8Array(32);

/** An account of one device, as the simulation's directory has it. */
export interface SimAccount {
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
  /** Its states, signed: first with this device, then, after it moved, with another one in its place. */
  readonly record: AccountRecord;
  readonly moved: AccountRecord;
  /** The log that both stand in. */
  readonly log: LogEvidence;
  /** H(DirectoryConfig) of it, and of every such log. */
  readonly directory: Uint8Array;
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
  /** Whether its records have their proofs, which take time. */
  isProven: boolean;
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
  const named = { accountId, deviceId };
  const second = await sign({ ...genesis, accountId, version: 1, prevHash: stateHashOf(body), devices: [other] });
  const pops = [await pop(device, zeros, secretKey), await pop(other, accountId, next.secretKey)];
  const binding = await signStructure({
    codec: usernameBindingCodec,
    value: { format: 1, username, host, accountId, status: "bound", timeMs: genesis.timeMs, signer: genesis.signer, ext: nothing },
    label: "UsernameBinding",
    secretKey,
    signatures,
  });
  // Logs that begin alike are one log to who knows its first config alone.
  const log = await createMemoryDirectory({ host, witnesses: 0 });
  const bindings = [binding];
  if (!params.isProven) {
    const common = { pops, bindings, proof: nothing };
    const [record, moved] = [
      { ...common, states: [first] },
      { ...common, states: [first, second] },
    ];
    return { ...named, record, moved, log: { config: nothing, changes: [] }, directory: zeros };
  }
  const labels = (states: readonly Uint8Array[]): Parameters<typeof log.publish>[0] => [
    { type: "account", label: accountId, values: states },
  ];
  await log.publish([...labels([first]), { type: "username", label: utf8Bytes(username), values: bindings }]);
  const record = { pops, ...(await log.lookup({ accountId, username })) };
  await log.publish(labels([second]));
  const moved = { pops, ...(await log.lookup({ accountId, username })) };
  return { ...named, record, moved, log: { config: log.config, changes: [] }, directory: log.configHash };
}
