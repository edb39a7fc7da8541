import { decode, encode, safeUint64, toBase64Url } from "@latchkey/codec";
import type { StoreTransaction } from "../store/store.ts";

const prefix = "inbox-seen/";

/** Whether an inbox item with this id was used already (spec I-2). */
export async function isItemSeen(tx: StoreTransaction, itemId: Uint8Array): Promise<boolean> {
  return (await tx.get(prefix + toBase64Url(itemId))) !== undefined;
}

/** Remembers an item's id until it is refused for its age. */
export function rememberItem(tx: StoreTransaction, itemId: Uint8Array, notAfterMs: number): void {
  tx.put(prefix + toBase64Url(itemId), encode(safeUint64, notAfterMs));
}

/** Forgets ids whose items are refused for their age; a day later than that, for clocks that were set back. */
export async function forgetExpiredItems(tx: StoreTransaction, nowMs: number): Promise<void> {
  for (const [key, value] of await tx.scan({ prefix })) {
    if (decode(safeUint64, value) < nowMs - 86_400_000) tx.delete(key);
  }
}
