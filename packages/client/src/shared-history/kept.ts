import { decode } from "@latchkey/codec";
import { settingsOpeningCodec } from "@latchkey/protocol";
import type { SettingsOpening } from "@latchkey/protocol";
import { eraseEvidence } from "../engine/evidence.ts";
import { orderSegment, parseOrderSegment } from "../store/store.ts";
import type { Store, StoreTransaction } from "../store/store.ts";
import { maxArchiveEntries } from "./archive.ts";
import { dayMs, entryPrefix, keptCodec, openingPrefix } from "./keeping.ts";
import type { KeptEntry } from "./keeping.ts";
import { pastDays } from "./tasks.ts";

/** As long as anybody is given anything, and as long as servers keep entries unless they say otherwise. */
const keptDays = 30;
/** Entries that are dropped of a conversation at a time. */
const droppedAtOnce = 200;

/** At most `limit` kept entries before `beforeSeq`, the newest first. */
export async function keptBefore(tx: StoreTransaction, id: string, beforeSeq: number, limit: number): Promise<readonly KeptEntry[]> {
  const prefix = entryPrefix(id);
  const found = await tx.scan({ prefix, before: prefix + orderSegment(beforeSeq), limit, reverse: true });
  return found.map(([key, value]) => ({ ...decode(keptCodec, value), seq: parseOrderSegment(key.slice(prefix.length)) }));
}

/** What an epoch's settings were, as its context commits to them. */
export async function keptOpening(tx: StoreTransaction, id: string, epochId: number): Promise<SettingsOpening | undefined> {
  const stored = await tx.get(openingPrefix(id) + orderSegment(epochId));
  return stored === undefined ? undefined : decode(settingsOpeningCodec, stored);
}

/** Forgets what is too old to be given to anybody, or more than an archive holds: in parts, so that nothing else waits for all of it (E-2). */
export async function dropOldPast(store: Pick<Store, "transact">, nowMs: number): Promise<void> {
  const today = Math.floor(nowMs / dayMs);
  const days = (await store.transact("read", (tx) => tx.scan({ prefix: pastDays }))).map(([key]) => {
    const [day = "", id = ""] = key.slice(pastDays.length).split("/");
    return { key, isOver: today - parseOrderSegment(day) > keptDays, id };
  });
  for (const id of new Set(days.map((day) => day.id)))
    for (let isAll = false; !isAll;) isAll = await store.transact("write", (tx) => dropOldEntries(tx, id, nowMs));
  const over = days.filter(({ isOver }) => isOver);
  if (over.length === 0) return;
  await store.transact("write", (tx) => {
    for (const { key } of over) tx.delete(key);
  });
}

/** Forgets some of a conversation; whether that was all. */
async function dropOldEntries(tx: StoreTransaction, id: string, nowMs: number): Promise<boolean> {
  const prefix = entryPrefix(id);
  const [newest] = await tx.scan({ prefix, reverse: true, limit: 1 });
  const leastSeq = newest === undefined ? 0 : parseOrderSegment(newest[0].slice(prefix.length)) - maxArchiveEntries;
  const isOver = ([key, value]: readonly [string, Uint8Array]): boolean =>
    nowMs - decode(keptCodec, value).atMs > keptDays * dayMs || parseOrderSegment(key.slice(prefix.length)) <= leastSeq;
  // Most times there is none.
  const [oldest] = await tx.scan({ prefix, limit: 1 });
  if (oldest !== undefined && !isOver(oldest)) return true;
  const found = await tx.scan({ prefix, limit: droppedAtOnce });
  const kept = found.findIndex((entry) => !isOver(entry));
  const dropped = kept === -1 ? found : found.slice(0, kept);
  for (const [key] of dropped) tx.delete(key);
  const authors = dropped.flatMap(([, value]) => decode(keptCodec, value).author ?? []);
  await eraseEvidence(
    tx,
    id,
    authors.filter(({ isExtra }) => isExtra).map(({ order }) => order),
  );
  const [first] = await tx.scan({ prefix, limit: 1 });
  const settings = openingPrefix(id);
  const before = first === undefined ? {} : { before: settings + orderSegment(decode(keptCodec, first[1]).epochId) };
  for (const [key] of await tx.scan({ prefix: settings, ...before })) tx.delete(key);
  return dropped.length < droppedAtOnce;
}
