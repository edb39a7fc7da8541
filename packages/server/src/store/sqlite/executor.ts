import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ServerError } from "../../errors.ts";
import { AccountTables } from "./account-tables.ts";
import { ActiveLogs } from "./active-logs.ts";
import { AdminTables } from "./admin-tables.ts";
import { BlobTables } from "./blob-tables.ts";
import type { Batch, BatchResult, Call, CallName, CallOutcome, CallParams, CallResult, DatabaseOptions } from "./calls.ts";
import { ClockTables } from "./clock-tables.ts";
import { DirectoryTables } from "./directory-tables.ts";
import { InboxTables } from "./inbox-tables.ts";
import { LogHeadTables } from "./log-head-tables.ts";
import { LogTables } from "./log-tables.ts";
import { LookupTables } from "./lookup-tables.ts";
import { NodeTables } from "./node-tables.ts";
import { packResults, unpackAppends } from "./packing.ts";
import type { AppendResult } from "./packing.ts";
import { migrate } from "./schema.ts";
import { Statements } from "./statements.ts";
import { TreeTables } from "./tree-tables.ts";
import type { NewEntry } from "../store.ts";

/** Name of the database file in its directory. */
export const databaseFile = "latchkey.sqlite";
const lockFile = "lock.sqlite";

const sqliteBusy = 5;
const sqliteFull = 13;

/** Where a test makes the disk fail: each may throw. */
export interface Faults {
  /** Before the transaction is on disk. */
  beforeCommit?(): void;
  /** After it is on disk, before anybody is told. */
  afterCommit?(): void;
}

type Handlers = { readonly [Name in CallName]: (params: CallParams<Name>) => CallResult<Name> };

/**
 * The store's work, synchronous, on the thread that calls it: a batch is one transaction and one fsync. When a
 * transaction cannot be committed each of its operations is tried in one of its own, so that none fails for another's sake.
 */
export class Executor {
  readonly #database: DatabaseSync;
  readonly #lock: DatabaseSync;
  readonly #logs: LogTables;
  readonly #lookups: LookupTables;
  readonly #handlers: Handlers;
  readonly #faults: Faults;

