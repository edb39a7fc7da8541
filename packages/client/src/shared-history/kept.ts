import { decode } from "@latchkey/codec";
import { settingsOpeningCodec } from "@latchkey/protocol";
import type { SettingsOpening } from "@latchkey/protocol";
import { eraseEvidence } from "../engine/evidence.ts";
import { orderSegment, parseOrderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";
import { maxArchiveEntries } from "./archive.ts";
import { dayMs, entryPrefix, keptCodec, openingPrefix } from "./keeping.ts";
import type { KeptEntry } from "./keeping.ts";
import { pastDays } from "./tasks.ts";

/** As long as anybody is given anything, and as long as servers keep entries unless they say otherwise. */
const keptDays = 30;
/** Entries that are dropped of a conversation at a time. */
const droppedAtOnce = 2000;

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

/** Forgets what is too old to be given to anybody, or more than an archive holds. */
export async function dropOldPast(tx: StoreTransaction, nowMs: number): Promise<void> {
  const today = Math.floor(nowMs / dayMs);
  const ids = new Set<string>();
  for (const [key] of await tx.scan({ prefix: pastDays })) {
    const [segment = "", id = ""] = key.slice(pastDays.length).split("/");
    ids.add(id);
    if (today - parseOrderSegment(segment) > keptDays) tx.delete(key);
  }
  for (const id of ids) await dropOldEntries(tx, id, nowMs);
}

async function dropOldEntries(tx: StoreTransaction, id: string, nowMs: number): Promise<void> {
  const prefix = entryPrefix(id);
  const [newest] = await tx.scan({ prefix, reverse: true, limit: 1 });
  const leastSeq = newest === undefined ? 0 : parseOrderSegment(newest[0].slice(prefix.length)) - maxArchiveEntries;
  const extra: number[] = [];
  for (const [key, value] of await tx.scan({ prefix, limit: droppedAtOnce })) {
    const { atMs, author } = decode(keptCodec, value);
    if (nowMs - atMs <= keptDays * dayMs && parseOrderSegment(key.slice(prefix.length)) > leastSeq) break;
    tx.delete(key);
    if (author?.isExtra === true) extra.push(author.order);
  }
  await eraseEvidence(tx, id, extra);
  const [first] = await tx.scan({ prefix, limit: 1 });
  const leastEpoch = first === undefined ? Number.POSITIVE_INFINITY : decode(keptCodec, first[1]).epochId;
  const settings = openingPrefix(id);
  for (const [key] of await tx.scan({ prefix: settings })) if (parseOrderSegment(key.slice(settings.length)) < leastEpoch) tx.delete(key);
}
