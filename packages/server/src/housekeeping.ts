import type { Rules } from "./admin/rules.ts";
import type { BlobService } from "./blobs/blob-service.ts";
import type { UploadService } from "./blobs/uploads.ts";
import type { ClockFile } from "./clock/clock-file.ts";
import { addDatedBack } from "./clock/dated-back.ts";
import type { RecordClock } from "./clock/record-clock.ts";
import type { ClockGuard } from "./clock/clock-guard.ts";
import type { ServerLimits } from "./config.ts";
import type { Directory } from "./directory/directory.ts";
import type { HistoryService } from "./histories/history-service.ts";
import type { InboxService } from "./inboxes/inbox-service.ts";
import type { LinkInboxes } from "./inboxes/link-inboxes.ts";
import type { LogService } from "./logs/log-service.ts";
import type { PassphraseService } from "./passphrases/passphrase-service.ts";
import type { HouseTurn } from "./start/house-turn.ts";
import type { Store } from "./store/store.ts";
import { dayOf } from "./days.ts";

/** Days that two clocks may be apart without one of them being wrong: an entry of a later day is of a wrong clock. */
const toleratedDays = 2;
const correctedAtOnce = 500;

/** What was removed, in numbers. */
export interface Removed {
  readonly entries: number;
  readonly items: number;
  readonly keyPackages: number;
  readonly files: number;
  /** Of history backups. */
  readonly chunks: number;
}

/** What has its time: entries, items, key packages and blobs; and what was given up. */
export interface HousekeepingParts {
  readonly store: Store;
  /** Says which of the nodes of a store removes from it what has expired. */
  readonly turn: Pick<HouseTurn, "take" | "giveBack">;
  readonly rules: Pick<Rules, "expire">;
  readonly logs: LogService;
  readonly inboxes: InboxService;
  readonly linkInboxes: LinkInboxes;
  readonly directory: Directory;
  readonly histories: Pick<HistoryService, "purge">;
  readonly blobs: BlobService;
  readonly uploads: Pick<UploadService, "expire">;
  readonly passphrases: Pick<PassphraseService, "forget">;
  readonly clock: ClockGuard;
  readonly recordClock: RecordClock;
  readonly clockFile: ClockFile;
  readonly limits: ServerLimits;
  readonly retentionDays: number;
}

/**
 * Removes what has expired, and overwrites it: what is this node's own, and what all nodes have where that is its turn. While the clock is
 * doubted nothing expires: what is removed is gone for good. @throws StoreError
 */
export async function keepHouse(parts: HousekeepingParts): Promise<Removed> {
  const { turn, blobs, uploads, clock } = parts;
  const removed = { entries: 0, items: 0, keyPackages: 0, files: 0, chunks: 0 };
  if (clock.doubt() === undefined) settleDoubt(parts);
  rememberTime(parts);
  if (clock.doubt() === undefined) removed.files = await uploads.expire();
  if (await turn.take()) {
    await keepStore(parts, removed);
    // Others may know what time it is.
    if (clock.doubt() !== undefined) await turn.giveBack();
  }
  // Last: it takes its time where there are large files.
  if (clock.doubt() === undefined) await blobs.forgetTimes();
  return removed;
}

/** What lies in the store, and the blobs that it names. */
async function keepStore(parts: HousekeepingParts, removed: { -readonly [Name in keyof Removed]: number }): Promise<void> {
  const { store, rules, logs, inboxes, linkInboxes, directory, blobs, passphrases, clock } = parts;
  if (clock.doubt() === undefined) await correctDays(parts);
  if (clock.doubt() === undefined) {
    await rules.expire();
    removed.entries = await logs.purge();
    removed.keyPackages = await directory.expireKeyPackages();
    await passphrases.forget();
    removed.items = (await inboxes.purge()) + (await linkInboxes.purge());
  }
  // Given up by whose they were, whatever time it is.
  removed.chunks = await parts.histories.purge();
  await store.scrub();
  // Where they lie may answer slowly: nothing else waits for it.
  if (clock.doubt() === undefined) {
    removed.files += await blobs.expire();
    await store.scrub();
  }
}

/** What came while the clock was doubted may have a day of before: it counts as of today, as what else has a day of the doubt. */
function settleDoubt({ clock, clockFile, limits, retentionDays }: HousekeepingParts): void {
  const today = dayOf(clock.nowMs());
  const oldestDay = today - Math.max(retentionDays, limits.unusedBlobDays);
  // An end that is still to come was reckoned by a clock that was wrong in spite of all.
  const known = clockFile.datedBack.map(({ fromDay, untilDay }) => ({ fromDay, untilDay: Math.min(untilDay, today) }));
  const isDoubted = clockFile.trial !== undefined;
  const fromDay = isDoubted && clockFile.recordedMs !== undefined ? dayOf(clockFile.recordedMs) : today;
  clockFile.settle(addDatedBack(known, { fromDay, untilDay: today }, oldestDay));
}

/** Tells the next run what this one knows of time. */
export function rememberTime({ clock, recordClock, clockFile }: Pick<HousekeepingParts, "clock" | "recordClock" | "clockFile">): void {
  const trial = clock.trial();
  const publicRecord = recordClock.recorded();
  if (trial !== undefined) clockFile.recordDoubt(trial, publicRecord);
  else if (clockFile.trial === undefined) clockFile.record(clock.nowMs(), publicRecord);
}

/** Days that a wrong clock of an earlier run left ahead must not keep others back from expiring. */
async function correctDays({ store, clock, limits }: HousekeepingParts): Promise<void> {
  for (;;) {
    const today = dayOf(clock.nowMs());
    const lastBlobDay = today + limits.unusedBlobDays + toleratedDays;
    const corrected = await store.correctDays({ today, lastDay: today + toleratedDays, lastBlobDay, maxItems: correctedAtOnce });
    if (corrected < correctedAtOnce) return;
  }
}
