import { decode, encode, enumeration, equalBytes, opaque, safeUint64, struct, toBase64Url, uint8 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { AccountState } from "@latchkey/transparency";
import type { StoreTransaction } from "../store/store.ts";
import type { WantedState } from "./own-states.ts";

/** A linking that this device has begun to carry out: written with the state that takes the device in, gone when all is done. */
export interface LinkTask {
  readonly deviceId: Uint8Array;
  /** `published`: whether the new device stored its account is not known yet. */
  readonly stage: "published" | "linked";
  readonly expiresAtMs: number;
}

const taskCodec: Codec<LinkTask> = struct<LinkTask>({
  deviceId: opaque(16),
  stage: enumeration(uint8, { published: 1, linked: 2 }),
  expiresAtMs: safeUint64,
});
const taskPrefix = "link/task/";

/** Every linking that is not finished. */
export async function loadLinkTasks(tx: StoreTransaction): Promise<LinkTask[]> {
  return (await tx.scan({ prefix: taskPrefix })).map(([, value]) => decode(taskCodec, value));
}

export function putLinkTask(tx: StoreTransaction, task: LinkTask): void {
  tx.put(taskPrefix + toBase64Url(task.deviceId), encode(taskCodec, task));
}

export function deleteLinkTask(tx: StoreTransaction, deviceId: Uint8Array): void {
  tx.delete(taskPrefix + toBase64Url(deviceId));
}

/** The state without a device; `undefined` when it is not there. */
export function withoutDevice(state: AccountState, deviceId: Uint8Array): WantedState | undefined {
  const devices = state.devices.filter((known) => !equalBytes(known.deviceId, deviceId));
  return devices.length === state.devices.length ? undefined : { devices };
}

/** The same with this device alone; `undefined` where it is alone already, or not in it any more. */
export function withoutOthers(state: AccountState, deviceId: Uint8Array): WantedState | undefined {
  const devices = state.devices.filter((known) => equalBytes(known.deviceId, deviceId));
  return devices.length === 0 || devices.length === state.devices.length ? undefined : { devices };
}
