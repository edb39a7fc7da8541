import { encode } from "@latchkey/codec";
import { accountStateCodec, signedCodec } from "@latchkey/transparency";
import { recoveryPhrase } from "../account/own-account.ts";
import type { OwnAccount } from "../account/own-account.ts";
import { deriveRecoveryKeys } from "../account/recovery.ts";
import { createNodePlatform } from "../platform/node.ts";
import { findBackup } from "./found.ts";
import { Device, FakeHost } from "./scene.testing.ts";

const node = createNodePlatform();

/** A device with a backup that is on. */
export async function kept(): Promise<{ host: FakeHost; device: Device; id: string }> {
  const host = new FakeHost();
  const device = await Device.create(host);
  const id = device.converse(3);
  await device.say(id, 16, "first");
  await device.backups.keep(undefined);
  await device.backups.write(false);
  return { host, device, id };
}

/** Another profile of the account, which has its history by the phrase alone. */
export async function restored(device: Device): Promise<Device> {
  const phrase = (await recoveryPhrase(device.own)) ?? "";
  const { backupKey } = await deriveRecoveryKeys(phrase, node);
  const fresh = new Device(device.host, device.own);
  const { own, host, inner: store } = fresh;
  await findBackup({ store, platform: { ...node, nowMs: () => fresh.clock.now() }, connection: host.connection, own, backupKey });
  return fresh;
}

/** The same, with all of it read. */
export async function read(device: Device): Promise<Device> {
  const fresh = await restored(device);
  await fresh.backups.restore();
  return fresh;
}

/** The account with a second device beside the first, as each of them has it; their keys are the same here. */
export function withDevice(
  own: OwnAccount,
  deviceId: Uint8Array,
  { isRecovered = false }: { readonly isRecovered?: boolean } = {},
): { readonly first: OwnAccount; readonly second: OwnAccount } {
  const { state } = own.account;
  const devices = [...state.devices, ...state.devices.map((device) => ({ ...device, deviceId }))];
  const next = { ...state, devices, ...(isRecovered ? { signer: { kind: "recovery" } as const } : {}) };
  const signed = encode(signedCodec, { body: encode(accountStateCodec, next), signature: new Uint8Array(64) });
  const first = { ...own, account: { ...own.account, state: next }, record: { ...own.record, states: [...own.record.states, signed] } };
  return { first, second: { ...first, deviceId } };
}

/** What the server was asked. */
export const kindsSent: (host: FakeHost) => readonly string[] = ({ requests }) => requests.map(({ kind }) => kind);

/** Chunks that were brought to it. */
export const chunksSent: (host: FakeHost) => readonly Uint8Array[] = ({ requests }) =>
  requests.flatMap((request) => (request.kind === "put_history_chunk" ? [request.chunk] : []));

/** What the clock began comes to its end. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
