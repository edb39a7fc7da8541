import { decode, encode, safeUint64, struct, text } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { orderSegment, parseOrderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";

/*
 * In which order lines came into this profile, over all conversations: what an archiver goes through, each once. Written in the
 * transaction that stores the line.
 */

/** Where a line lies. */
interface Place {
  readonly conversationId: string;
  readonly order: number;
}

/** A line's place, and its own in the order of arrival: from 1, dense. */
export interface Arrival extends Place {
  readonly number: number;
}

const prefix = "arrival/";

const placeCodec: Codec<Place> = struct<Place>({ conversationId: text(128), order: safeUint64 });

/** Notes lines of a conversation that were not there before, in this order. */
export async function noteArrivals(tx: StoreTransaction, conversationId: string, orders: ReadonlySet<number>): Promise<void> {
  if (orders.size === 0) return;
  let number = await countArrivals(tx);
  for (const order of orders) {
    number += 1;
    tx.put(prefix + orderSegment(number), encode(placeCodec, { conversationId, order }));
  }
}

/** How many lines have come. */
export async function countArrivals(tx: StoreTransaction): Promise<number> {
  const [last] = await tx.scan({ prefix, reverse: true, limit: 1 });
  return last === undefined ? 0 : parseOrderSegment(last[0].slice(prefix.length));
}

/** The first `limit` arrivals after the one with this number; 0 is before the first. */
export async function arrivalsAfter(tx: StoreTransaction, number: number, limit: number): Promise<Arrival[]> {
  const found = await tx.scan({ prefix, after: prefix + orderSegment(number), limit });
  return found.map(([key, value]) => ({ ...decode(placeCodec, value), number: parseOrderSegment(key.slice(prefix.length)) }));
}
