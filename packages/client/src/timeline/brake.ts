import { decode, encode, fromBase64Url, safeUint64, toBase64Url, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { orderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";
import { saidCodec } from "./codec.ts";
import type { Said } from "./said.ts";

/** Deletions of one account in one conversation that are done in an hour; the person is asked about more (spec X-4). */
export const maxDeletions = 50;
const spanMs = 3_600_000;

const codec: Codec<number[]> = vector(safeUint64, { maxBytes: 8 * maxDeletions });
const key = (conversationId: string, account: Uint8Array): string => `brake/${conversationId}/${toBase64Url(account)}`;

/** Whether another deletion of this account is done without asking, which then counts. `nowMs`: when it came to this device. */
export async function mayDelete(tx: StoreTransaction, conversationId: string, account: Uint8Array, nowMs: number): Promise<boolean> {
  const stored = await tx.get(key(conversationId, account));
  const recent = (stored === undefined ? [] : decode(codec, stored)).filter((atMs) => Math.abs(nowMs - atMs) < spanMs);
  if (recent.length >= maxDeletions) return false;
  tx.put(key(conversationId, account), encode(codec, [...recent, nowMs]));
  return true;
}

const heldPrefix = (conversationId: string, account: Uint8Array): string => `held/${conversationId}/${toBase64Url(account)}/`;

/**
 * Keeps a deletion until the person decides. `order` is the place of the message: of an account one is kept of each message, the first in the
 * log, so that there are never more than messages.
 */
export async function holdDeletion(tx: StoreTransaction, conversationId: string, order: number, said: Said): Promise<void> {
  const at = heldPrefix(conversationId, said.author) + orderSegment(order);
  const stored = await tx.get(at);
  if (stored === undefined || said.order < decode(saidCodec, stored).order) tx.put(at, encode(saidCodec, said));
}

/** Takes out the first so many that are held of an account, in the order of the messages. */
export async function takeHeld(tx: StoreTransaction, conversationId: string, account: Uint8Array, limit: number): Promise<readonly Said[]> {
  const found = await tx.scan({ prefix: heldPrefix(conversationId, account), limit });
  for (const [at] of found) tx.delete(at);
  return found.map(([, value]) => decode(saidCodec, value));
}

/** Whose deletions wait for the person, and of how many messages. */
export async function heldAccounts(
  tx: StoreTransaction,
  conversationId: string,
): Promise<readonly { readonly account: Uint8Array; readonly count: number }[]> {
  const counts = new Map<string, number>();
  const prefix = `held/${conversationId}/`;
  for (const [at] of await tx.scan({ prefix })) {
    const [account = ""] = at.slice(prefix.length).split("/");
    counts.set(account, (counts.get(account) ?? 0) + 1);
  }
  return [...counts].map(([account, count]) => ({ account: fromBase64Url(account), count }));
}
