import { entryOrder } from "../core/order.ts";
import type { ConversationState, Effect } from "../core/types.ts";
import { eraseEvidence, eraseEvidenceBefore } from "../engine/evidence.ts";
import { erasePastThrough } from "../shared-history/keeping.ts";
import { orderSegment, parseOrderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";
import { linePrefix, decodeLine } from "../timeline/history.ts";
import { isMessageId } from "../timeline/ids.ts";
import type { Timeline } from "../timeline/timeline.ts";

/** Lines that go in one transaction. */
const erasedAtOnce = 200;

/**
 * What is left of a step where the person deleted the conversation up to this entry: what is read of it only now is neither stored, counted
 * nor shown.
 */
export function withoutDeleted(
  throughSeq: number | undefined,
  before: Pick<ConversationState, "unread" | "updatedAtMs">,
  after: ConversationState,
  effects: readonly Effect[],
): { state: ConversationState; effects: readonly Effect[] } {
  if (throughSeq === undefined) return { state: after, effects };
  const end = entryOrder(throughSeq + 1);
  const kept = effects.filter((effect) => orderOf(effect) >= end);
  if (kept.length === effects.length) return { state: after, effects };
  // Of a batch that has some of both, what is counted is not taken apart: it is of what comes behind.
  const isAll = after.lastOrder < end;
  return { state: isAll ? { ...after, unread: before.unread, updatedAtMs: before.updatedAtMs } : after, effects: kept };
}

function orderOf(effect: Effect): number {
  if (effect.kind === "line") return effect.line.order;
  if (effect.kind === "content") return effect.said.order;
  if (effect.kind === "past") return entryOrder(effect.entry.seq);
  return effect.kind === "evidence" || effect.kind === "past_author" ? effect.order : Number.POSITIVE_INFINITY;
}

/** Erases the first lines of a conversation up to this entry, with what proves who wrote them; ids of the messages among them, and whether that was all. */
export async function eraseThrough(
  { tx, timeline, conversationId }: { readonly tx: StoreTransaction; readonly timeline: Timeline; readonly conversationId: string },
  throughSeq: number,
): Promise<{ readonly messageIds: readonly string[]; readonly isDone: boolean }> {
  const prefix = linePrefix(conversationId);
  const found = await tx.scan({ prefix, before: prefix + orderSegment(entryOrder(throughSeq + 1)), limit: erasedAtOnce });
  const messageIds: string[] = [];
  const orders: number[] = [];
  for (const [key, value] of found) {
    const order = parseOrderSegment(key.slice(prefix.length));
    const line = decodeLine(value, order);
    if (line?.message !== undefined && isMessageId(line.id)) messageIds.push(line.id);
    timeline.erase(order, line);
    orders.push(order);
  }
  await eraseEvidence(tx, conversationId, orders);
  await timeline.hide(messageIds);
  if (found.length === erasedAtOnce) return { messageIds, isDone: false };
  // What proves what was done to them, and what is kept for joiners.
  const isRest = await eraseEvidenceBefore(tx, conversationId, entryOrder(throughSeq + 1), erasedAtOnce);
  const isPast = await erasePastThrough(tx, conversationId, throughSeq, erasedAtOnce);
  return { messageIds, isDone: isRest && isPast };
}

/** Whether there are lines of the conversation up to this entry. */
export async function hasLines(tx: StoreTransaction, conversationId: string, throughSeq: number): Promise<boolean> {
  const prefix = linePrefix(conversationId);
  return (await tx.scan({ prefix, before: prefix + orderSegment(entryOrder(throughSeq + 1)), limit: 1 })).length > 0;
}
