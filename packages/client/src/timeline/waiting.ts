import { decode, encode, safeUint64, struct, toBase64Url } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { orderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";
import { saidCodec } from "./codec.ts";
import type { Said } from "./said.ts";

/** How long a change waits for the message that it is about (spec X-2). */
export const waitingMs: number = 30 * 86_400_000;
/** Changes of one account that wait in a conversation; more are dropped, until these have gone. A large one counts as one for each begun 16 KiB. */
export const maxWaiting = 256;
const countedBytes = 16_384;

/** `target`: for the message with that id; `device`: for what is known of the device that said it (spec G-8). */
export type WaitsFor = { readonly kind: "target"; readonly id: Uint8Array } | { readonly kind: "device" };

const prefixes = { target: "waiting", device: "unproven" } as const;

/** Where what waits for something lies. */
export function waitingPrefix(conversationId: string, waitsFor: WaitsFor): string {
  const base = `${prefixes[waitsFor.kind]}/${conversationId}/`;
  return waitsFor.kind === "target" ? `${base}${toBase64Url(waitsFor.id)}/` : base;
}

const waitingKey = (conversationId: string, waitsFor: WaitsFor, { order }: Said): string =>
  waitingPrefix(conversationId, waitsFor) + orderSegment(order);

interface Count {
  readonly count: number;
  readonly sinceMs: number;
}
const countCodec: Codec<Count> = struct<Count>({ count: safeUint64, sinceMs: safeUint64 });
const countKey = (conversationId: string, account: Uint8Array): string => `waiting-count/${conversationId}/${toBase64Url(account)}`;

/** Puts a change aside, unless its author has too many there. */
export async function putWaiting(tx: StoreTransaction, conversationId: string, waitsFor: WaitsFor, said: Said): Promise<void> {
  const key = countKey(conversationId, said.author);
  const stored = await tx.get(key);
  const known = stored === undefined ? undefined : decode(countCodec, stored);
  // What waited then has gone by now.
  const isOld = known === undefined || said.arrivedAtMs - known.sinceMs > waitingMs;
  const { count, sinceMs } = isOld ? { count: 0, sinceMs: said.arrivedAtMs } : known;
  const encoded = encode(saidCodec, said);
  const taken = count + Math.ceil(encoded.length / countedBytes);
  if (taken > maxWaiting) return;
  tx.put(key, encode(countCodec, { count: taken, sinceMs }));
  tx.put(waitingKey(conversationId, waitsFor, said), encoded);
}

/** Puts back what was taken out and waits on: it was counted when it came. */
export function keepWaiting(tx: StoreTransaction, conversationId: string, waitsFor: WaitsFor, said: Said): void {
  tx.put(waitingKey(conversationId, waitsFor, said), encode(saidCodec, said));
}

/** Takes out everything that waits for this, in the order of the log; what waited too long is gone. */
export async function takeWaiting(
  tx: StoreTransaction,
  conversationId: string,
  waitsFor: WaitsFor,
  nowMs: number,
): Promise<readonly Said[]> {
  const found = await tx.scan({ prefix: waitingPrefix(conversationId, waitsFor) });
  for (const [key] of found) tx.delete(key);
  return found.map(([, value]) => decode(saidCodec, value)).filter(({ arrivedAtMs }) => nowMs - arrivedAtMs <= waitingMs);
}

/** Whether anything waits for a message in this conversation. */
export async function hasWaiting(tx: StoreTransaction, conversationId: string): Promise<boolean> {
  return (await tx.scan({ prefix: `${prefixes.target}/${conversationId}/`, limit: 1 })).length > 0;
}

/** Forgets what waits for too long, in all conversations. */
export async function dropOldWaiting(tx: StoreTransaction, nowMs: number): Promise<void> {
  for (const prefix of Object.values(prefixes))
    for (const [key, value] of await tx.scan({ prefix: `${prefix}/` }))
      if (nowMs - decode(saidCodec, value).arrivedAtMs > waitingMs) tx.delete(key);
}
