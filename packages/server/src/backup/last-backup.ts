import { readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../files.ts";

/** In the data folder: when its last backup was made, and where. */
export const lastBackupFile = "last-backup.json";

/** A backup that was made. */
export interface LastBackup {
  /** In milliseconds since 1970, by the clock of whoever made it. */
  readonly timeMs: number;
  /** Its own folder. */
  readonly path: string;
  /** Entries of the public record in it. */
  readonly recordSize: number;
}

/** Says in the data folder that a backup was made: what looks after the server reads it. Not having it harms nobody. */
export function noteLastBackup(dataDirectory: string, last: LastBackup): void {
  try {
    replaceFile(join(dataDirectory, lastBackupFile), `${JSON.stringify(last)}\n`);
  } catch {
    // A data folder that another user owns: the backup is whole all the same.
  }
}

/** The last backup of a data folder; `undefined` where none was made, or nobody can tell. */
export function readLastBackup(dataDirectory: string): LastBackup | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(join(dataDirectory, lastBackupFile), "utf8"));
    if (typeof value !== "object" || value === null) return undefined;
    const [timeMs, path, recordSize]: unknown[] = [
      Reflect.get(value, "timeMs"),
      Reflect.get(value, "path"),
      Reflect.get(value, "recordSize"),
    ];
    if (typeof timeMs !== "number" || !Number.isFinite(timeMs) || typeof path !== "string") return undefined;
    return { timeMs, path, recordSize: typeof recordSize === "number" ? recordSize : 0 };
  } catch {
    return undefined;
  }
}
