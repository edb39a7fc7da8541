import { chmodSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ServerError } from "../../errors.ts";
import { diskFull, isOutOfRoom } from "../../storage/out-of-room.ts";
import type { DatabaseOptions } from "./calls.ts";
import { databaseFile, journalSuffix } from "./database-files.ts";
import type { DatabaseName } from "./database-files.ts";
import { accountsSchema, logsSchema, migrate } from "./schema.ts";

const lockFile = "lock.sqlite";
const sqliteBusy = 5;

/** How long a write waits for another program that writes to the file, milliseconds. */
const writeWaitMs = 5000;
/** Pages of 4 KiB that each database keeps in memory; that of the logs is on the path of every message. */
const cachedKiB: Readonly<Record<DatabaseName, number>> = { accounts: 16_384, logs: 49_152 };
/** Free pages that a database keeps for what comes next: so many, or this part of it. */
const keptFreePages = 2048;
const keptFreePart = 8;

/** A database of the data folder, and its journal. */
export interface OpenDatabase {
  readonly database: DatabaseSync;
  /** Whether the write-ahead log holds anything but noise. */
  hasJournal(): boolean;
  /**
   * Writes the journal into the database and empties it, unless somebody reads an older state of it: then it is tried again later, and
   * nobody waits. Answers whether it is empty.
   */
  emptyJournal(): boolean;
  /** Gives free pages back to the file system, at most so many. Answers how many. */
  shrink(maxPages: number): number;
}

/** Opens one of the two, and brings it to the newest version. @throws ServerError `data_newer`, `data_unusable` or `disk_full` */
export function openDatabase(name: DatabaseName, options: DatabaseOptions): OpenDatabase {
  const path = join(options.directory, databaseFile[name]);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: writeWaitMs });
    // Before the first table: it stays with the file.
    database.exec("PRAGMA auto_vacuum = INCREMENTAL");
    database.exec("PRAGMA journal_mode = WAL");
    database.exec(
      `PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -${cachedKiB[name]}`,
    );
    // Few pages at a time: whoever comes meanwhile waits for them.
    database.exec("PRAGMA wal_autocheckpoint = 2000; PRAGMA journal_size_limit = 67108864; PRAGMA trusted_schema = OFF");
    migrate(database, name === "logs" ? logsSchema : accountsSchema);
    if (options.maxPages !== undefined) database.exec(`PRAGMA max_page_count = ${Math.trunc(options.maxPages)}`);
    chmodSync(path, 0o600);
    return withJournal(database, `${path}${journalSuffix}`);
  } catch (cause) {
    database?.close();
    if (cause instanceof ServerError) throw cause;
    if (isOutOfRoom(cause)) throw diskFull(options.directory, cause);
    throw new ServerError(
      "data_unusable",
      `The database ${databaseFile[name]} in ${options.directory} cannot be opened: restore it from a backup, or choose another data directory.`,
      { cause },
    );
  }
}

function withJournal(database: DatabaseSync, journal: string): OpenDatabase {
  const number = (pragma: string): number => Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0]);
  const size = (): number => statSync(journal, { throwIfNoEntry: false })?.size ?? 0;
  let noiseBytes = 0;
  return {
    database,
    hasJournal: () => size() > noiseBytes,
    emptyJournal() {
      database.exec("PRAGMA busy_timeout = 0");
      try {
        if (number("wal_checkpoint(TRUNCATE)") !== 0) return false;
        // The journal's index still lists the pages in the order of writing: the first write after overwrites it.
        database.exec("UPDATE noise SET filler = randomblob(16)");
        noiseBytes = size();
        return true;
      } finally {
        database.exec(`PRAGMA busy_timeout = ${writeWaitMs}`);
      }
    },
    shrink(maxPages) {
      const [free, all] = [number("freelist_count"), number("page_count")];
      const surplus = free - Math.max(keptFreePages, Math.floor(all / keptFreePart));
      if (surplus <= 0) return 0;
      database.exec(`PRAGMA incremental_vacuum(${Math.min(surplus, maxPages)})`);
      return all - number("page_count");
    },
  };
}

/**
 * Holds an exclusive transaction on a file of its own: the system releases it however the process ends.
 * @throws ServerError `data_locked` or `data_unusable`
 */
export function takeLock(directory: string): DatabaseSync {
  let lock: DatabaseSync | undefined;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    lock = new DatabaseSync(join(directory, lockFile), { timeout: 0 });
    lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return lock;
  } catch (cause) {
    lock?.close();
    if (isBusy(cause)) {
      throw new ServerError("data_locked", `Another Latchkey server uses ${directory}: stop it, or choose another data directory.`, {
        cause,
      });
    }
    if (isOutOfRoom(cause)) throw diskFull(directory, cause);
    throw new ServerError("data_unusable", `The data directory ${directory} cannot be used: check that it exists and is writable.`, {
      cause,
    });
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number" && (error.errcode & 0xff) === sqliteBusy;
}
