import { decode, equalBytes } from "@latchkey/codec";
import { createNodePlatform } from "@latchkey/client/node";
import {
  accountIdOf,
  accountStateCodec,
  deviceIdOf,
  devicePopCodec,
  ed25519Algorithm,
  signStructure,
  signedCodec,
  stateHashOf,
  usernameBindingCodec,
} from "@latchkey/transparency";
import type { AccountState, DeviceEntry, DevicePop, UsernameBinding } from "@latchkey/transparency";
import type { ShownAccount } from "./false-record.ts";
import { host } from "./scene.ts";

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

/** A whole account of the operator's: all its signatures are right, whatever the id of its only device is. */
export async function forgeAccount(username: string, device: ForgedDevice): Promise<ShownAccount> {
  const { entry, secretKey } = device;
  const { deviceId } = entry;
  const genesis: AccountState = {
    format: 1,
    accountId: new Uint8Array(32),
    version: 0,
    prevHash: new Uint8Array(32),
    timeMs: Date.now(),
    status: "active",
    username,
    host,
    devices: [entry],
    recoveryKey: entry.signatureKey,
    signer: { kind: "device", deviceId },
    ext: nothing,
  };
  const state = await signStructure({ codec: accountStateCodec, value: genesis, label: "AccountState", secretKey, signatures });
  const accountId = accountIdOf(decode(signedCodec, state).body);
  const binding = await forgeBinding({ accountId, username, status: "bound" }, device);
  const pop = await signPop(new Uint8Array(32), device);
  return { accountId, username, states: [state], pops: [pop], bindings: [binding] };
}

/** What an account says of a name, signed with whatever key the operator has. */
export async function forgeBinding(
  said: Pick<UsernameBinding, "accountId" | "username" | "status"> & Partial<UsernameBinding>,
  { entry, secretKey }: ForgedDevice,
): Promise<Uint8Array> {
  const value: UsernameBinding = {
    format: 1,
    host,
    timeMs: Date.now(),
    signer: { kind: "device", deviceId: entry.deviceId },
    ext: nothing,
    ...said,
  };
  return await signStructure({ codec: usernameBindingCodec, value, label: "UsernameBinding", secretKey, signatures });
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
  return await signPop(account.accountId, device);
}

async function signPop(accountId: Uint8Array, device: ForgedDevice): Promise<Uint8Array> {
  const value: DevicePop = { format: 1, accountId, device: device.entry, ext: nothing };
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
