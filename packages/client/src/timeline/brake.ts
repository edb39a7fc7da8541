import { decode, encode, safeUint64, toBase64Url, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { StoreTransaction } from "../store/store.ts";

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