  /** @throws ServerError when the directory is locked, newer or unusable. */
  constructor(options: DatabaseOptions, faults: Faults = {}) {
    this.#faults = faults;
    this.#lock = takeLock(options.directory);
    try {
      this.#database = openDatabase(options);
    } catch (error) {
      this.#lock.close();
      throw error;
    }
    const sql = new Statements(this.#database);
    const logs = new LogTables(this.#database, new ActiveLogs(sql));
    const inboxes = new InboxTables(this.#database);
    const admin = new AdminTables(sql);
    const accounts = new AccountTables(sql, admin);
    const blobs = new BlobTables(this.#database);
    const days = new ClockTables(this.#database);
    const nodes = new NodeTables(sql);
    const tree = new TreeTables(sql);
    const heads = new LogHeadTables({ sql, logs, tree });
    const directory = new DirectoryTables({ sql, accounts, nodes, tree, heads });
    const lookups = new LookupTables({ sql, nodes, tree });
    this.#logs = logs;
    this.#lookups = lookups;
    this.#handlers = {
      createLog: (params) => logs.createLog(params),
      readEpoch: (params) => logs.readEpoch(params),
      readEntries: (params) => logs.readEntries(params),
      purgeEntries: (params) => logs.purgeEntries(params),
      postItem: (params) => inboxes.postItem(params),
      readItems: (params) => inboxes.readItems(params),
      lastItem: (params) => inboxes.lastItem(params),
      setCapability: (params) => inboxes.setCapability(params),
      capabilityHash: (params) => inboxes.capabilityHash(params),
      eraseItems: (params) => inboxes.eraseItems(params),
      purgeItems: (params) => inboxes.purgeItems(params),
      accountHead: (params) => accounts.accountHead(params),
      isNameFree: (params) => accounts.isNameFree(params),
      putCard: (params) => accounts.putCard(params),
      inboxOf: (params) => accounts.inboxOf(params),
      addKeyPackages: (params) => accounts.addKeyPackages(params),
      countKeyPackages: (params) => accounts.countKeyPackages(params),
      takeKeyPackage: (params) => accounts.takeKeyPackage(params),
      expireKeyPackages: (params) => accounts.expireKeyPackages(params),
      card: (params) => accounts.card(params),
      holdings: (params) => {
        const held = accounts.holdings(params);
        if (held === undefined) return undefined;
        return {
          ...held,
          labels: lookups.holdings(
            params.accountId,
            held.usernames.map(({ username }) => username),
          ),
        };
      },
      directoryStatus: () => directory.status(),
      publishDirectory: (params) => {
        lookups.forget();
        const result = directory.publish(params);
        if (params.isServed && result.head !== undefined) lookups.keepConfigChange();
        return result;
      },
      collectHeads: (params) => heads.collect(params.maxItems),
      newestCheckpoint: () => tree.checkpoint(tree.size()),
      addCosignatures: (params) => {
        lookups.forget();
        tree.addCosignatures(params.size, params.cosignatures);
        lookups.keepConfigChange();
      },
      resignCheckpoint: (params) => {
        lookups.forget();
        tree.resign(params.signer);
      },
      serveHead: (params) => {
        lookups.forget();
        directory.serve(params.size);
        lookups.keepConfigChange();
      },
      servedCheckpoint: () => tree.checkpoint(tree.servedSize()),
      lookup: (params) => lookups.lookup(params),
      proveAbsence: (params) => lookups.proveAbsence(params.label, params.knownSize),
      proveAccounts: (params) => params.accountIds.map((accountId) => lookups.proveAccount(accountId)),
      proveLogHead: (params) => heads.prove(params.logId, lookups.served(), params.knownSize),
      proveConsistency: (params) => (params.to > tree.size() ? [] : [...tree.proveConsistency(params.from, params.to)]),
      hashTile: (params) => tree.hashTile(params),
      entryTile: (params) => tree.entryTile(params),
      transition: (params) => tree.transition(params.index),
      configChange: (params) => lookups.configChange(params.index),
      unlistedAccounts: (params) => directory.unlisted(params.maxItems),
      addBlob: (params) => blobs.addBlob(params),
      findBlob: (params) => blobs.findBlob(params),
      expireBlobs: (params) => blobs.expireBlobs(params),
      newestDay: () => days.newestDay(),
      correctDays: (params) => days.correctDays(params),
      ...admin.handlers(),
      totals: () => ({ accounts: admin.countAccounts(), ...blobs.totals() }),
      // Done after the transaction, below.
      scrub: () => {},
    };
  }

  execute(batch: Batch): BatchResult {
    const entries = batch.appends === undefined ? [] : unpackAppends(batch.appends);
    const result =
      this.#transact(entries, batch.calls) ??
      // Not committed: nothing of it is on disk.
      this.#oneByOne(entries, batch.calls);
    // Truncated, the journal holds nothing any more; a reader that keeps it back leaves it for the next time.
    if (batch.calls.some(({ name }) => name === "scrub")) this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    return { kind: "result", appends: batch.appends === undefined ? undefined : packResults(result.appends), calls: result.calls };
  }

  /** Truncates the write-ahead log and releases the directory. */
  close(): void {
    try {
      this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } finally {
      this.#database.close();
      this.#lock.close();
    }
  }

  /** One transaction, or `undefined` when it was rolled back. Where nobody knows whether it committed, everything has failed. */
  #transact(entries: readonly NewEntry[], calls: readonly Call[]): { appends: AppendResult[]; calls: CallOutcome[] } | undefined {
    const database = this.#database;
    let stage: "working" | "committing" | "committed" = "working";
    try {
      database.exec("BEGIN");
      const appends = entries.map((entry): AppendResult => this.#logs.append(entry));
      const outcomes = calls.map((call): CallOutcome => ({ kind: "done", value: this.#run(call) }));
      this.#faults.beforeCommit?.();
      stage = "committing";
      database.exec("COMMIT");
      stage = "committed";
      this.#faults.afterCommit?.();
      return { appends, calls: outcomes };
    } catch (error) {
      this.#logs.forget();
      this.#lookups.forget();
      const wasOpen = database.isTransaction;
      if (wasOpen) database.exec("ROLLBACK");
      // A full disk may have rolled back by itself; after any other failure of COMMIT nobody knows.
      const isUndone = stage === "working" || (stage === "committing" && (wasOpen || isFull(error)));
      if (isUndone && entries.length + calls.length > 1) return undefined;
      const failed = { kind: "failed", full: isUndone && isFull(error) } as const;
      return { appends: entries.map(() => failed), calls: calls.map(() => failed) };
    }
  }

  #oneByOne(entries: readonly NewEntry[], calls: readonly Call[]): { appends: AppendResult[]; calls: CallOutcome[] } {
    const appends = entries.map((entry) => this.#transact([entry], [])?.appends[0] ?? { kind: "failed" as const, full: false });
    const outcomes = calls.map((call) => this.#transact([], [call])?.calls[0] ?? { kind: "failed" as const, full: false });
    return { appends, calls: outcomes };
  }

  #run(call: Call): unknown {
    // Name and parameters of a Call belong together; TypeScript cannot follow that through the lookup.
    const handler = this.#handlers[call.name] as (params: unknown) => unknown;
    return handler(call.params);
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number" && (error.errcode & 0xff) === sqliteFull;
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number" && (error.errcode & 0xff) === sqliteBusy;
}

/** Holds an exclusive transaction on a file of its own: the system releases it however the process ends. */
function takeLock(directory: string): DatabaseSync {
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
    throw new ServerError("data_unusable", `The data directory ${directory} cannot be used: check that it exists and is writable.`, {
      cause,
    });
  }
}

function openDatabase(options: DatabaseOptions): DatabaseSync {
  const path = join(options.directory, databaseFile);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 5000 });
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536");
    database.exec("PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864; PRAGMA trusted_schema = OFF");
    migrate(database);
    if (options.maxPages !== undefined) database.exec(`PRAGMA max_page_count = ${Math.trunc(options.maxPages)}`);
    chmodSync(path, 0o600);
    return database;
  } catch (cause) {
    database?.close();
    if (cause instanceof ServerError) throw cause;
    throw new ServerError(
      "data_unusable",
      `The database in ${options.directory} cannot be opened: restore it from a backup, or choose another data directory.`,
      {
        cause,
      },
    );
  }
}
