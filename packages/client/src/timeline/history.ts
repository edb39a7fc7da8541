import { CodecError, decode, encode } from "@latchkey/codec";
import { isQuiet } from "../core/turn.ts";
import { withTranscripts } from "../files/transcripts.ts";
import { orderSegment, parseOrderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";
import { storedLineCodec } from "./codec.ts";
import type { Line } from "./line.ts";
import { isOver } from "./timer.ts";

/** Where the lines of all conversations lie. */
export const allLinesPrefix = "line/";

/** Where the lines of a conversation lie, by their order. */
export const linePrefix = (conversationId: string): string => `${allLinesPrefix}${conversationId}/`;

/** Stores a line of the history at its place; the same place again replaces it. */
export function putLine(tx: StoreTransaction, conversationId: string, value: Line): void {
  tx.put(linePrefix(conversationId) + orderSegment(value.order), encode(storedLineCodec, value));
}

/** Erases a line from the history. */
export function deleteLine(tx: StoreTransaction, conversationId: string, order: number): void {
  tx.delete(linePrefix(conversationId) + orderSegment(order));
  tx.eraseTraces();
}

/** The line that stands for a conversation in the list: the newest that is not quiet, as far as that is not long ago. @param nowMs the time by which what has a timer is over */
export async function loadShownLine(tx: StoreTransaction, conversationId: string, nowMs: number): Promise<Line | undefined> {
  const lines = await loadStandingLines(tx, conversationId, { limit: 20 }, nowMs);
  return lines.findLast((candidate) => !isQuiet(candidate.body)) ?? lines.at(-1);
}

/** Which lines: the `limit` before `beforeOrder` (the newest when absent), or with `afterOrder` (-1 for the beginning) those that come right after it. */
export interface LineRange {
  readonly beforeOrder?: number | undefined;
  readonly afterOrder?: number | undefined;
  readonly limit: number;
}

/** Lines of a conversation, oldest first. */
export async function loadLines(tx: StoreTransaction, conversationId: string, params: LineRange): Promise<Line[]> {
  const { beforeOrder, afterOrder, limit } = params;
  const prefix = linePrefix(conversationId);
  const before = beforeOrder === undefined ? {} : { before: prefix + orderSegment(beforeOrder) };
  const after = afterOrder === undefined || afterOrder < 0 ? {} : { after: prefix + orderSegment(afterOrder) };
  const reverse = afterOrder === undefined;
  const found = await tx.scan({ prefix, ...before, ...after, limit, reverse });
  const lines: Line[] = [];
  for (const [key, value] of found)
    lines.push(
      await withTranscripts(tx, conversationId, { ...decode(storedLineCodec, value), order: parseOrderSegment(key.slice(prefix.length)) }),
    );
  return reverse ? lines.toReversed() : lines;
}

/** Lines of a conversation, oldest first, but those whose time is over and that are not erased yet (spec X-7): in their place further ones. */
export async function loadStandingLines(
  tx: StoreTransaction,
  conversationId: string,
  params: LineRange,
  nowMs: number,
): Promise<readonly Line[]> {
  const { limit, afterOrder } = params;
  let standing: readonly Line[] = [];
  for (let range = params; ;) {
    const lines = await loadLines(tx, conversationId, range);
    const found = lines.filter((line) => !isOver(line, nowMs));
    standing = afterOrder === undefined ? [...found, ...standing] : [...standing, ...found];
    const [first, last] = [lines[0], lines.at(-1)];
    if (lines.length < range.limit || standing.length >= limit || first === undefined || last === undefined) return standing;
    const left = limit - standing.length;
    range = afterOrder === undefined ? { beforeOrder: first.order, limit: left } : { ...params, afterOrder: last.order, limit: left };
  }
}

/** The line at a place, unless its time is over; `undefined` where there is none. */
export async function loadStanding(tx: StoreTransaction, conversationId: string, order: number, nowMs: number): Promise<Line | undefined> {
  const line = await loadLine(tx, conversationId, order);
  return line === undefined || isOver(line, nowMs) ? undefined : line;
}

/**
 * The place of the first line that was sent at `atMs` or later; `undefined` where there is none. By halving: lines that were dated out of
 * turn by their senders' clocks lead elsewhere, and to some line of the conversation all the same.
 * @param throughOrder no line stands behind it
 */
export async function placeSince(
  tx: StoreTransaction,
  conversationId: string,
  { atMs, throughOrder }: { readonly atMs: number; readonly throughOrder: number },
): Promise<number | undefined> {
  let [from, to] = [0, throughOrder + 1];
  let found: number | undefined;
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    const [line] = await loadLines(tx, conversationId, { afterOrder: middle - 1, limit: 1 });
    if (line !== undefined && line.sentAtMs < atMs) from = line.order + 1;
    else {
      found = line?.order ?? found;
      to = middle;
    }
  }
  return found;
}

/** The line at a place; `undefined` where there is none. */
export async function loadLine(tx: StoreTransaction, conversationId: string, order: number): Promise<Line | undefined> {
  const value = await tx.get(linePrefix(conversationId) + orderSegment(order));
  return value === undefined ? undefined : await withTranscripts(tx, conversationId, { ...decode(storedLineCodec, value), order });
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
