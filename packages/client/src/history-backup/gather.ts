import { fromBase64Url, toBase64Url } from "@latchkey/codec";
import { isPendingOrder } from "../core/order.ts";
import { orderSegment, parseOrderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";
import { linePrefix, decodeLine } from "../timeline/history.ts";
import type { Line } from "../timeline/line.ts";
import { dueOf, loadDue } from "./due.ts";
import type { DuePlace } from "./due.ts";
import { chunkCapacity } from "./format.ts";
import type { HistoryItem } from "./format.ts";
import type { Walk } from "./stored.ts";

/** What goes into the next chunk, as it was read in one transaction. */
export interface Gathered {
  readonly items: readonly HistoryItem[];
  /** Bytes that still fit in the chunk. */
  readonly leftBytes: number;
  /** Where the first writing goes on; `undefined` when it is over. */
  readonly walk: Walk | undefined;
  /** Lines of it that are due no more then. */
  readonly settled: readonly DuePlace[];
  readonly conversations: ReadonlySet<string>;
  readonly authors: ReadonlySet<string>;
  /** By how much there are more messages in the backup. */
  readonly messages: number;
  readonly leftOut: number;
}

const linesPerRead = 200;
const dueAtOnce = 2000;
/** Around a line: its place, its length, and its part of what is around all. */
const lineOverheadBytes = 24;

/** Items of one chunk as they come, the lines of a conversation together. */
class Items {
  readonly #items: HistoryItem[] = [];
  readonly #erased = new Map<string, number[]>();
  readonly settled: DuePlace[] = [];
  readonly conversations = new Set<string>();
  readonly authors = new Set<string>();
  #lines: { readonly id: string; readonly lines: { readonly order: number; readonly value: Uint8Array }[] } | undefined;
  #bytes = 0;
  messages = 0;
  leftOut = 0;

  get leftBytes(): number {
    return chunkCapacity - this.#bytes;
  }

  /** Whether something of this size fits. */
  #fits(bytes: number): boolean {
    if (this.#bytes + bytes > chunkCapacity) return false;
    this.#bytes += bytes;
    return true;
  }

  /** Takes a line, unless the chunk is full. */
  line(id: string, line: Line, value: Uint8Array, isKnown: boolean): boolean {
    // By itself it is longer than a chunk takes.
    if (value.length + 128 > chunkCapacity) {
      // What the backup has of it is what it was before.
      if (isKnown && !this.gone(id, line.order, isKnown)) return false;
      this.leftOut += 1;
      return true;
    }
    const isSame = this.#lines?.id === id;
    if (!this.#fits(value.length + lineOverheadBytes + (isSame ? 0 : 64))) return false;
    if (this.#lines === undefined || !isSame) {
      this.#lines = { id, lines: [] };
      this.#items.push({ kind: "lines", logId: fromBase64Url(id), lines: this.#lines.lines });
    }
    this.#lines.lines.push({ order: line.order, value });
    this.conversations.add(id);
    if (line.author !== undefined) this.authors.add(toBase64Url(line.author));
    if (line.message !== undefined && !isKnown) this.messages += 1;
    return true;
  }

  /** Takes that a line is gone. */
  gone(id: string, order: number, isKnown: boolean): boolean {
    if (!this.#fits(this.#erased.has(id) ? 8 : 72)) return false;
    const orders = this.#erased.get(id) ?? [];
    this.#erased.set(id, orders);
    orders.push(order);
    if (isKnown) this.messages -= 1;
    return true;
  }

  all(): readonly HistoryItem[] {
    const erased = [...this.#erased].map(([id, orders]): HistoryItem => ({ kind: "erased", logId: fromBase64Url(id), orders }));
    return [...this.#items, ...erased];
  }
}

/** Whether a line is of those that a backup has: what goes after a time, or was to be seen once, never is. */
function isKept({ message, body }: Line): boolean {
  return message?.timer === undefined && !(body.kind === "text" && body.isOnce === true);
}

/**
 * Reads as much as one chunk takes: of the first writing what comes next, and then what changed.
 * @param ids of the conversations that there are, in the order in which they are gone through
 * @param except that of the account's devices, which is no history
 */
export async function gather(
  tx: StoreTransaction,
  { walk, ids, except }: { readonly walk: Walk | undefined; readonly ids: readonly string[]; readonly except: ReadonlySet<string> },
): Promise<Gathered> {
  const items = new Items();
  const rest = walk === undefined ? undefined : await gatherNext(tx, items, walk, ids);
  if (rest === undefined) await gatherDue(tx, items, except);
  const { settled, conversations, authors, messages, leftOut } = items;
  return { items: items.all(), leftBytes: items.leftBytes, walk: rest, settled, conversations, authors, messages, leftOut };
}

async function gatherNext(tx: StoreTransaction, items: Items, walk: Walk, ids: readonly string[]): Promise<Walk | undefined> {
  let { afterOrder } = walk;
  const left = ids.filter((id) => id >= walk.conversationId);
  for (const [at, id] of left.entries()) {
    if (id !== walk.conversationId) afterOrder = -1;
    const prefix = linePrefix(id);
    // Those are written as they are when it is their turn.
    const due = await dueOf(tx, id);
    for (;;) {
      const range = afterOrder < 0 ? {} : { after: prefix + orderSegment(afterOrder) };
      const found = await tx.scan({ prefix, ...range, limit: linesPerRead });
      for (const [key, value] of found) {
        const order = parseOrderSegment(key.slice(prefix.length));
        const line = due.has(order) || isPendingOrder(order) ? undefined : decodeLine(value, order);
        if (line !== undefined && isKept(line) && !items.line(id, line, value, false))
          return { conversationId: id, afterOrder, done: walk.total - left.length + at, total: walk.total };
        afterOrder = order;
      }
      if (found.length < linesPerRead) break;
    }
  }
  return undefined;
}

async function gatherDue(tx: StoreTransaction, items: Items, except: ReadonlySet<string>): Promise<void> {
  for (const due of await loadDue(tx, dueAtOnce)) {
    const { conversationId, order, isKnown } = due;
    const value = await tx.get(linePrefix(conversationId) + orderSegment(order));
    const line = value === undefined ? undefined : decodeLine(value, order);
    const isTaken =
      except.has(conversationId) ||
      (line === undefined || value === undefined
        ? items.gone(conversationId, order, isKnown)
        : !isKept(line) || items.line(conversationId, line, value, isKnown));
    if (!isTaken) return;
    items.settled.push(due);
  }
}
