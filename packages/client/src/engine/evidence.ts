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
  const orders = found.map(([key]) => parseOrderSegment(key.slice(prefix.length)));
  await eraseEvidence(tx, conversationId, orders);
  return found.length < limit;
}

/** Whether anything is kept that proves who wrote what stands at `order`. */
export async function hasEvidence(tx: StoreTransaction, conversationId: string, order: number): Promise<boolean> {
  return (await tx.get(evidencePrefix(conversationId) + orderSegment(order))) !== undefined;
}

/**
 * Erases what proves who wrote the lines at these places; with the last of an epoch the epoch's context. Given all at once: what is left of an
 * epoch is looked for once, however many of it go.
 */
export async function eraseEvidence(tx: StoreTransaction, conversationId: string, orders: readonly number[]): Promise<void> {
  const prefix = evidencePrefix(conversationId);
  const epochs = new Map<number, { first: string; last: string }>();
  for (const order of orders.toSorted((a, b) => a - b)) {
    const key = prefix + orderSegment(order);
    const stored = await tx.get(key);
    if (stored === undefined) continue;
    tx.delete(key);
    const { epoch } = decode(storedCodec, stored);
    epochs.set(epoch, { first: epochs.get(epoch)?.first ?? key, last: key });
  }
  if (epochs.size === 0) return;
  tx.eraseTraces();
  for (const [epoch, { first, last }] of epochs) {
    const isOfEpoch = ([, value]: readonly [string, Uint8Array]): boolean => decode(storedCodec, value).epoch === epoch;
    // Epochs and places grow together: only the nearest that are left can be of the same one.
    const [before] = await tx.scan({ prefix, before: last, limit: 1, reverse: true });
    const [after] = await tx.scan({ prefix, after: first, limit: 1 });
    if ([before, after].some((neighbour) => neighbour !== undefined && isOfEpoch(neighbour))) continue;
    tx.delete(contextKey(conversationId, epoch));
    contextsIn.delete(tx);
  }
}

/** As `eraseEvidence`, of several conversations. */
export async function eraseEvidenceOf(
  tx: StoreTransaction,
  places: readonly { readonly conversationId: string; readonly order: number }[],
): Promise<void> {
  const orders = new Map<string, number[]>();
  for (const { conversationId, order } of places) {
    const some = orders.get(conversationId) ?? [];
    orders.set(conversationId, some);
    some.push(order);
  }
  for (const [conversationId, some] of orders) await eraseEvidence(tx, conversationId, some);
}
