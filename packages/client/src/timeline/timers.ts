import { decode, encode, safeUint64 } from "@latchkey/codec";
import { orderSegment, parseOrderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";
import { goesAtMs, seenAt } from "./timer.ts";
import type { Line } from "./line.ts";
import type { MessageTimer } from "./timer.ts";

/*
 * Where messages with a timer stand (spec X-7): by when they go, which of them nobody has seen yet, which came or were seen while it was not sure what
 * time it is, and up to where the person had seen a conversation when, by their other devices.
 */

/** A message with a timer. */
export interface TimedPlace {
  readonly conversationId: string;
  readonly order: number;
}

const duePrefix = "timed/";
const undatedPrefix = "timed-undated/";
const unseenPrefix = (conversationId: string): string => `timed-unseen/${conversationId}/`;
const seenPrefix = (conversationId: string): string => `timed-seen/${conversationId}/`;
const empty = new Uint8Array(0);

/** So many marks of what was seen on other devices are kept of a conversation: the newest. */
const maxMarks = 64;

const dueKey = (conversationId: string, order: number, timer: MessageTimer): string =>
  `${duePrefix}${orderSegment(goesAtMs(timer))}/${conversationId}/${orderSegment(order)}`;
const undatedKey = (conversationId: string, order: number): string => `${undatedPrefix}${conversationId}/${orderSegment(order)}`;
const unseenKey = (conversationId: string, order: number): string => unseenPrefix(conversationId) + orderSegment(order);

/** The same message before and after something was done to it: where it stands follows. @param isSure whether it is sure what time it is */
export function followTimer(tx: StoreTransaction, conversationId: string, before: Line | undefined, after: Line, isSure: boolean): void {
  const { order } = after;
  const [was, is] = [before?.message?.timer, after.message?.timer];
  if (was !== undefined) forgetTimer(tx, conversationId, order, was);
  if (is === undefined) return;
  tx.put(dueKey(conversationId, order, is), empty);
  if (is.sinceMs === 0) tx.put(unseenKey(conversationId, order), empty);
  if (!isSure) tx.put(undatedKey(conversationId, order), empty);
}

/** Nothing stands there any more. */
export function forgetTimer(tx: StoreTransaction, conversationId: string, order: number, timer: MessageTimer): void {
  for (const key of [dueKey(conversationId, order, timer), unseenKey(conversationId, order), undatedKey(conversationId, order)])
    tx.delete(key);
}

/** Messages that nobody had seen up to a place. */
export async function unseenThrough(tx: StoreTransaction, conversationId: string, throughOrder: number): Promise<readonly number[]> {
  const prefix = unseenPrefix(conversationId);
  const found = await tx.scan({ prefix, before: prefix + orderSegment(throughOrder + 1) });
  return found.map(([key]) => parseOrderSegment(key.slice(prefix.length)));
}

/** Another device of one's own says that the person had seen all up to a place then, which may come here only later. */
export async function noteSeenThrough(tx: StoreTransaction, conversationId: string, throughOrder: number, atMs: number): Promise<void> {
  const prefix = seenPrefix(conversationId);
  const key = prefix + orderSegment(throughOrder);
  const known = await tx.get(key);
  if (known === undefined || decode(safeUint64, known) > atMs) tx.put(key, encode(safeUint64, atMs));
  const marks = await tx.scan({ prefix });
  for (const [old] of marks.slice(0, -maxMarks)) tx.delete(old);
}

/** The timer of a message as it is by what other devices said was seen. */
export async function seenElsewhere(
  tx: StoreTransaction,
  conversationId: string,
  order: number,
  timer: MessageTimer,
): Promise<MessageTimer> {
  const prefix = seenPrefix(conversationId);
  const [mark] = await tx.scan({ prefix, after: prefix + orderSegment(order - 1), limit: 1 });
  return mark === undefined ? timer : seenAt(timer, decode(safeUint64, mark[1]));
}

/** Of the messages with a timer so many that go next, with when; those behind a key that was given before. */
export async function nextTimed(
  tx: StoreTransaction,
  { after, limit }: { readonly after?: string | undefined; readonly limit: number },
): Promise<readonly (TimedPlace & { readonly key: string; readonly atMs: number })[]> {
  const found = await tx.scan({ prefix: duePrefix, limit, ...(after === undefined ? {} : { after }) });
  return found.map(([key]) => {
    const [due = "", conversationId = "", order = ""] = key.slice(duePrefix.length).split("/");
    return { key, conversationId, order: parseOrderSegment(order), atMs: parseOrderSegment(due) };
  });
}

/** Messages that came, or were seen, while it was not sure what time it is. */
export async function undatedTimed(tx: StoreTransaction): Promise<readonly TimedPlace[]> {
  const found = await tx.scan({ prefix: undatedPrefix });
  return found.map(([key]) => {
    const [conversationId = "", order = ""] = key.slice(undatedPrefix.length).split("/");
    return { conversationId, order: parseOrderSegment(order) };
  });
}

/** Forgets a place at which no message with a timer stands any more, as where its conversation was deleted. */
export function forgetPlace(tx: StoreTransaction, { key, conversationId, order }: TimedPlace & { readonly key?: string }): void {
  if (key !== undefined) tx.delete(key);
  tx.delete(undatedKey(conversationId, order));
  tx.delete(unseenKey(conversationId, order));
}
