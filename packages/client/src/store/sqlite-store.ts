import { chmodSync, closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { StatementSync } from "node:sqlite";
import { ClientError } from "../errors.ts";
import { createMutex } from "./mutex.ts";
import { checkKey, checkRange, prefixEnd, upTo } from "./overlay.ts";
import type { ScanRange, Store, StoreTransaction } from "./store.ts";

/** "LKst": tells our files from other SQLite databases. */
const applicationId = 0x4c4b7374;
const schemaVersion = 1;
/** How long opening waits for another process to let go. */
const lockTimeoutMs = 1500;
/**
 * What was replaced or erased, keys of messages among it, stays in the write-ahead log until that is emptied: when a transaction says so, so
 * long after the first that does not, after so many write transactions, and on closing.
 */
const [emptiedAfterMs, checkpointEvery] = [1000, 256];

const schema = `
  CREATE TABLE records (key TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${schemaVersion};
`;

/** A transaction that runs, or ran. */
interface Running {
  open: boolean;
  isErasing: boolean;
  readonly followers: (() => void)[];
}

/**
 * A store in one SQLite file, created with access for its owner only. Durable on commit (write-ahead log, synchronous FULL);
 * deleted bytes are overwritten. The process holds the file alone until `close`.
 * @throws ClientError `storage_in_use` when another process has it, `storage_newer`, `storage_denied`
 */
export function openSqliteStore(path: string): Store {
  const database = openDatabase(path);
  const statements = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    const known = statements.get(sql) ?? database.prepare(sql);
    statements.set(sql, known);
    return known;
  };
  const mutex = createMutex();
  let closed = false;
  let writes = 0;
  let timer: NodeJS.Timeout | undefined;

  /** What was committed is kept whether or not that can be done; the next write tries again. */
  const emptyLog = (): void => {
    clearTimeout(timer);
    timer = undefined;
    writes = checkpointEvery;
    try {
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      return;
    }
    writes = 0;
  };
  const emptyLogLater = (): void => {
    timer ??= setTimeout(() => void mutex.run(() => closed || emptyLog()), emptiedAfterMs).unref();
  };

  const transaction = (mode: "read" | "write", state: Running): StoreTransaction => {
    const check = (writing: boolean): void => {
      if (!state.open) throw new TypeError("the transaction is over");
      if (writing && mode === "read") throw new TypeError("a read transaction writes nothing");
    };
    return {
      async get(key) {
        check(false);
        checkKey(key);
        const value = prepare("SELECT value FROM records WHERE key = ?").get(key)?.["value"];
        return value instanceof Uint8Array ? value : undefined;
      },
      put(key, value) {
        check(true);
        checkKey(key);
        prepare("INSERT INTO records (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value").run(key, value);
      },
      delete(key) {
        check(true);
        checkKey(key);
        prepare("DELETE FROM records WHERE key = ?").run(key);
      },
      eraseTraces() {
        check(true);
        state.isErasing = true;
      },
      async scan(range) {
        check(false);
        checkRange(range, mode);
        return scan(prepare, range);
      },
      afterCommit(follow) {
        check(false);
        state.followers.push(follow);
      },
    };
  };

  return {
    transact: (mode, run) =>
      mutex.run(async () => {
        if (closed) throw new ClientError("closed", "The store is closed.");
        const state: Running = { open: true, isErasing: false, followers: [] };
        try {
          database.exec("BEGIN");
          const result = await run(transaction(mode, state));
          database.exec("COMMIT");
          for (const follow of state.followers) follow();
          if (mode === "write") writes += 1;
          if (state.isErasing || writes >= checkpointEvery) emptyLog();
          else if (mode === "write") emptyLogLater();
          return result;
        } catch (error) {
          if (database.isTransaction) database.exec("ROLLBACK");
          // What the log took is room for the next one.
          if (isFull(error)) emptyLog();
          throw storageError(error);
        } finally {
          state.open = false;
        }
      }),
    async close() {
      await mutex.idle();
      if (closed) return;
      closed = true;
      emptyLog();
      database.close();
    },
  };
}

function scan(prepare: (sql: string) => StatementSync, range: ScanRange): [string, Uint8Array][] {
  const conditions: string[] = [];
  const values: (string | number)[] = [];
  const add = (condition: string, value: string | undefined): void => {
    if (value === undefined) return;
    conditions.push(condition);
    values.push(value);
  };
  add("key >= ?", range.prefix === "" ? undefined : range.prefix);
  add("key < ?", prefixEnd(range.prefix));
  add("key > ?", range.after);
  add("key < ?", range.before);
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  const order = range.reverse === true ? "DESC" : "ASC";
  const rows = prepare(`SELECT key, value FROM records${where} ORDER BY key ${order} LIMIT ?`).iterate(...values, range.limit ?? -1);
  return [...upTo(range, entriesOf(rows))];
}

function* entriesOf(rows: Iterable<Record<string, unknown>>): Generator<[string, Uint8Array]> {
  for (const { key, value } of rows) {
    // The table is STRICT: key is TEXT, value a BLOB.
    if (typeof key !== "string" || !(value instanceof Uint8Array)) throw new TypeError("a row of another type");
    yield [key, value];
  }
}

function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    closeSync(openSync(path, "a", 0o600));
    chmodSync(path, 0o600);
    database = new DatabaseSync(path, { timeout: lockTimeoutMs, allowExtension: false });
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON");
    database.exec("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; BEGIN IMMEDIATE");
    const version = database.prepare("PRAGMA user_version").get()?.["user_version"];
    const application = database.prepare("PRAGMA application_id").get()?.["application_id"];
    if (version === 0 && application === 0) database.exec(schema);
    else if (application !== applicationId) throw new ClientError("storage_denied", "The profile's file is not one of this program.");
    else if (typeof version !== "number" || version > schemaVersion) {
      throw new ClientError("storage_newer", "This profile was written by a newer version of the program. Use that one.");
    }
    database.exec("COMMIT");
    return database;
  } catch (error) {
    database?.close();
    throw storageError(error);
  }
}

function codeOf(error: unknown): number {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number" ? error.errcode & 0xff : 0;
}

function isFull(error: unknown): boolean {
  return codeOf(error) === 13;
}

/** SQLite's result codes: busy 5, locked 6, no memory 7, read-only 8, I/O 10, corrupt 11, full 13, cannot open 14, no database 26. */
function storageError(error: unknown): unknown {
  if (error instanceof ClientError || !(error instanceof Error) || !("code" in error)) return error;
  const code = codeOf(error);
  if (code === 5 || code === 6) {
    return new ClientError("storage_in_use", "Another process has this profile open. Close it first.", { cause: error });
  }
  if (isFull(error))
    return new ClientError("storage_denied", "There is no space left on this disk. Nothing was lost.", { cause: error, canRetry: true });
  if (code === 11 || code === 26) return new ClientError("storage_denied", "The profile's file is damaged.", { cause: error });
  const fileSystemCodes: unknown[] = ["EACCES", "EPERM", "EROFS", "ENOENT", "ENOTDIR", "ENOSPC", "EISDIR"];
  if (code === 8 || code === 10 || code === 14 || fileSystemCodes.includes(error.code)) {
    return new ClientError("storage_denied", "The profile cannot be written here.", { cause: error });
  }
  return error.code === "ERR_SQLITE_ERROR" ? new ClientError("storage_denied", "The profile cannot be used now.", { cause: error }) : error;
}
