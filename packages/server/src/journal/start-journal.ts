import type { Logger } from "pino";
import { readLastBackup } from "../backup/last-backup.ts";
import type { ServerOptions } from "../config.ts";
import type { HealthReason } from "../health.ts";
import type { DirectoryLogStore } from "../store/directory-store.ts";
import type { Journal } from "./journal.ts";
import type { JournalFailure } from "./journaled-store.ts";
import { goOnWithoutJournal, openJournaled } from "./open-journal.ts";

/** The public record as the server publishes it: through its journal, where it has one. */
export interface StartedJournal {
  readonly store: DirectoryLogStore;
  readonly journal: Journal | undefined;
  /** What is wrong with it, as `/healthz` says it. */
  reasons(): readonly HealthReason[];
  /** Entries that a backup must have, so that a restore can go on from it with the journal. */
  coveredSize(): number;
  /** Called every minute or so. @throws StoreError */
  tick(): Promise<void>;
  close(): Promise<void>;
}

const failureMessages: Readonly<Record<JournalFailure, string>> = {
  unwritable:
    "The journal of the public record cannot be written: nobody can register or change an account. Look at its disk, then at the log of the server.",
  gone: "The journal of the public record is not where it was: nobody can register or change an account. Mount its disk again, or begin a new one as the log of the server says.",
};
const lacksBackupMessage =
  "The journal of the public record begins after the last backup, which cannot be restored with it: make a backup now.";

/** Puts the journal of the options before the store, or goes on without one. @throws ServerError `journal_unusable` or `data_unusable`; StoreError */
export async function startJournal(params: {
  store: DirectoryLogStore;
  options: ServerOptions;
  host: string;
  log: Pick<Logger, "warn" | "error">;
}): Promise<StartedJournal> {
  const { store, options, host, log } = params;
  const isNewKnown = options.iKnow?.includes("new-journal") ?? false;
  if (options.journal === undefined) {
    await goOnWithoutJournal(store, isNewKnown);
    return {
      store,
      journal: undefined,
      reasons: () => [],
      coveredSize: () => 0,
      tick: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
  }
  const opened = await openJournaled({ store, folder: options.journal, host, isNewKnown, log });
  const lacksBackup = (): boolean => {
    const covered = opened.coveredSize();
    return covered > 0 && (readLastBackup(options.dataDirectory)?.recordSize ?? 0) < covered;
  };
  return {
    store: opened.store,
    journal: opened.journal,
    reasons() {
      const { failure } = opened.store;
      return [
        ...(failure === undefined ? [] : [{ code: "journal" as const, message: failureMessages[failure] }]),
        ...(lacksBackup() ? [{ code: "backup" as const, message: lacksBackupMessage }] : []),
      ];
    },
    coveredSize: opened.coveredSize,
    tick: () => opened.store.lookAfterJournal(),
    close: () => opened.journal.close(),
  };
}
