import { decode, encode } from "@latchkey/codec";
import { connectTbsCodec } from "@latchkey/protocol";
import {
  accountIdOf,
  accountStateCodec,
  deviceCardCodec,
  deviceIdOf,
  devicePopCodec,
  ed25519Algorithm,
  signStructure,
  signedCodec,
  signedContent,
  stateHashOf,
  usernameBindingCodec,
} from "@latchkey/transparency";
import type { AccountState, DeviceEntry, StateSigner } from "@latchkey/transparency";
import { createPrivateKey, createPublicKey, randomBytes } from "node:crypto";
import { nodeSignatures } from "../directory/signatures.ts";
import type { RunningServer } from "../server.ts";
import { TestClient } from "./test-client.ts";
import { dayMs } from "../days.ts";

export const none: Uint8Array = new Uint8Array();
export const zeros: Uint8Array = new Uint8Array(32);
const signatures = nodeSignatures;

export function random(size: number): Uint8Array {
  return new Uint8Array(randomBytes(size));
}

export interface TestDevice {
  readonly seed: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly deviceId: Uint8Array;
}

export function createDevice(): TestDevice {
  const seed = random(32);
  const prefix = Buffer.from("302e020100300506032b657004220420", "hex");
  const key = createPrivateKey({ key: Buffer.concat([prefix, seed]), format: "der", type: "pkcs8" });
  const publicKey = new Uint8Array(createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32));
  return { seed, publicKey, deviceId: deviceIdOf(publicKey) };
}

export function deviceEntry(device: TestDevice): DeviceEntry {
  return { deviceId: device.deviceId, signatureAlgorithm: ed25519Algorithm, signatureKey: device.publicKey, addedMs: 1, ext: none };
}

export interface TestAccount {
  readonly accountId: Uint8Array;
  readonly device: TestDevice;
  readonly recovery: TestDevice;
  readonly state: AccountState;
  readonly signedState: Uint8Array;
  readonly pops: Uint8Array[];
  readonly bindings: Uint8Array[];
}

export function signPop(device: TestDevice, accountId: Uint8Array): Promise<Uint8Array> {
  return signStructure({
    codec: devicePopCodec,
    value: { format: 1, accountId, device: deviceEntry(device), ext: none },
    label: "DevicePoP",
    secretKey: device.seed,
    signatures,
  });
}

export function signBinding(params: {
  username: string;
  host: string;
  accountId: Uint8Array;
  status: "bound" | "released";
  device: TestDevice;
}): Promise<Uint8Array> {
  const { username, host, accountId, status, device } = params;
  return signStructure({
    codec: usernameBindingCodec,
    value: { format: 1, username, host, accountId, status, timeMs: 1, signer: { kind: "device", deviceId: device.deviceId }, ext: none },
    label: "UsernameBinding",
    secretKey: device.seed,
    signatures,
  });
}

export function signState(state: AccountState, seed: Uint8Array): Promise<Uint8Array> {
  return signStructure({ codec: accountStateCodec, value: state, label: "AccountState", secretKey: seed, signatures });
}

/** A genesis state with its proof and binding. */
export async function createAccount(username: string, host: string): Promise<TestAccount> {
  const device = createDevice();
  const recovery = createDevice();
  const state: AccountState = {
    format: 1,
    accountId: zeros,
    version: 0,
    prevHash: zeros,
    timeMs: 1,
    status: "active",
    username,
    host,
    devices: [deviceEntry(device)],
    recoveryKey: recovery.publicKey,
    signer: { kind: "device", deviceId: device.deviceId },
    ext: none,
  };
  const signedState = await signState(state, device.seed);
  const accountId = accountIdOf(decode(signedCodec, signedState).body);
  return {
    accountId,
    device,
    recovery,
    state,
    signedState,
    pops: [await signPop(device, zeros)],
    bindings: [await signBinding({ username, host, accountId, status: "bound", device })],
  };
}

/** The next state of an account, signed. */
export async function nextState(
  before: { readonly accountId: Uint8Array; readonly state: AccountState; readonly signedState: Uint8Array },
  change: Partial<AccountState>,
  by: { readonly seed: Uint8Array; readonly signer: StateSigner },
): Promise<{ accountId: Uint8Array; state: AccountState; signedState: Uint8Array }> {
  const { body } = decode(signedCodec, before.signedState);
  const state: AccountState = {
    ...before.state,
    accountId: before.accountId,
    version: before.state.version + 1,
    prevHash: stateHashOf(body),
    signer: by.signer,
    ...change,
  };
  return { accountId: before.accountId, state, signedState: await signState(state, by.seed) };
}

/** Registers an account and leaves its device connected. */
export async function register(
  server: Pick<RunningServer, "url" | "host">,
  username: string,
): Promise<{ account: TestAccount; client: TestClient<"device"> }> {
  const client = await TestClient.connect(server.url, "device");
  const account = await createAccount(username, server.host);
  const reserved = await client.ask({ kind: "reserve", username, invitation: "", token: none });
  if (reserved.kind !== "reserved") throw new Error(`not reserved: ${JSON.stringify(reserved)}`);
  const published = await client.ask({ kind: "publish", state: account.signedState, pops: account.pops, bindings: account.bindings });
  if (published.kind !== "published") throw new Error(`not published: ${JSON.stringify(published)}`);
  const connected = await connectDevice(client, account.accountId, account.device);
  if (connected !== "done") throw new Error(`not connected: ${connected}`);
  return { account, client };
}

export async function connectDevice(client: TestClient<"device">, accountId: Uint8Array, device: TestDevice): Promise<string> {
  const content = encode(connectTbsCodec, {
    format: 1,
    host: client.hello.host,
    accountId,
    deviceId: device.deviceId,
    nonce: client.hello.nonce,
    role: "device",
    ext: none,
  });
  const signature = await signatures.sign(device.seed, signedContent("Connect", content));
  return client.outcome({ kind: "connect", accountId, deviceId: device.deviceId, signature });
}

export function signCard(device: TestDevice, inboxId: Uint8Array, notAfterMs: number = Date.now() + dayMs): Promise<Uint8Array> {
  return signStructure({
    codec: deviceCardCodec,
    value: { format: 1, deviceId: device.deviceId, inboxId, inboxKey: random(1216), notAfterMs, ext: none },
    label: "DeviceCard",
    secretKey: device.seed,
    signatures,
  });
}
