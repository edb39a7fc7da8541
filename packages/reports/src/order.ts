import { equalBytes, toHex } from "@latchkey/codec";
import { verdictOn } from "./claims.ts";
import type { Verdict } from "./claims.ts";
import type { ReadItem, ReadMessage } from "./items.ts";

const nothingSeen = "0".repeat(64);

/** Where a message stands among those beside it. */
export interface Place {
  /** Own messages of its device that are not shown between the one before it and it; -1 where that cannot be told. */
  readonly gapBefore: number;
  /** Which message of others its author had seen last: its place in the given list, "nothing", or "unshown". */
  readonly seen: number | "nothing" | "unshown";
  readonly verdict: Verdict<"order">;
}

/** What orders the messages of a report (spec V-6). */
export interface Ordered {
  /** For each given message. */
  readonly places: readonly Place[];
  /** The given messages as they were said, as far as that is proved; between others the order in which they were given. */
  readonly order: readonly number[];
}

interface Counted {
  readonly at: number;
  readonly device: string;
  readonly number: number;
  readonly epoch: bigint;
  readonly message: ReadMessage;
  readonly previousOwn: string;
  readonly seen: string;
}

/**
 * Puts messages into the order that their authors signed: each device counts its own, and says which message of another it had seen
 * (spec L-10), and epochs follow each other. What cannot all be true is contradicted. Messages whose signature does not hold say nothing.
 */
export function orderItems(items: readonly ReadItem[]): Ordered {
  const counted = items.map(countedOf);
  const byMark = new Map<string, number>();
  for (const one of counted) if (one !== undefined && !byMark.has(one.message.mark)) byMark.set(one.message.mark, one.at);
  const before = items.map(() => new Set<number>());
  const gaps = new Map<number, number>();
  const wrong = new Map<number, string>();
  for (const own of Map.groupBy(present(counted), ({ device }) => device).values()) judgeOwn(own, { before, gaps, wrong });
  const seenBy = counted.map((one): Place["seen"] => {
    if (one === undefined) return "unshown";
    if (one.seen === nothingSeen) return "nothing";
    return byMark.get(one.seen) ?? "unshown";
  });
  for (const one of present(counted)) {
    const seen = seenBy[one.at];
    if (typeof seen !== "number") continue;
    const seenEpoch = counted[seen]?.epoch;
    if (seenEpoch !== undefined && seenEpoch > one.epoch) wrong.set(one.at, "it saw a message of a later epoch");
    else before[one.at]?.add(seen);
  }
  const order = sorted({ counted, before, wrong });
  const places = counted.map((one, at): Place => {
    const seen = seenBy[at] ?? "unshown";
    const why = wrong.get(at);
    if (why !== undefined) return { gapBefore: gaps.get(at) ?? -1, seen, verdict: verdictOn("order", "contradicted", why) };
    if (one === undefined) return { gapBefore: -1, seen, verdict: verdictOn("order", "not-proved", "nothing signed says where it stands") };
    return { gapBefore: gaps.get(at) ?? -1, seen, verdict: verdictOn("order", "proved") };
  });
  return { places, order };
}

function countedOf({ message, signed, item }: ReadItem, at: number): Counted | undefined {
  if (message?.said === undefined || signed.verdict !== "proved") return undefined;
  const { said, proven } = message;
  if (said.ownNumber === 0) return undefined;
  const device = `${toHex(item.signaturePublicKey)}/${toHex(proven.groupId)}`;
  const { ownNumber: number, previousOwn, seen } = said;
  return { at, device, number, epoch: proven.epoch, message, previousOwn: toHex(previousOwn), seen: toHex(seen) };
}

/**
 * The messages of one device in one group. Within an epoch their numbers order them; one that comes anew into the group counts from 1
 * again, which is not held against it.
 */
function judgeOwn(
  own: readonly Counted[],
  found: { readonly before: readonly Set<number>[]; readonly gaps: Map<number, number>; readonly wrong: Map<number, string> },
): void {
  const ascending = own.toSorted((a, b) => (a.epoch === b.epoch ? a.number - b.number || a.at - b.at : a.epoch < b.epoch ? -1 : 1));
  for (const [place, one] of ascending.entries()) {
    const last = ascending[place - 1];
    if (last === undefined) {
      found.gaps.set(one.at, one.number - 1);
      continue;
    }
    found.before[one.at]?.add(last.at);
    if (one.number > last.number) {
      found.gaps.set(one.at, one.number - last.number - 1);
      const follows = one.number > last.number + 1 || one.previousOwn === last.message.mark;
      if (!follows) found.wrong.set(one.at, "its author says that another message came before it");
    } else if (one.epoch === last.epoch) {
      found.gaps.set(one.at, -1);
      if (one.number === last.number && !isSame(one, last)) {
        for (const { at } of [one, last]) found.wrong.set(at, "its author gave this number to two messages");
      }
    } else {
      found.gaps.set(one.at, -1);
    }
  }
}

function isSame(a: Counted, b: Counted): boolean {
  return equalBytes(a.message.proven.plaintext, b.message.proven.plaintext) && a.seen === b.seen && a.previousOwn === b.previousOwn;
}

/** Kahn's, the lowest epoch and then the first given of those that may come next; who is left over says that each comes before the others. */
function sorted(params: {
  readonly counted: readonly (Counted | undefined)[];
  readonly before: readonly ReadonlySet<number>[];
  readonly wrong: Map<number, string>;
}): number[] {
  const { counted, before, wrong } = params;
  const order: number[] = [];
  const left = new Set(counted.keys());
  const rank = (at: number): bigint => counted[at]?.epoch ?? -1n;
  while (left.size > 0) {
    const free = [...left].filter((at) => [...(before[at] ?? [])].every((other) => !left.has(other)));
    if (free.length === 0) {
      for (const at of left) wrong.set(at, "it and others say of each other that they came before");
      order.push(...left);
      break;
    }
    const next = free.reduce((best, at) => (isEarlier(rank(at), rank(best)) ? at : best));
    left.delete(next);
    order.push(next);
  }
  return order;
}

/** What nothing is known of stays where it was given. */
function isEarlier(rank: bigint, best: bigint): boolean {
  return rank >= 0n && best >= 0n && rank < best;
}

function present<T>(values: readonly (T | undefined)[]): T[] {
  return values.filter((value): value is T => value !== undefined);
}
