import { orderSegment, parseOrderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";
import type { Line } from "../timeline/line.ts";
import { entryOf } from "./entry.ts";
import {
  changeLines,
  decodeSegment,
  divideLines,
  encodeEntry,
  encodeSegment,
  joinLines,
  lastOrderIn,
  linesOfSegment,
  segmentBytes,
  utf8Length,
} from "./segment.ts";
import type { SegmentLine } from "./segment.ts";

/*
 * The index of a conversation lies in segments, each at the order of its first line or before it. They are rewritten in the transaction that
 * changes the timeline: what is gone from it is gone from here, and no crash comes between.
 */

/** Segments that are dropped at once. */
const droppedAtOnce = 32;

/** Where all segments lie. */
const searchPrefix = "search/";

const prefixOf = (conversationId: string): string => `${searchPrefix}${conversationId}/`;

/** A segment as it is stored. */
export interface StoredSegment {
  /** No line of it stands before. */
  readonly first: number;
  readonly text: string;
}

/** Called with each segment that a transaction changed, once that is durable. */
export type SegmentListener = (conversationId: string, first: number, text: string | undefined) => void;

/** What of a timeline changed: lines as they are now, and places where nothing stands any more. */
export interface TimelineChanges {
  readonly lines: readonly Line[];
  readonly erased: Iterable<number>;
}

/** Has the index follow the timeline of a conversation, in the caller's transaction. */
export async function updateIndex(
  tx: StoreTransaction,
  conversationId: string,
  { lines, erased }: TimelineChanges,
  onChange?: SegmentListener,
): Promise<void> {
  const changes = new Map<number, string | undefined>();
  for (const order of erased) changes.set(order, undefined);
  for (const line of lines) {
    const entry = entryOf(line);
    // Lines of changes of the group were never in it, and do not become messages.
    if (line.message === undefined && entry === undefined) continue;
    changes.set(line.order, entry === undefined ? undefined : encodeEntry(entry));
  }
  const left = new Map([...changes].toSorted(([a], [b]) => a - b));
  while (left.size > 0) await changeSegment({ tx, conversationId, onChange }, left);
}

interface Place {
  readonly tx: StoreTransaction;
  readonly conversationId: string;
  readonly onChange: SegmentListener | undefined;
}

/** Changes the segment where the first of these changes belongs, with all others of it; takes them from `left`. */
async function changeSegment(place: Place, left: Map<number, string | undefined>): Promise<void> {
  const { tx, conversationId } = place;
  const [order = 0] = left.keys();
  const last = await segmentBefore(tx, conversationId);
  if (last === undefined || order > lastOrderIn(last.text)) {
    append(place, last, left);
    return;
  }
  const isLast = last.first <= order;
  const segment = isLast ? last : ((await segmentBefore(tx, conversationId, order + 1)) ?? (await segmentAfter(tx, conversationId)));
  const next = isLast || segment === undefined ? undefined : await segmentAfter(tx, conversationId, segment.first);
  const own = new Map([...left].filter(([at]) => next === undefined || at < next.first));
  for (const at of own.keys()) left.delete(at);
  const before = segment === undefined ? [] : linesOfSegment(segment.text);
  const after = changeLines(before, own);
  if (isSame(before, after)) return;
  const written = new Set<number>();
  for (const [at, lines] of divideLines(after).entries()) {
    const firstOrder = lines[0]?.order ?? 0;
    // Where its first line is gone, it stays where it lies: it is where that line would be looked for.
    const first = at === 0 && segment !== undefined ? Math.min(segment.first, firstOrder) : firstOrder;
    written.add(first);
    put(place, first, joinLines(lines));
  }
  if (segment !== undefined && !written.has(segment.first)) put(place, segment.first, undefined);
}

/** Puts what comes behind everything else at the end, which is what nearly every message does. */
function append(place: Place, last: StoredSegment | undefined, left: Map<number, string | undefined>): void {
  let segment = last;
  let bytes = last === undefined ? 0 : utf8Length(last.text);
  let isChanged = false;
  for (const [order, line] of left) {
    left.delete(order);
    if (line === undefined) continue;
    const size = utf8Length(line);
    if (segment === undefined || bytes + size > segmentBytes) {
      if (segment !== undefined && isChanged) put(place, segment.first, segment.text);
      segment = { first: order, text: line };
      bytes = size;
    } else {
      segment = { first: segment.first, text: segment.text + line };
      bytes += size;
    }
    isChanged = true;
  }
  if (segment !== undefined && isChanged) put(place, segment.first, segment.text);
}

function put({ tx, conversationId, onChange }: Place, first: number, text: string | undefined): void {
  const key = prefixOf(conversationId) + orderSegment(first);
  if (text === undefined) tx.delete(key);
  else tx.put(key, encodeSegment(text));
  if (onChange !== undefined) tx.afterCommit(() => onChange(conversationId, first, text));
}

/** Drops some segments of all conversations; whether none is left. */
export async function dropSegments(tx: StoreTransaction, onChange: SegmentListener): Promise<boolean> {
  const found = await tx.scan({ prefix: searchPrefix, limit: droppedAtOnce });
  for (const [key] of found) {
    const [conversationId = "", first = ""] = key.slice(searchPrefix.length).split("/");
    put({ tx, conversationId, onChange }, parseOrderSegment(first), undefined);
  }
  return found.length < droppedAtOnce;
}

/** The segments before this place, the last ones where none is given, newest first. */
export async function segmentsBefore(
  tx: StoreTransaction,
  conversationId: string,
  { before, limit }: { readonly before?: number | undefined; readonly limit: number },
): Promise<readonly StoredSegment[]> {
  const prefix = prefixOf(conversationId);
  const end = before === undefined ? {} : { before: prefix + orderSegment(before) };
  return (await tx.scan({ prefix, ...end, reverse: true, limit })).map((found) => storedSegment(prefix, found));
}

async function segmentBefore(tx: StoreTransaction, conversationId: string, before?: number): Promise<StoredSegment | undefined> {
  return (await segmentsBefore(tx, conversationId, { before, limit: 1 }))[0];
}

/** The segment after this place, the first one where none is given. */
async function segmentAfter(tx: StoreTransaction, conversationId: string, after?: number): Promise<StoredSegment | undefined> {
  const prefix = prefixOf(conversationId);
  const start = after === undefined ? {} : { after: prefix + orderSegment(after) };
  const [found] = await tx.scan({ prefix, ...start, limit: 1 });
  return found === undefined ? undefined : storedSegment(prefix, found);
}

function storedSegment(prefix: string, [key, bytes]: readonly [string, Uint8Array]): StoredSegment {
  return { first: parseOrderSegment(key.slice(prefix.length)), text: decodeSegment(bytes) };
}

function isSame(before: readonly SegmentLine[], after: readonly SegmentLine[]): boolean {
  return before.length === after.length && before.every(({ text }, at) => text === after[at]?.text);
}
