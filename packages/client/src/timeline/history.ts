import { CodecError, decode, encode } from "@latchkey/codec";
import { isQuiet } from "../core/turn.ts";
import { orderSegment, parseOrderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";
import { storedLineCodec } from "./codec.ts";
import type { Line } from "./line.ts";

/** Where the lines of a conversation lie, by their order. */
export const linePrefix = (conversationId: string): string => `line/${conversationId}/`;

/** Stores a line of the history at its place; the same place again replaces it. */
export function putLine(tx: StoreTransaction, conversationId: string, value: Line): void {
  tx.put(linePrefix(conversationId) + orderSegment(value.order), encode(storedLineCodec, value));
}

/** Erases a line from the history. */
export function deleteLine(tx: StoreTransaction, conversationId: string, order: number): void {
  tx.delete(linePrefix(conversationId) + orderSegment(order));
}

/** The line that stands for a conversation in the list: the newest that is not quiet, as far as that is not long ago. */
export async function loadShownLine(tx: StoreTransaction, conversationId: string): Promise<Line | undefined> {
  const lines = await loadLines(tx, conversationId, { limit: 20 });
  return lines.findLast((candidate) => !isQuiet(candidate.body)) ?? lines.at(-1);
}

/** The `limit` lines before `beforeOrder` (the newest when absent), oldest first. */
export async function loadLines(
  tx: StoreTransaction,
  conversationId: string,
  params: { beforeOrder?: number | undefined; limit: number },
): Promise<Line[]> {
  const prefix = linePrefix(conversationId);
  const before = params.beforeOrder === undefined ? {} : { before: prefix + orderSegment(params.beforeOrder) };
  const found = await tx.scan({ prefix, ...before, limit: params.limit, reverse: true });
  return found
    .map(([key, value]) => ({ ...decode(storedLineCodec, value), order: parseOrderSegment(key.slice(prefix.length)) }))
    .toReversed();
}

/** The line at a place; `undefined` where there is none. */
export async function loadLine(tx: StoreTransaction, conversationId: string, order: number): Promise<Line | undefined> {
  const value = await tx.get(linePrefix(conversationId) + orderSegment(order));
  return value === undefined ? undefined : { ...decode(storedLineCodec, value), order };
}

/** A line as another device of one's own has it stored; `undefined` for what is none. The bytes may be reused. */
export function decodeLine(value: Uint8Array, order: number): Line | undefined {
  try {
    return { ...decode(storedLineCodec, value.slice()), order };
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}
