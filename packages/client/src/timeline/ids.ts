import { decode, encode, enumeration, opaque, safeUint64, struct, toBase64Url, uint8 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { StoreTransaction } from "../store/store.ts";

/**
 * What an id stands for in a conversation, and the line where it is to be found: `message` the line itself, `version` an edit of it, `reaction`
 * a reaction to it, `hidden` one that this person deleted for themselves.
 */
export interface Place {
  readonly kind: "message" | "version" | "reaction" | "hidden";
  readonly order: number;
  readonly author: Uint8Array;
}

const codec: Codec<Place> = struct<Place>({
  kind: enumeration<Place["kind"]>(uint8, { message: 1, version: 2, reaction: 3, hidden: 4 }),
  order: safeUint64,
  author: opaque(32),
});

const key = (conversationId: string, id: string): string => `said/${conversationId}/${id}`;

/** Whether this is how the id of a message looks: 32 bytes as base64url. Lines of the conversation's own have others. */
export function isMessageId(id: string): boolean {
  return /^[\w-]{43}$/.test(id);
}

/** Where the content with this id (base64url) is to be found. */
export async function loadPlace(tx: StoreTransaction, conversationId: string, id: string): Promise<Place | undefined> {
  const stored = await tx.get(key(conversationId, id));
  return stored === undefined ? undefined : decode(codec, stored);
}

export function putPlace(tx: StoreTransaction, conversationId: string, id: Uint8Array | string, place: Place): void {
  tx.put(key(conversationId, typeof id === "string" ? id : toBase64Url(id)), encode(codec, place));
}
