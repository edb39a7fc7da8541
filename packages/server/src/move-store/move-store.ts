import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { ServerError } from "../errors.ts";
import { replaceFile, syncFolderSync } from "../files.ts";
import type { DatabasePlace } from "../config.ts";
import { postgresOf } from "../start/open-store.ts";
import { noteElsewhere, noteHere } from "../start/elsewhere.ts";
import { PostgresDatabase, applicationName } from "../store/postgres/database.ts";
import { migrate } from "../store/postgres/migrate.ts";
import { accountsSteps } from "../store/postgres/schema-accounts.ts";
import { logsSteps } from "../store/postgres/schema-logs.ts";
import { checkSettings } from "../store/postgres/settings.ts";
import { databaseFiles, journalSuffix } from "../store/sqlite/database-files.ts";
import { Executor } from "../store/sqlite/executor.ts";
import { openDatabase, takeLock } from "../store/sqlite/open-database.ts";
import type { TableDigest } from "./digest.ts";
import { PostgresSide } from "./postgres-side.ts";
import { SqliteSide } from "./sqlite-side.ts";
import { movedTables, sizeOf } from "./tables.ts";
import type { MovedRow, MovedTable } from "./tables.ts";

/** Where a store is moved from and to. */
export interface MoveOptions {
  readonly dataDirectory: string;
  readonly database: DatabasePlace;
}

/** What was moved: rows of all tables, which were read once more on both sides and are the same. */
export interface MovedStore {
  readonly rows: number;
}

/** Rows and bytes that are written together. */
const rowsAtOnce = 500;
const bytesAtOnce = 2_097_152;
/** What these connections are called, so that those of servers can be told from them. */
const application = `${applicationName}-move`;
/** Where a database is made in the data folder before it is whole. */
const makingFolder = "moving";
/** Is beside it there once it is whole. */
const wholeFile = "whole";
/** What the files of a data folder are called that were moved to PostgreSQL. */
const movedSuffix = ".moved";

/**
 * Moves what a data folder's databases hold to PostgreSQL. The server must not run. Nothing in the folder changes before all is there and
 * was compared; then its databases are renamed, and stay until somebody removes them. One that broke off begins anew.
 * @throws ServerError with what to do; StoreError
 */
export async function moveToPostgres(options: MoveOptions): Promise<MovedStore> {
  const { dataDirectory } = options;
  return await withPostgres(options, async (target) => {
    // One that broke off at its end.
    if ((await target.moved()) === "coming") restoreNames(dataDirectory);
    if (!databaseFiles.every((file) => existsSync(join(dataDirectory, file))))
      throw new ServerError("invalid_options", `There are no databases of a server in ${dataDirectory}: say with --data where they are.`);
    // Brings them to the newest format, and the newest entries to the others.
    new Executor({ directory: dataDirectory }).close();
    const moved = await inFolder(dataDirectory, dataDirectory, async (source) => {
      const before = await target.moved();
      if ((before === undefined || before === "leaving") && !(await target.isEmpty()))
        throw new ServerError("invalid_options", "The database holds a server's data already: choose another one, or other schemas.");
      await target.clear();
      let rows = 0;
      for (const table of movedTables) {
        let part: MovedRow[] = [];
        let bytes = 0;
        for (const row of source.rows(table)) {
          part.push(row);
          bytes += sizeOf(row);
          if (part.length < rowsAtOnce && bytes < bytesAtOnce) continue;
          await target.write(table, part);
          [part, bytes] = [[], 0];
        }
        if (part.length > 0) await target.write(table, part);
        const [was, is] = [source.digest(table), await target.read(table, () => {})];
        if (was.hash !== is.hash) throw different(table.name);
        rows += is.rows;
      }
      return { rows };
    });
    // From here on no server uses either, until the last word is said.
    noteElsewhere(dataDirectory);
    for (const file of databaseFiles) renameDatabase(join(dataDirectory, file), join(dataDirectory, file + movedSuffix));
    await target.mark(undefined);
    return moved;
  });
}

/**
 * Moves what PostgreSQL holds to a data folder that has no databases. No server must run on it. The folder has them once all is there and was
 * compared; from then on no server uses what lies in PostgreSQL, until it is moved there again or removed.
 * @throws ServerError with what to do; StoreError
 */
