import type { StoreTransaction } from "../store/store.ts";
import { orderSegment, parseOrderSegment } from "../store/store.ts";
import { eraseEvidence } from "../engine/evidence.ts";

/** What was seen may still be reported for so long after it was deleted (spec X-4). */
export const reportableMs = 86_400_000;

const prefix = "erase/";

/** Has the evidence of a deleted message erased once nobody may report it any more. */
export function eraseLater(tx: StoreTransaction, conversationId: string, order: number, nowMs: number): void {
  tx.put(`${prefix}${orderSegment(nowMs + reportableMs)}/${conversationId}/${orderSegment(order)}`, new Uint8Array(0));
}

/** Erases what is due. */
export async function eraseDue(tx: StoreTransaction, nowMs: number): Promise<void> {
  for (const [key] of await tx.scan({ prefix })) {
    const [due = "", conversationId = "", order = ""] = key.slice(prefix.length).split("/");
    if (parseOrderSegment(due) > nowMs) return;
    await eraseEvidence(tx, conversationId, parseOrderSegment(order));
    tx.delete(key);
  }
}
