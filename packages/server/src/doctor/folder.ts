import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { readLastBackup } from "../backup/last-backup.ts";
import { readClockFile } from "../clock/clock-file.ts";
import { liesElsewhere } from "../start/elsewhere.ts";
import { diskSpaceOf } from "../storage/disk-space.ts";
import { databaseFile, journalSuffix } from "../store/sqlite/database-files.ts";
import { accountsSchema, logsSchema } from "../store/sqlite/schema.ts";

/** A database as it lies there, while no server has it open. */
export interface DatabaseFacts {
  readonly name: string;
  /** "unreadable" where SQLite does not open it. */
  readonly state: "missing" | "unreadable" | "readable";
  /** Its format, 0 where it is not read. */
  readonly version: number;
  /** The newest format that this program knows. */
  readonly newestVersion: number;
}

/** A key of the public log. */
export interface KeyFacts {
  readonly name: string;
  readonly state: "missing" | "damaged" | "there";
  /** Whether others than the server's user may read it. */
  readonly isOpen: boolean;
}

/** What lies in a data folder. Times in milliseconds since 1970. */
export interface FolderFacts {
  readonly path: string;
  readonly exists: boolean;
  readonly freeBytes: number;
  readonly diskBytes: number;
  /** Whether a server holds the folder. */
  readonly isHeld: boolean;
  readonly databases: readonly DatabaseFacts[];
  /** Whether the folder says that they lie in a PostgreSQL. */
  readonly isElsewhere: boolean;
  readonly keys: readonly KeyFacts[];
  /** The last day on which a server believed its clock. */
  readonly lastRunMs: number | undefined;
  readonly lastBackup: { readonly timeMs: number; readonly path: string } | undefined;
}

const databases = [
  { name: databaseFile.accounts, newestVersion: accountsSchema.steps.length },
  { name: databaseFile.logs, newestVersion: logsSchema.steps.length },
] as const;
const keyFiles = ["log.key", "vrf.key"];
const keyBytes = 32;

/** Reads what lies in a data folder. @param isRunning whether a server runs on it: its databases are then its own business */
export async function readFolder(path: string, { isRunning }: { isRunning: boolean }): Promise<FolderFacts> {
  const exists = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const isElsewhere = liesElsewhere(path);
  const disk = exists ? await diskSpaceOf(path) : undefined;
  return {
    path,
    exists,
    freeBytes: disk?.freeBytes ?? 0,
    diskBytes: disk?.totalBytes ?? 0,
    isHeld: isRunning || (exists && isLocked(join(path, "lock.sqlite"))),
    isElsewhere,
    databases: isRunning || !exists || isElsewhere ? [] : databases.map((known) => readDatabase(path, known)),
    keys: exists ? keyFiles.map((name) => readKey(join(path, "directory", name), name)) : [],
    lastRunMs: readClockFile(path),
    lastBackup: readLastBackup(path),
  };
}

function isLocked(path: string): boolean {
  if (!existsSync(path)) return false;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec("BEGIN EXCLUSIVE; ROLLBACK");
    return false;
  } catch {
    return true;
  } finally {
    database?.close();
  }
}

function readDatabase(folder: string, { name, newestVersion }: { name: string; newestVersion: number }): DatabaseFacts {
  const path = join(folder, name);
  if (!existsSync(path)) return { name, state: "missing", version: 0, newestVersion };
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(hasJournal(path) ? path : immutable(path), { readOnly: true, timeout: 1000 });
    database.prepare("SELECT count(*) FROM sqlite_schema").get();
    const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
    return { name, state: "readable", version, newestVersion };
  } catch {
    return { name, state: "unreadable", version: 0, newestVersion };
  } finally {
    database?.close();
  }
}

/** Whether the last server that had it open did not come to close it. */
function hasJournal(path: string): boolean {
  return (statSync(`${path}${journalSuffix}`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** A database that is whole without a journal is read as it is: otherwise SQLite would leave an empty journal beside it. */
function immutable(path: string): URL {
  const url = pathToFileURL(path);
  url.searchParams.set("immutable", "1");
  return url;
}

function readKey(path: string, name: string): KeyFacts {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return { name, state: "missing", isOpen: false };
  const isOpen = process.platform !== "win32" && (stat.mode & 0o077) !== 0;
  return { name, state: stat.isFile() && stat.size === keyBytes ? "there" : "damaged", isOpen };
}
