import { decode, encode, equalBytes, opaque, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { StoreTransaction } from "../store/store.ts";
import type { Line } from "../timeline/line.ts";

/** Accounts of which it is kept in a group that somebody removed them: the last ones. */
const maxRemoved = 1024;

const codec: Codec<Uint8Array[]> = vector(opaque(32), { maxBytes: 32 * maxRemoved });
const key = (conversationId: string): string => `join-removed/${conversationId}`;

/** Keeps whom a commit took out of a group, who did not leave by themselves: no link lets them in again unasked (spec X-14). */
export async function noteRemoved(tx: StoreTransaction, conversationId: string, { body }: Pick<Line, "body">): Promise<void> {
  if (body.kind !== "removed") return;
  const before = await loadRemoved(tx, conversationId);
  const others = before.filter((known) => !body.accounts.some((account) => equalBytes(account, known)));
  tx.put(key(conversationId), encode(codec, [...others, ...body.accounts].slice(-maxRemoved)));
}

/** Accounts that somebody removed from a group while this device was in it, also those who came back since. */
export async function loadRemoved(tx: StoreTransaction, conversationId: string): Promise<readonly Uint8Array[]> {
  const stored = await tx.get(key(conversationId));
  return stored === undefined ? [] : decode(codec, stored);
}
