import { bool, decode, encode, struct, uint32 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { isPendingOrder } from "../core/order.ts";
import { orderSegment, parseOrderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";
import type { Line } from "../timeline/line.ts";

/*
 * Which lines of the history the backup does not have as they are now (spec B-4): noted in the transaction that changes them, as long as this
 * device keeps a backup.
 */

/** A line that is to be written, or that is gone. */
export interface Due {
  /** Whether the backup has an earlier form of it. */
  readonly isKnown: boolean;
  /** How often it changed since: what is written meanwhile is not what was read before. */
  readonly times: number;
}

/** Where one of them is. */
export interface DuePlace extends Due {
  readonly conversationId: string;
  readonly order: number;
}

const dueCodec: Codec<Due> = struct<Due>({ isKnown: bool, times: uint32 });

/** There while this device keeps a backup. */
export const keptHereKey = "history-backup/on";
export const duePrefix = "history-backup/due/";
const keyOf = (conversationId: string, order: number): string => `${duePrefix}${conversationId}/${orderSegment(order)}`;

/** Whether a line is of those that a backup has: what goes after a time, or was to be seen once, never is. */
export function isKept({ message, body }: Line): boolean {
  return message?.timer === undefined && !(body.kind === "text" && body.isOnce === true);
}

/** Notes lines that were changed or taken out; nothing where no backup is kept here. @param known those that were there before, of those that a backup has */
export async function noteDue(
  tx: StoreTransaction,
  conversationId: string,
  orders: Iterable<number>,
  known: ReadonlySet<number>,
): Promise<void> {
  if ((await tx.get(keptHereKey)) === undefined) return;
  for (const order of new Set(orders)) {
    // What waits to be sent has no place in the log yet.
    if (isPendingOrder(order)) continue;
    const key = keyOf(conversationId, order);
    const stored = await tx.get(key);
    const before = stored === undefined ? undefined : decode(dueCodec, stored);
    const due: Due = { isKnown: before?.isKnown ?? known.has(order), times: ((before?.times ?? 0) + 1) % 0x1_0000_0000 };
    tx.put(key, encode(dueCodec, due));
  }
}

/** Some of them, in any order. */
export async function loadDue(tx: StoreTransaction, limit: number): Promise<readonly DuePlace[]> {
  return (await tx.scan({ prefix: duePrefix, limit })).map(([key, value]) => placeOf(key, value));
}

/** Those of one conversation. */
export async function dueOf(tx: StoreTransaction, conversationId: string): Promise<readonly DuePlace[]> {
  return (await tx.scan({ prefix: `${duePrefix}${conversationId}/` })).map(([key, value]) => placeOf(key, value));
}

function placeOf(key: string, value: Uint8Array): DuePlace {
  const [conversationId = "", order = ""] = key.slice(duePrefix.length).split("/");
  return { conversationId, order: parseOrderSegment(order), ...decode(dueCodec, value) };
}

/** One that was written as it was then is due no more, unless it changed since. */
export async function settleDue(tx: StoreTransaction, { conversationId, order, times }: DuePlace): Promise<void> {
  const key = keyOf(conversationId, order);
  const stored = await tx.get(key);
  if (stored === undefined) return;
  if (decode(dueCodec, stored).times === times) tx.delete(key);
  else tx.put(key, encode(dueCodec, { ...decode(dueCodec, stored), isKnown: true }));
}
