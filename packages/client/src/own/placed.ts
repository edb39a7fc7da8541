import { decodeSync } from "../devices/sync-messages.ts";
import { orderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";

/** Where what this device said of its person's own things waits for being taken in, once it has its place in the devices' log. */
export const placedPrefix = "sync-own/";

/** Has what this device said taken in at its place: in the transaction that takes it out of what waits to be sent. */
export function putPlaced(tx: StoreTransaction, conversationId: string, order: number, payload: Uint8Array): void {
  if (decodeSync(payload)?.kind === "own") tx.put(`${placedPrefix}${conversationId}/${orderSegment(order)}`, payload);
}
