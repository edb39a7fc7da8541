import { bool, decode, encode, equalBytes, opaque, opaqueV, optional, safeUint64, struct, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { blobReferenceCodec, settingsOpeningCodec, wireEntryKindCodec } from "@latchkey/protocol";
import type { HistoryGiven, SettingsOpening } from "@latchkey/protocol";
import type { PastEffect, PastEntry } from "../core/past-effect.ts";
import type { DeviceReference } from "../core/types.ts";
import { maxArchiveEntries } from "./archive.ts";
import { eraseEvidence } from "../engine/evidence.ts";
import { orderSegment, parseOrderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";

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

type Stored = Omit<KeptEntry, "seq">;
const storedCodec: Codec<Stored> = struct<Stored>({
  epochId: safeUint64,
  kind: wireEntryKindCodec,
  blobHash: opaque(32),
  nextAccessHash: opaque(32),
  atMs: safeUint64,
  author: optional(struct<KeptAuthor>({ accountId: opaque(32), deviceId: opaque(16), order: safeUint64, isExtra: bool })),
});

const dayMs = 86_400_000;
/** As long as anybody is given anything, and as long as servers keep entries unless they say otherwise. */
const keptDays = 30;
/** Entries that one run of the chores drops of a conversation. */
const droppedAtOnce = 2000;

const entryPrefix = (id: string): string => `past/${id}/`;
/** On which days anything was kept of which conversation. */
const days = "past-day/";
const openingKey = (id: string, epochId: number): string => `past-settings/${id}/${orderSegment(epochId)}`;

/** Stores an effect of a step that is for joiners, or that gives them something. */
export async function putPast(tx: StoreTransaction, id: string, effect: PastEffect, nowMs: number): Promise<void> {
  switch (effect.kind) {
    case "past": {
      const { entry, opening } = effect;
      tx.put(entryPrefix(id) + orderSegment(entry.seq), encode(storedCodec, { ...entry, atMs: nowMs, author: undefined }));
      const key = openingKey(id, entry.epochId);
      if ((await tx.get(key)) === undefined) tx.put(key, encode(settingsOpeningCodec, opening));
      tx.put(`${days}${orderSegment(Math.floor(nowMs / dayMs))}/${id}`, new Uint8Array(0));
      return;
    }
    case "past_author": {
      const key = entryPrefix(id) + orderSegment(effect.seq);
      const stored = await tx.get(key);
      const { order, isExtra, author } = effect;
      if (stored !== undefined) tx.put(key, encode(storedCodec, { ...decode(storedCodec, stored), author: { ...author, order, isExtra } }));
      return;
    }
    case "give_history":
      tx.put(giveKey(id, effect.joinedSeq), encode(giveCodec, { accounts: effect.accounts }));
      return;
    case "giving_history":
      tx.delete(giveKey(id, effect.joinedSeq));
      return;
    case "history_given":
      await putGiven(tx, id, effect, nowMs);
  }
}

/** At most `limit` kept entries before `beforeSeq`, the newest first. */
export async function keptBefore(tx: StoreTransaction, id: string, beforeSeq: number, limit: number): Promise<readonly KeptEntry[]> {
  const prefix = entryPrefix(id);
  const found = await tx.scan({ prefix, before: prefix + orderSegment(beforeSeq), limit, reverse: true });
  return found.map(([key, value]) => ({ ...decode(storedCodec, value), seq: parseOrderSegment(key.slice(prefix.length)) }));
}

/** What an epoch's settings were, as its context commits to them. */
export async function keptOpening(tx: StoreTransaction, id: string, epochId: number): Promise<SettingsOpening | undefined> {
  const stored = await tx.get(openingKey(id, epochId));
  return stored === undefined ? undefined : decode(settingsOpeningCodec, stored);
}

/** Forgets what is too old to be given to anybody, or more than an archive holds. */
export async function dropOldPast(tx: StoreTransaction, nowMs: number): Promise<void> {
  const today = Math.floor(nowMs / dayMs);
  const ids = new Set<string>();
  for (const [key] of await tx.scan({ prefix: days })) {
    const [segment = "", id = ""] = key.slice(days.length).split("/");
    ids.add(id);
    if (today - parseOrderSegment(segment) > keptDays) tx.delete(key);
  }
  for (const id of ids) await dropOldEntries(tx, id, nowMs);
}

async function dropOldEntries(tx: StoreTransaction, id: string, nowMs: number): Promise<void> {
  const prefix = entryPrefix(id);
  const [newest] = await tx.scan({ prefix, reverse: true, limit: 1 });
  const leastSeq = newest === undefined ? 0 : parseOrderSegment(newest[0].slice(prefix.length)) - maxArchiveEntries;
  for (const [key, value] of await tx.scan({ prefix, limit: droppedAtOnce })) {
    const { atMs, author } = decode(storedCodec, value);
    if (nowMs - atMs <= keptDays * dayMs && parseOrderSegment(key.slice(prefix.length)) > leastSeq) break;
    tx.delete(key);
    if (author?.isExtra === true) await eraseEvidence(tx, id, author.order);
  }
  const [first] = await tx.scan({ prefix, limit: 1 });
  const leastEpoch = first === undefined ? Number.POSITIVE_INFINITY : decode(storedCodec, first[1]).epochId;
  const settings = `past-settings/${id}/`;
  for (const [key] of await tx.scan({ prefix: settings })) if (parseOrderSegment(key.slice(settings.length)) < leastEpoch) tx.delete(key);
}

/** Those to whom this device has still to give what was said before. */
export interface Giving {
  readonly conversationId: string;
  readonly joinedSeq: number;
  readonly accounts: readonly Uint8Array[];
}
const giveCodec: Codec<Pick<Giving, "accounts">> = struct<Pick<Giving, "accounts">>({
  accounts: vector(opaque(32), { maxBytes: 65_536 }),
});
const gives = "give-history/";
const giveKey = (id: string, joinedSeq: number): string => `${gives}${id}/${orderSegment(joinedSeq)}`;

export async function allToGive(tx: StoreTransaction): Promise<readonly Giving[]> {
  return (await tx.scan({ prefix: gives })).map(([key, value]) => {
    const [conversationId = "", segment = ""] = key.slice(gives.length).split("/");
    return { conversationId, joinedSeq: parseOrderSegment(segment), ...decode(giveCodec, value) };
  });
}

/** Nobody is there any more who could be given it. */
export function dropGiving(tx: StoreTransaction, { conversationId, joinedSeq }: Giving): void {
  tx.delete(giveKey(conversationId, joinedSeq));
}

/** What a member gave this device, until it was looked at. */
export interface Given {
  readonly conversationId: string;
  /** Of the line that tells it. */
  readonly order: number;
  readonly author: Uint8Array;
  readonly epoch: number;
  /** When it came. */
  readonly atMs: number;
  readonly given: Pick<HistoryGiven, "joinedSeq" | "archive">;
}
interface StoredGiven extends Pick<HistoryGiven, "joinedSeq" | "archive"> {
  readonly author: Uint8Array;
  readonly epoch: number;
  readonly atMs: number;
}
const givenCodec: Codec<StoredGiven> = struct<StoredGiven>({
  author: opaque(32),
  epoch: safeUint64,
  atMs: safeUint64,
  joinedSeq: safeUint64,
  archive: blobReferenceCodec,
});
const givens = "given-history/";
const givenKey = (id: string, order: number): string => `${givens}${id}/${orderSegment(order)}`;

/** So many are looked at for one joining, one of each member: what a member may cost a joiner is bounded. */
const maxGiven = 4;
const giversCodec: Codec<{ joinedSeq: number; givers: readonly Uint8Array[] }> = struct<{
  joinedSeq: number;
  givers: readonly Uint8Array[];
}>({ joinedSeq: safeUint64, givers: vector(opaqueV(32), { maxBytes: 1024 }) });
const giversKey = (id: string): string => `history-givers/${id}`;

async function putGiven(
  tx: StoreTransaction,
  id: string,
  effect: Extract<PastEffect, { kind: "history_given" }>,
  atMs: number,
): Promise<void> {
  const { order, author, epoch, given } = effect;
  const { joinedSeq, archive } = given;
  const stored = await tx.get(giversKey(id));
  const known = stored === undefined ? undefined : decode(giversCodec, stored);
  const givers = known?.joinedSeq === joinedSeq ? known.givers : [];
  if (givers.length >= maxGiven || givers.some((giver) => equalBytes(giver, author))) return;
  tx.put(giversKey(id), encode(giversCodec, { joinedSeq, givers: [...givers, author] }));
  tx.put(givenKey(id, order), encode(givenCodec, { author, epoch, atMs, joinedSeq, archive }));
}

export async function allGiven(tx: StoreTransaction): Promise<readonly Given[]> {
  return (await tx.scan({ prefix: givens })).map(([key, value]) => {
    const [conversationId = "", segment = ""] = key.slice(givens.length).split("/");
    const { author, epoch, atMs, joinedSeq, archive } = decode(givenCodec, value);
    return { conversationId, order: parseOrderSegment(segment), author, epoch, atMs, given: { joinedSeq, archive } };
  });
}

/** It was looked at. */
export function dropGiven(tx: StoreTransaction, { conversationId, order }: Given): void {
  tx.delete(givenKey(conversationId, order));
}
