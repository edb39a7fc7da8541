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

/** Where else something is erased together with what stands at this place: of a deleted message that are its edits, among others. */
export async function erasedWith(tx: StoreTransaction, conversationId: string, order: number): Promise<readonly number[]> {
  const all = (await tx.scan({ prefix })).map(([key]) => key.slice(prefix.length).split("/"));
  const dues = new Set(all.filter(([, id, at]) => id === conversationId && at === orderSegment(order)).map(([due]) => due));
  const found = all.filter(([due, id]) => dues.has(due) && id === conversationId).map(([, , at = ""]) => parseOrderSegment(at));
  return found.filter((one) => one !== order);
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
