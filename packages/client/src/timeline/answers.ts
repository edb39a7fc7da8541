import { toBase64Url } from "@latchkey/codec";
import { orderSegment, parseOrderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";

/** Of more answers to one version of a message the newest are told when what they quote is gone; the others show it so when they are read next. */
export const maxAnswersTold = 256;

const prefix = (conversationId: string, version: string): string => `answer/${conversationId}/${version}/`;

/** Notes that the line at a place answers this version of a message: its id, 32 bytes. */
export function putAnswer(tx: StoreTransaction, conversationId: string, version: Uint8Array, order: number): void {
  tx.put(prefix(conversationId, toBase64Url(version)) + orderSegment(order), new Uint8Array(0));
}

/** The places of the newest lines that answer a version of a message (its id as base64url); some of them may be gone. */
export async function answersTo(tx: StoreTransaction, conversationId: string, version: string): Promise<readonly number[]> {
  const base = prefix(conversationId, version);
  const found = await tx.scan({ prefix: base, limit: maxAnswersTold, reverse: true });
  return found.map(([key]) => parseOrderSegment(key.slice(base.length)));
}
