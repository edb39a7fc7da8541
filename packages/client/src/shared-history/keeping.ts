import { bool, decode, encode, opaque, optional, safeUint64, struct } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { settingsOpeningCodec, wireEntryKindCodec } from "@latchkey/protocol";
import type { PastEffect, PastEntry } from "../core/past-effect.ts";
import type { DeviceReference } from "../core/types.ts";
import { orderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";
import { pastDays, putTask } from "./tasks.ts";

/*
 * What this device keeps of a log for those who join later (spec R-5): of each entry what its leaf in the chain is made of, and whose it was; of each
 * epoch what its settings are. Beside it lies the evidence of L-14, of what is shown and of what is not.
 */

/** An entry as it is kept; `author` of a message that was read. */
export interface KeptEntry extends PastEntry {
  readonly atMs: number;
  readonly author: KeptAuthor | undefined;
}

/** Whose message an entry was, and where what proves it lies. */
export interface KeptAuthor extends DeviceReference {
  readonly order: number;
  /** Its evidence is kept for joiners alone, and goes with the entry. */
  readonly isExtra: boolean;
}

/** As it is stored; its seq is its key’s. */
type Stored = Omit<KeptEntry, "seq">;
/** An entry as it is stored, at the key of its place. */
export const keptCodec: Codec<Stored> = struct<Stored>({
  epochId: safeUint64,
  kind: wireEntryKindCodec,
  blobHash: opaque(32),
  nextAccessHash: opaque(32),
  atMs: safeUint64,
  author: optional(struct<KeptAuthor>({ accountId: opaque(32), deviceId: opaque(16), order: safeUint64, isExtra: bool })),
});

export const dayMs = 86_400_000;

/** Where the entries of a conversation lie, by their seq. */
export const entryPrefix = (id: string): string => `past/${id}/`;
/** Where what its epochs’ hashes stand for lies, by the ids of the epochs. */
export const openingPrefix = (id: string): string => `past-settings/${id}/`;

/** Forgets the first so many of what is kept of a conversation up to an entry; whether that was all. */
export async function erasePastThrough(tx: StoreTransaction, id: string, throughSeq: number, limit: number): Promise<boolean> {
  const prefix = entryPrefix(id);
  const found = await tx.scan({ prefix, before: prefix + orderSegment(throughSeq + 1), limit });
  for (const [key] of found) tx.delete(key);
  return found.length < limit;
}

/** Stores an effect of a step that is for joiners, or that gives them something. */
export async function putPast(tx: StoreTransaction, id: string, effect: PastEffect, nowMs: number): Promise<void> {
  switch (effect.kind) {
    case "past": {
      const { entry, opening } = effect;
      tx.put(entryPrefix(id) + orderSegment(entry.seq), encode(keptCodec, { ...entry, atMs: nowMs, author: undefined }));
      const key = openingPrefix(id) + orderSegment(entry.epochId);
      if ((await tx.get(key)) === undefined) tx.put(key, encode(settingsOpeningCodec, opening));
      tx.put(`${pastDays}${orderSegment(Math.floor(nowMs / dayMs))}/${id}`, new Uint8Array(0));
      return;
    }
    case "past_author": {
      const key = entryPrefix(id) + orderSegment(effect.seq);
      const stored = await tx.get(key);
      const { order, isExtra, author } = effect;
      if (stored !== undefined) tx.put(key, encode(keptCodec, { ...decode(keptCodec, stored), author: { ...author, order, isExtra } }));
      return;
    }
    default:
      await putTask(tx, id, effect, nowMs);
  }
}
