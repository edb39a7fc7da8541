import { decode, encode, safeUint64, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { eraseEvidenceOf } from "../engine/evidence.ts";
import { orderSegment, parseOrderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";

/** What was seen may still be reported for so long after it was deleted (spec X-4). */
export const reportableMs = 86_400_000;

/** So many places are erased in one transaction: whatever else is to be written has its turn in between (E-2). */
const erasedAtOnce = 200;
/** So many go by one record. */
const placesTogether = 64;

const prefix = "erase/";
/** The places beside the one in the key; no bytes for none. */
const othersCodec: Codec<number[]> = vector(safeUint64, { maxBytes: 8 * placesTogether });

/** What is erased together. */
interface Together {
  readonly key: string;
  readonly due: string;
  readonly conversationId: string;
  readonly orders: readonly number[];
}

function togetherOf([key, value]: readonly [string, Uint8Array]): Together {
  const [due = "", conversationId = "", order = ""] = key.slice(prefix.length).split("/");
  const others = value.length === 0 ? [] : decode(othersCodec, value);
  return { key, due, conversationId, orders: [parseOrderSegment(order), ...others] };
}

/** Has what proves deleted messages, reactions and deletions at these places erased once nobody may report them any more. */
export function eraseLater(tx: StoreTransaction, conversationId: string, orders: readonly number[], nowMs: number): void {
  for (let at = 0; at < orders.length; at += placesTogether) {
    const [first = 0, ...others] = orders.slice(at, at + placesTogether);
    const key = `${prefix}${orderSegment(nowMs + reportableMs)}/${conversationId}/${orderSegment(first)}`;
    tx.put(key, others.length === 0 ? new Uint8Array(0) : encode(othersCodec, others));
  }
}

/** Where else something is erased together with what stands at this place: of a deleted message that are its edits, among others. */
export async function erasedWith(tx: StoreTransaction, conversationId: string, order: number): Promise<readonly number[]> {
  const all = (await tx.scan({ prefix })).map(togetherOf).filter((one) => one.conversationId === conversationId);
  const dues = new Set(all.filter(({ orders }) => orders.includes(order)).map(({ due }) => due));
  const found = all.filter(({ due }) => dues.has(due)).flatMap(({ orders }) => orders);
  return found.filter((one) => one !== order);
}

/** Erases some of what is due, the earliest first; whether that was all. */
export async function eraseDue(tx: StoreTransaction, nowMs: number): Promise<boolean> {
  const found = (await tx.scan({ prefix, limit: erasedAtOnce })).map(togetherOf);
  const places: { readonly conversationId: string; readonly order: number }[] = [];
  let isAll = found.length < erasedAtOnce;
  for (const { key, due, conversationId, orders } of found) {
    isAll ||= parseOrderSegment(due) > nowMs;
    if (parseOrderSegment(due) > nowMs) break;
    if (places.length >= erasedAtOnce) {
      isAll = false;
      break;
    }
    places.push(...orders.map((order) => ({ conversationId, order })));
    tx.delete(key);
  }
  await eraseEvidenceOf(tx, places);
  return isAll;
}
