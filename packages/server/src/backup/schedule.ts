import { toHex } from "@latchkey/codec";
import { decodeEntryBundle, leafHash } from "@latchkey/transparency";
import type { Logger } from "pino";
import type { BackupSchedule, ServerOptions } from "../config.ts";
import { ServerError } from "../errors.ts";
import type { StartedJournal } from "../journal/start-journal.ts";
import type { DirectoryLogStore } from "../store/directory-store.ts";
import { ofServer } from "./backup.ts";
import type { Manifest } from "./manifest.ts";
import { backupPlace } from "./open-place.ts";
import type { BackupPlace } from "./place.ts";

/** What a schedule takes from around it. */
export interface ScheduleParts {
  readonly dataDirectory: string;
  readonly nowMs: () => number;
  /** The hash of the first entry of the server's public record, as a manifest has it. */
  readonly recordFirst: () => Promise<string>;
  /** Entries of the public record that the newest backup must have: with fewer the next is due. */
  readonly neededSize: () => number;
  /** Runs something later; answers how to call it off. */
  readonly setTimer: (delayMs: number, run: () => void) => () => void;
  /** @param made with the entries of the public record that the oldest backup has which is kept */
  onDone(made: { readonly blobs: Manifest["blobs"]; readonly oldestRecordSize: number }): void;
  /** A line that says what to do. */
  onFailure(message: string): void;
  reportBug(error: unknown): void;
}

/** How soon one that failed is tried again, unless the next is due before. */
const retryMs = 3_600_000;
/** A server that has just started has other things to do. */
const firstDelayMs = 60_000;

/**
 * Makes backups of the data folder, the first when one is due, by the newest of the same server that lies in the place. Old ones go only once a newer one
 * is finished. Answers how to stop: one under way is broken off, and leaves nothing.
 */
export function scheduleBackups(
  schedule: Omit<BackupSchedule, "to"> & { readonly place: BackupPlace },
  parts: ScheduleParts,
): () => Promise<void> {
  const { dataDirectory, nowMs, setTimer, onDone, onFailure, reportBug } = parts;
  let cancel: (() => void) | undefined;
  const stop = new AbortController();
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    let delayMs = schedule.everyMs;
    try {
      // Of this server: those of others may lie in the same place, and its own in other places.
      const newest = ofServer(await schedule.place.find(), await parts.recordFirst()).at(-1)?.manifest;
      const isEnough = newest !== undefined && newest.record.size >= parts.neededSize();
      // One that is dated ahead of the clock is no reason to make none.
      const ageMs = isEnough ? nowMs() - newest.createdMs : Infinity;
      if (ageMs >= 0 && ageMs < schedule.everyMs) {
        delayMs = schedule.everyMs - ageMs;
      } else {
        const { place, passphrase } = schedule;
        const made = await place.make({ dataDirectory, passphrase, nowMs: nowMs(), signal: stop.signal });
        const { leastRecordSize } = await place.dropOld(made, schedule.keep);
        onDone({ blobs: made.manifest.blobs, oldestRecordSize: leastRecordSize });
      }
    } catch (error) {
      if (stop.signal.aborted) return;
      delayMs = Math.min(retryMs, schedule.everyMs);
      if (error instanceof ServerError) onFailure(error.message);
      else reportBug(error);
    }
    plan(delayMs);
  }

  function plan(delayMs: number): void {
    if (stop.signal.aborted) return;
    cancel = setTimer(Math.min(delayMs, 2 ** 31 - 1), () => {
      running = run();
    });
  }

  plan(firstDelayMs);
  return async () => {
    stop.abort();
    cancel?.();
    await running;
  };
}

/** Makes backups where the server's options ask for them, and says in its log what becomes of them. Answers how to stop. */
export function startBackups(
  { backups, dataDirectory }: ServerOptions,
  parts: Pick<ScheduleParts, "nowMs" | "setTimer" | "reportBug"> & {
    readonly log: Logger;
    /** What no backup needs any more goes from it. */
    readonly journal: Pick<StartedJournal, "journal" | "coveredSize">;
    readonly store: Pick<DirectoryLogStore, "entryTile">;
  },
): () => Promise<void> {
  if (backups === undefined) return async () => {};
  const { log, journal, store, ...rest } = parts;
  // A bucket that does not answer would hold up whoever stops the server.
  const stopping = new AbortController();
  const place = backupPlace(backups.to, backups.environment ?? {}, stopping.signal);
  const stop = scheduleBackups(
    { ...backups, place },
    {
      ...rest,
      dataDirectory,
      async recordFirst() {
        const bundle = await store.entryTile({ index: 0, width: 1 });
        const [first] = bundle === undefined ? [] : decodeEntryBundle(bundle, 1);
        return first === undefined ? "" : toHex(leafHash(first));
      },
      neededSize: () => journal.coveredSize(),
      onFailure: (message) => log.warn(message),
      onDone({ blobs, oldestRecordSize }) {
        journal.journal
          ?.prune(oldestRecordSize)
          .catch(() => log.warn("what no backup needs any more cannot be removed from the journal: look at its disk"));
        if (blobs.missing > 0)
          log.warn({ blobsMissing: blobs.missing }, "the backup lacks blobs that the data folder has not, or not whole: look at its disk");
        log.info(blobs.bucket === undefined ? "backup made" : "backup made; the blobs stay in their bucket and are not copied");
      },
    },
  );
  return () => {
    stopping.abort();
    return stop();
  };
}