export async function moveToFolder(options: MoveOptions): Promise<MovedStore> {
  const { dataDirectory } = options;
  const making = join(dataDirectory, makingFolder);
  return await withPostgres(options, async (source) => {
    const moved = await source.moved();
    // A whole one of which the database does not say so is older than what servers wrote there since.
    const whole = moved === "gone" ? readWhole(making) : undefined;
    if (whole !== undefined) return finishInFolder(dataDirectory, whole);
    if (databaseFiles.some((file) => existsSync(join(dataDirectory, file))))
      throw new ServerError("invalid_options", `The data folder ${dataDirectory} has databases already: move them elsewhere first.`);
    // One that broke off at its end begins anew: no server runs.
    if (moved === "leaving") await source.mark(undefined);
    else if (moved !== undefined)
      throw new ServerError("invalid_options", "What lies in the database was moved elsewhere, or never came there as a whole.");
    if (await source.isEmpty()) throw new ServerError("invalid_options", "There is nothing of a server in the database.");
    rmSync(making, { recursive: true, force: true });
    mkdirSync(making, { recursive: true, mode: 0o700 });
    const copied = await inFolder(dataDirectory, making, async (target) => {
      target.clear();
      const digests: (readonly [MovedTable, TableDigest])[] = [];
      for (const table of movedTables) digests.push([table, await source.read(table, (part) => target.write(table, part))]);
      // Where a log stands its entries say.
      for (const [table, was] of digests) if (was.hash !== target.digest(table).hash) throw different(table.name);
      return { rows: digests.reduce((sum, [, { rows }]) => sum + rows, 0) };
    });
    replaceFile(join(making, wholeFile), JSON.stringify(copied));
    // A server that comes from here on is refused; one that came since has written what the copy may lack.
    await source.mark("leaving");
    try {
      await source.refuseRunning();
    } catch (error) {
      await source.mark(undefined);
      throw error;
    }
    await source.mark("gone");
    return finishInFolder(dataDirectory, copied);
  });
}

/** All is there and was compared, and no server uses the database: from here on it can only be gone on with. */
function finishInFolder(dataDirectory: string, moved: MovedStore): MovedStore {
  const making = join(dataDirectory, makingFolder);
  for (const file of databaseFiles) renameDatabase(join(making, file), join(dataDirectory, file));
  noteHere(dataDirectory);
  rmSync(making, { recursive: true, force: true });
  return moved;
}

/** What a move that broke off had compared; `undefined` where none had. */
function readWhole(making: string): MovedStore | undefined {
  const path = join(making, wholeFile);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as MovedStore) : undefined;
}

function restoreNames(dataDirectory: string): void {
  for (const file of databaseFiles) {
    const [here, moved] = [join(dataDirectory, file), join(dataDirectory, file + movedSuffix)];
    if (!existsSync(here) && existsSync(moved)) renameDatabase(moved, here);
  }
}

function different(table: string): ServerError {
  return new ServerError(
    "data_unusable",
    `The table ${table} is not the same after it was moved: is a server running on it? Nothing was changed where it lay.`,
  );
}

async function withPostgres<T>({ database }: MoveOptions, work: (side: PostgresSide) => Promise<T>): Promise<T> {
  const { url, accountsUrl = url, schemas, acceptLoss } = postgresOf(database);
  const logs = await PostgresDatabase.open({ url, schema: schemas.logs, application });
  try {
    const accounts = await PostgresDatabase.open({ url: accountsUrl, schema: schemas.accounts, application });
    try {
      const side = new PostgresSide({ logs, accounts });
      for (const each of [logs, accounts]) await checkSettings(each, { acceptLoss });
      await side.refuseRunning();
      // What it did not know of a newer one would be left behind.
      await migrate(logs, logsSteps, { mayBeNewer: false });
      await migrate(accounts, accountsSteps, { mayBeNewer: false });
      return await work(side);
    } finally {
      await accounts.close();
    }
  } finally {
    await logs.close();
  }
}

/** Works on the databases of a folder, while no server can start on the data folder. */
async function inFolder<T>(dataDirectory: string, directory: string, work: (side: SqliteSide) => Promise<T>): Promise<T> {
  const lock = takeLock(dataDirectory);
  try {
    const logs = openDatabase("logs", { directory });
    const accounts = openDatabase("accounts", { directory });
    try {
      return await work(new SqliteSide({ logs: logs.database, accounts: accounts.database }));
    } finally {
      for (const opened of [logs, accounts]) {
        opened.emptyJournal();
        opened.database.close();
      }
    }
  } finally {
    lock.close();
  }
}

function renameDatabase(from: string, to: string): void {
  for (const suffix of [journalSuffix, "-shm", ""]) if (existsSync(from + suffix)) renameSync(from + suffix, to + suffix);
  syncFolderSync(dirname(to));
}
