import { decode, encode, fromBase64Url, safeUint64, struct, toBase64Url } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { orderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";
import { saidCodec } from "./codec.ts";
import type { Said } from "./said.ts";

/** How long a change waits for the message that it is about (spec X-2). */
export const waitingMs: number = 30 * 86_400_000;
/** Changes of one account that wait in a conversation; more are dropped, until these have gone. */
export const maxWaiting = 256;

/** `target`: for the message with that id; `device`: for what is known of the device that said it (spec G-8); `brake`: for the person (spec X-4). */
export type WaitsFor =
  | { readonly kind: "target"; readonly id: Uint8Array }
  | { readonly kind: "device" }
  | { readonly kind: "brake"; readonly account: Uint8Array };

const prefixes = { target: "waiting", device: "unproven", brake: "held" } as const;

/** Where what waits for something lies. */
export function waitingPrefix(conversationId: string, waitsFor: WaitsFor): string {
  const base = `${prefixes[waitsFor.kind]}/${conversationId}/`;
  if (waitsFor.kind === "target") return `${base}${toBase64Url(waitsFor.id)}/`;
  return waitsFor.kind === "brake" ? `${base}${toBase64Url(waitsFor.account)}/` : base;
}

interface Count {
  readonly count: number;
  readonly sinceMs: number;
}
const countCodec: Codec<Count> = struct<Count>({ count: safeUint64, sinceMs: safeUint64 });
const countKey = (conversationId: string, account: Uint8Array): string => `waiting-count/${conversationId}/${toBase64Url(account)}`;

/** Puts a change aside, unless its author has too many there. */
export async function putWaiting(tx: StoreTransaction, conversationId: string, waitsFor: WaitsFor, said: Said): Promise<void> {
  if (waitsFor.kind !== "brake") {
    const key = countKey(conversationId, said.author);
    const stored = await tx.get(key);
    const known = stored === undefined ? undefined : decode(countCodec, stored);
    // What waited then has gone by now.
    const isOld = known === undefined || said.arrivedAtMs - known.sinceMs > waitingMs;
    const { count, sinceMs } = isOld ? { count: 0, sinceMs: said.arrivedAtMs } : known;
    if (count >= maxWaiting) return;
    tx.put(key, encode(countCodec, { count: count + 1, sinceMs }));
  }
  tx.put(waitingPrefix(conversationId, waitsFor) + orderSegment(said.order), encode(saidCodec, said));
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

/** Whose deletions wait for the person, and how many. */
export async function heldAccounts(
  tx: StoreTransaction,
  conversationId: string,
): Promise<readonly { readonly account: Uint8Array; readonly count: number }[]> {
  const counts = new Map<string, number>();
  const prefix = `${prefixes.brake}/${conversationId}/`;
  for (const [key] of await tx.scan({ prefix })) {
    const [account = ""] = key.slice(prefix.length).split("/");
    counts.set(account, (counts.get(account) ?? 0) + 1);
  }
  return [...counts].map(([account, count]) => ({ account: fromBase64Url(account), count }));
}

/** Forgets what waits for a message for too long, in all conversations. */
export async function dropOldWaiting(tx: StoreTransaction, nowMs: number): Promise<void> {
  for (const [key, value] of await tx.scan({ prefix: `${prefixes.target}/` }))
    if (nowMs - decode(saidCodec, value).arrivedAtMs > waitingMs) tx.delete(key);
}
