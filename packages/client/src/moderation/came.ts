import { decode, encode, opaque, optional, safeUint64, struct, toBase64Url } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { StoreTransaction } from "../store/store.ts";
import type { Line } from "../timeline/line.ts";

/** Who added an account to a group, by the commit that did, and when. */
export interface Came {
  readonly by: Uint8Array | undefined;
  readonly atMs: number;
}

const codec: Codec<Came> = struct<Came>({ by: optional(opaque(32)), atMs: safeUint64 });
const prefix = (conversationId: string): string => `came/${conversationId}/`;

/** Keeps who added whom, of those who are in the group (spec X-25). */
export function noteCame(tx: StoreTransaction, conversationId: string, { body, author, sentAtMs }: Omit<Line, "id" | "order">): void {
  const key = (account: Uint8Array): string => prefix(conversationId) + toBase64Url(account);
  if (body.kind === "added") for (const account of body.accounts) tx.put(key(account), encode(codec, { by: author, atMs: sentAtMs }));
  const gone = body.kind === "removed" ? body.accounts : body.kind === "left" && author !== undefined ? [author] : [];
  for (const account of gone) tx.delete(key(account));
}

/** Who added whom (base64url), as far as this device was there. */
export async function loadCame(tx: StoreTransaction, conversationId: string): Promise<ReadonlyMap<string, Came>> {
  const kept = await tx.scan({ prefix: prefix(conversationId) });
  return new Map(kept.map(([key, value]) => [key.slice(prefix(conversationId).length), decode(codec, value)]));
}
