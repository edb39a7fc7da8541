import type { Message } from "./messages.ts";
import type { Person } from "./people.ts";

/** How far somebody has come in a conversation, by their own word: places of messages, 0 for none (spec X-12). */
export interface Receipt {
  readonly person: Person;
  readonly deliveredThrough: number;
  readonly readThrough: number;
}

/** How a message of one's own fares: with the server, with the other person's device, read. */
export type ReceiptState = "pending" | "failed" | "sent" | "delivered" | "read";

/** How a message of one's own fares; of a group `read` once all have read it. Of anything else `undefined`. */
export function receiptOf(
  message: Message,
  conversation: { readonly kind: "direct" | "group"; readonly memberCount: number; readonly receipts: readonly Receipt[] },
): ReceiptState | undefined {
  const { delivery, order } = message;
  if (delivery === undefined || delivery.kind !== "accepted") return delivery?.kind;
  const { kind, memberCount, receipts } = conversation;
  const read = receipts.filter(({ readThrough }) => readThrough >= order).length;
  if (read > 0 && read >= memberCount - 1) return "read";
  return kind === "direct" && receipts.some(({ deliveredThrough }) => deliveredThrough >= order) ? "delivered" : "sent";
}
