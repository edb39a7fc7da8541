import type { BackupOptions, FoundBackup, MadeBackup } from "./backup.ts";
import { createBackup, dropOldBackups, findBackups } from "./backup.ts";

/** What of a place holds for a backup that is made there: where it goes is the place's. */
export type PlacedOptions = Omit<BackupOptions, "to">;

/**
 * Where backups go: a folder, or a bucket. What holds for one holds for the other; one suite of tests runs on both. What a bucket fails at is a
 * ServerError `bucket_failed`.
 */
export interface BackupPlace {
  /** For people: a path, or an address without anything secret. */
  readonly name: string;
  /** The finished backups there, of each server the oldest first; damaged and unfinished ones are passed over. @throws ServerError `backup_failed` */
  find(): Promise<FoundBackup[]>;
  /** Makes one. What is broken off is never found as one. @throws ServerError `backup_failed`, with the cause and what to do */
  make(options: PlacedOptions): Promise<MadeBackup>;
  /** As `dropOldBackups` says. @throws ServerError `backup_failed` */
  dropOld(made: FoundBackup, keep: number): Promise<{ readonly removed: number; readonly leastRecordSize: number }>;
  /**
   * Brings a backup to a folder, to be restored from; `near` is the folder that is to be made of it. Done with, `release` takes away what was
   * brought. @throws ServerError `restore_failed`
   */
  bring(backup: FoundBackup, near: string): Promise<{ readonly folder: string; release(): Promise<void> }>;
}

/** A folder, each backup a folder of its own in it. */
export function folderPlace(to: string): BackupPlace {
  return {
    name: to,
    find: () => findBackups(to),
    make: (options) => createBackup({ ...options, to }),
    dropOld: dropOldBackups,
    bring: ({ path }) => Promise.resolve({ folder: path, release: () => Promise.resolve() }),
  };
}
