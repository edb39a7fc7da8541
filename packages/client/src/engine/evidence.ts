import { decode, encode, opaqueV, safeUint64, struct } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { MessageEvidence } from "@latchkey/mls";
import { maxMessageBytes } from "@latchkey/protocol";
import { orderSegment, parseOrderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";

/** Evidence as it is stored: the context of an epoch is there once for all its messages. */
interface StoredEvidence extends Omit<MessageEvidence, "context"> {
  readonly epoch: number;
}
const storedCodec: Codec<StoredEvidence> = struct<StoredEvidence>({
  epoch: safeUint64,
  content: opaqueV(maxMessageBytes),
  signature: opaqueV(4096),
  signaturePublicKey: opaqueV(4096),
});

const evidencePrefix = (conversationId: string): string => `evidence/${conversationId}/`;
/** What a transaction has of contexts: of each of its messages it would else be read again. */
const contextsIn = new WeakMap<StoreTransaction, Set<string>>();
const contextKey = (conversationId: string, epoch: number): string => `evidence-context/${conversationId}/${orderSegment(epoch)}`;

/** Stores what proves who wrote the line at `order` (spec L-14). */
export async function putEvidence(
  tx: StoreTransaction,
  conversationId: string,
  kept: { readonly order: number; readonly epoch: number; readonly evidence: MessageEvidence },
): Promise<void> {
  const { order, epoch, evidence } = kept;
  tx.put(evidencePrefix(conversationId) + orderSegment(order), encode(storedCodec, { epoch, ...evidence }));
  const key = contextKey(conversationId, epoch);
  const known = contextsIn.get(tx) ?? new Set();
  if (known.has(key)) return;
  if ((await tx.get(key)) === undefined) tx.put(key, evidence.context);
  contextsIn.set(tx, known.add(key));
}

/** What proves who wrote the line at `order`; `undefined` where nothing is kept: of what came with another device's history, for one. */
export async function loadEvidence(tx: StoreTransaction, conversationId: string, order: number): Promise<MessageEvidence | undefined> {
  const stored = await tx.get(evidencePrefix(conversationId) + orderSegment(order));
  if (stored === undefined) return undefined;
  const { epoch, ...evidence } = decode(storedCodec, stored);
  const context = await tx.get(contextKey(conversationId, epoch));
  return context === undefined ? undefined : { ...evidence, context };
}

/** Erases the first so many of what is kept of a conversation before a place, whatever it proves; whether that was all. */
export async function eraseEvidenceBefore(tx: StoreTransaction, conversationId: string, order: number, limit: number): Promise<boolean> {
  const prefix = evidencePrefix(conversationId);
  const found = await tx.scan({ prefix, before: prefix + orderSegment(order), limit });
  for (const [key] of found) await eraseEvidence(tx, conversationId, parseOrderSegment(key.slice(prefix.length)));
  return found.length < limit;
}

/** Whether anything is kept that proves who wrote what stands at `order`. */
export async function hasEvidence(tx: StoreTransaction, conversationId: string, order: number): Promise<boolean> {
  return (await tx.get(evidencePrefix(conversationId) + orderSegment(order))) !== undefined;
}

/** Erases what proves who wrote the line at `order`; with the last of its epoch the epoch's context. */
export async function eraseEvidence(tx: StoreTransaction, conversationId: string, order: number): Promise<void> {
  const prefix = evidencePrefix(conversationId);
  const key = prefix + orderSegment(order);
  const stored = await tx.get(key);
  if (stored === undefined) return;
  tx.delete(key);
  tx.eraseTraces();
  const { epoch } = decode(storedCodec, stored);
  const isOfEpoch = ([, value]: readonly [string, Uint8Array]): boolean => decode(storedCodec, value).epoch === epoch;
  // Epochs and places grow together: only neighbours can be of the same one.
  const [before] = await tx.scan({ prefix, before: key, limit: 1, reverse: true });
  const [after] = await tx.scan({ prefix, after: key, limit: 1 });
  if ([before, after].some((neighbour) => neighbour !== undefined && isOfEpoch(neighbour))) return;
  tx.delete(contextKey(conversationId, epoch));
  contextsIn.delete(tx);
}
