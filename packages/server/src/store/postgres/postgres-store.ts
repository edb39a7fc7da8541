import { StoreError, StoreFault } from "../../errors.ts";
import { CalledStore } from "../called-store.ts";
import type { CallName, CallParams, CallResult } from "../called-store.ts";
import { faultOf } from "../sqlite/fault.ts";
import { SharedTables, onLogs } from "../sql/operations.ts";
import type { SharedName } from "../sql/operations.ts";
import type { Steps } from "../sql/steps.ts";
import type { AppendAccepted, AppendRefusal, KnownEnd, NewEntry, PageLimits, Store, StoredEntry } from "../store.ts";
import type { Refused } from "../accounts.ts";
import { StoreLoad } from "../store-load.ts";
import type { StoreSize } from "../store-load.ts";
import { appendBatch } from "./append-entries.ts";
import { DatabaseWatch } from "./database-watch.ts";
import type { DatabaseWork } from "./database-watch.ts";
import { PostgresDatabase, planForEach } from "./database.ts";
import { grownEnds } from "./grown-ends.ts";
import { LeaseTables } from "./lease-tables.ts";
import { PostgresLogHeads } from "./log-heads.ts";
import { createLog, readEntriesOfLogs, readEpoch } from "./log-tables.ts";
import { migrate, refuseNewerMeanwhile, serverName } from "./migrate.ts";
import { refuseMoved, refuseMovedMeanwhile } from "./moved.ts";
import { NodeCache, NodeTables } from "./node-tables.ts";
import { correctLogDays, purgeEntries } from "./purge-entries.ts";
import { accountsSteps } from "./schema-accounts.ts";
import { logsSteps } from "./schema-logs.ts";
import { checkSettings } from "./settings.ts";
import { PostgresSql, take } from "./statements.ts";
import type { DatabaseName } from "./statements.ts";
import type { PostgresTransaction } from "./transaction.ts";
import { WriteQueue } from "./write-queue.ts";
import type { Write, WriteWatch } from "./write-queue.ts";

/** Where the store lies. */
export interface PostgresOptions {
  /** `postgresql://user:password@host:port/database`: a secret. */
  readonly url: string;
  /** That of what is known of accounts, where it is another one. */
  readonly accountsUrl?: string;
  /** What is known of logs and what is known of accounts, which nothing joins. */
  readonly schemas: Readonly<Record<DatabaseName, string>>;
  /** Whether what came last may be lost with the machine: there need be no standby. */
  readonly acceptLoss: boolean;
}

/** What only looks, all of it as of one moment. */
const snapshots: ReadonlySet<CallName> = new Set<CallName>([
  "readItems",
  "readKnocks",
  "accountHead",
  "countKeyPackages",
  "card",
  "holdings",
  "heldStates",
  "historyManifest",
  "historyChunk",
  "passphraseStatus",
  "directoryStatus",
  "newestCheckpoint",
  "servedCheckpoint",
  "lookup",
  "lookupOperator",
  "newestOperatorValue",
  "proveAbsence",
  "proveAccounts",
  "proveLogHead",
  "proveConsistency",
  "rules",
  "totals",
  "areLogsBehind",
]);

/** What looks by one statement. */
const glances: ReadonlySet<CallName> = new Set<CallName>([
  "lastItem",
  "capabilityHash",
  "linkInbox",
  "isNameFree",
  "inboxOf",
  "heldChunks",
  "hashTile",
  "entryTile",
  "transition",
  "configChange",
  "unjournaled",
  "journalNote",
  "findBlob",
  "listBlobs",
  "blobTotals",
  "findUpload",
  "overUploads",
  "uploadTotals",
  "isInvited",
  "listInvitations",
  "accountOfName",
  "listAccounts",
]);

/** Tables of which much is erased before a day is over. */
const erasedFrom: readonly string[] = ["inbox_items", "knocks"];
/** How often the large ones of them are written anew: all writes wait for that. */
const rewriteMs = 86_400_000;

/** It goes to the write-ahead log, and to the standby, and nowhere else. */
const nextToNothing = "SELECT pg_logical_emit_message(true, 'latchkey', '')";
/** Tables with what belongs to each. */
const sizeQuery =
  "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint AS bytes FROM pg_class WHERE relkind = 'r' AND relnamespace = to_regnamespace($1)";

interface Sized {
  readonly bytes: number | bigint;
}

/** What looks at what is known of logs. */
const ofLogs: ReadonlySet<CallName> = new Set<CallName>([...onLogs, "readEpoch", "readEntries"]);

/** A write to what is known of accounts. */
interface AccountsWrite extends Write {
  readonly work: (shared: SharedTables) => Steps<unknown>;
}

/** A write to what is known of logs: an entry, or something else. */
interface LogsWrite extends Write {
  readonly entry?: NewEntry;
  readonly work?: (tx: PostgresTransaction) => Promise<unknown>;
}

/**
 * Opens the store in two schemas, which are made where they are missing.
 * @throws ServerError `invalid_options`, `database_failed`, `data_newer` or `data_unusable`
 */
export async function openPostgresStore(options: PostgresOptions, load: StoreLoad = new StoreLoad()): Promise<Store> {
  const { url, accountsUrl = url, schemas, acceptLoss } = options;
  const opened: PostgresDatabase[] = [];
  try {
    opened.push(await PostgresDatabase.open({ url, schema: schemas.logs, application: serverName(logsSteps) }));
    opened.push(await PostgresDatabase.open({ url: accountsUrl, schema: schemas.accounts, application: serverName(accountsSteps) }));
    const [logs, accounts] = opened as [PostgresDatabase, PostgresDatabase];
    for (const database of opened) await checkSettings(database, { acceptLoss });
    await migrate(logs, logsSteps, { mayBeNewer: true });
    await migrate(accounts, accountsSteps, { mayBeNewer: true });
    await refuseMoved(accounts);
    accounts.admit = async (connection) => {
      await refuseNewerMeanwhile(connection, accountsSteps);
      await refuseMovedMeanwhile(connection);
    };
    logs.admit = async (connection) => {
      await refuseNewerMeanwhile(connection, logsSteps);
      await refuseMovedMeanwhile(accounts);
    };
    return new PostgresStore({ logs, accounts }, load);
  } catch (error) {
    for (const database of opened) await database.close();
    throw error;
  }
}

/** Several processes may have the same one open: the writes of all of them to one of its schemas are serial. */
class PostgresStore extends CalledStore implements Store {
  /** Never: a database that is away comes back. */
  readonly failed: Promise<Error> = new Promise(() => {});
  readonly #databases: Readonly<Record<DatabaseName, PostgresDatabase>>;
  readonly #nodes = new NodeCache();
  readonly #logsWrites: WriteQueue<LogsWrite>;
  readonly #accountsWrites: WriteQueue<AccountsWrite>;
  readonly #load: StoreLoad;
  readonly #watch: DatabaseWatch;
  readonly #reads = new Set<Promise<unknown>>();
  /** When all tables were written anew last, the large ones too. */
  #rewrittenAtMs = Number.NEGATIVE_INFINITY;
  #closing: Promise<void> | undefined;

  constructor(databases: Readonly<Record<DatabaseName, PostgresDatabase>>, load: StoreLoad) {
    super();
    this.#databases = databases;
    this.#load = load;
    const watchOf = (database: DatabaseName): WriteWatch => ({
      onBatch: (seconds) => load.onBatch(seconds),
      onDone: (name, value) => this.#onDone(`${database}.write`, { name, value }),
      onFailed: (name, error) => this.#onFailed(`${database}.write`, { name, error }),
    });
    this.#logsWrites = new WriteQueue((take) => this.#writeLogs(take), watchOf("logs"));
    this.#accountsWrites = new WriteQueue((take) => this.#writeAccounts(take), watchOf("accounts"));
    const { logs, accounts } = databases;
    this.#watch = new DatabaseWatch(
      {
        "logs.read": () => logs.query("SELECT 1"),
        "logs.write": () => logs.write((tx) => tx.query(nextToNothing)),
        "accounts.read": () => accounts.query("SELECT 1"),
        "accounts.write": () => accounts.write((tx) => tx.query(nextToNothing)),
      },
      load,
    );
    load.size = () => this.#size();
    load.waiting = () => this.#logsWrites.length + this.#accountsWrites.length;
  }

  async append(entry: NewEntry): Promise<AppendAccepted | Refused<AppendRefusal>> {
    this.#requireOpen();
    // What an append comes to is what the batch says of it.
    return (await this.#logsWrites.add({ name: "append", sizeBytes: entry.blob.length, entry })) as AppendAccepted | Refused<AppendRefusal>;
  }

  override async readEntriesOfLogs(params: { logs: readonly KnownEnd[] } & PageLimits): Promise<StoredEntry[][]> {
    this.#requireOpen();
    return (await this.#looking("readEntries", () => readEntriesOfLogs(this.#databases.logs, params))) as StoredEntry[][]; // It is what was read.
  }

  /** Erased bytes leave the tables' files; the write-ahead log has them until it is used again, and a backup of it as long as it is kept. */
  async scrub(): Promise<void> {
    this.#requireOpen();
    const isDue = performance.now() - this.#rewrittenAtMs >= rewriteMs;
    // Where it fails, too: it may have had others wait for as long as they may.
    if (isDue) this.#rewrittenAtMs = performance.now();
    let isDone = true;
    for (const table of erasedFrom) isDone = (await this.#databases.accounts.rewrite(table, { onlySmall: !isDue })) && isDone;
    if (isDue && !isDone) this.#rewrittenAtMs = Number.NEGATIVE_INFINITY;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#watch.close();
    await Promise.all([this.#logsWrites.settled(), this.#accountsWrites.settled(), Promise.allSettled(this.#reads)]);
    for (const database of Object.values(this.#databases)) await database.close();
  }

  protected override async call<Name extends CallName>(name: Name, params: CallParams<Name>): Promise<CallResult<Name>> {
    this.#requireOpen();
    // Name, parameters and result of a call belong together; TypeScript cannot follow that through the lookups.
    return (await this.#called(name, params)) as CallResult<Name>;
  }

  #called(name: CallName, given: unknown): Promise<unknown> {
    // As above.
    const params = given as never;
    switch (name) {
      case "createLog":
        return this.#changeLogs(name, (tx) => createLog(tx, params));
      case "purgeEntries":
        return this.#changeLogs(name, (tx) => purgeEntries(tx, params));
      case "readEpoch":
        return this.#looking(name, async () => {
          await this.#logsWrites.settled();
          return await readEpoch(this.#databases.logs, params);
        });
      case "readEntries":
        return this.#looking(name, () => this.#readEntries(params));
      case "grownLogs":
        return this.#looking(name, () => grownEnds(this.#databases.logs, "logs", params));
      case "grownAccounts":
        return this.#looking(name, () => grownEnds(this.#databases.accounts, "accounts", params));
      case "grownInboxes":
        return this.#looking(name, () => grownEnds(this.#databases.accounts, "inboxes", params));
      case "newestDay":
        return this.#looking(name, () => this.#newestDay());
      case "correctDays":
        return this.#correctDays(params);
      default:
        return this.#shared(name, params);
    }
  }

  #shared(name: SharedName, params: never): Promise<unknown> {
    const work = (shared: SharedTables): Steps<unknown> => (shared.operations[name] as (given: never) => Steps<unknown>)(params);
    if (glances.has(name)) return this.#looking(name, () => take(work(this.#tables()), this.#databases));
    if (snapshots.has(name))
      return this.#looking(name, () =>
        this.#databases.accounts.read((tx) => take(work(this.#tables()), { ...this.#databases, accounts: tx })),
      );
    if (onLogs.has(name)) return this.#changeLogs(name, (tx) => take(work(this.#tables()), { ...this.#databases, logs: tx }));
    return this.#accountsWrites.add({ name, sizeBytes: sizeOf(params), work });
  }

  #changeLogs(name: string, work: (tx: PostgresTransaction) => Promise<unknown>): Promise<unknown> {
    return this.#logsWrites.add({ name, sizeBytes: 0, work });
  }

  async #writeLogs(taken: () => readonly LogsWrite[]): Promise<readonly unknown[]> {
    const run = async (tx: PostgresTransaction): Promise<readonly unknown[]> => {
      const values: unknown[] = [];
      let entries: NewEntry[] = [];
      let plansEach = false;
      const append = async (): Promise<void> => {
        if (entries.length > 0) values.push(...(await appendBatch(tx, entries)));
        entries = [];
      };
      // Entries that follow each other go together.
      for (const { entry, work } of taken()) {
        if (entry !== undefined) entries.push(entry);
        if (work === undefined) continue;
        await append();
        if (!plansEach) await tx.query(planForEach);
        plansEach = true;
        values.push(await work(tx));
      }
      await append();
      return values;
    };
    // Entries are nearly all there is.
    return await this.#databases.logs.write(run, { keepsPlans: true });
  }

  async #writeAccounts(taken: () => readonly AccountsWrite[]): Promise<readonly unknown[]> {
    let shared = this.#tables();
    const values = await this.#databases.accounts.write(async (tx) => {
      // It may be done again from the beginning.
      shared = this.#tables();
      const done: unknown[] = [];
      for (const { work } of taken()) done.push(await take(work(shared), { ...this.#databases, accounts: tx }));
      return done;
    });
    if (shared.heads.isUnsettled) await this.#settleHeads(shared);
    return values;
  }

  async #settleHeads({ heads }: SharedTables): Promise<void> {
    try {
      await this.#databases.logs.write((tx) => take(heads.settle(), { ...this.#databases, logs: tx }));
    } catch (error) {
      // What is published stays so, and is published once more.
      if (!(error instanceof StoreError)) throw error;
    }
  }

  async #readEntries({ logId, afterSeq, ...limits }: CallParams<"readEntries">): Promise<StoredEntry[]> {
    const [entries = []] = await readEntriesOfLogs(this.#databases.logs, { logs: [{ id: logId, lastSeq: afterSeq }], ...limits });
    return entries;
  }

  async #newestDay(): Promise<number> {
    const { newestDays } = this.#tables();
    const logs = await take(newestDays.logs.read(), this.#databases);
    return Math.max(logs, await take(newestDays.accounts.read(), this.#databases));
  }

  async #correctDays(params: CallParams<"correctDays">): Promise<number> {
    const { maxItems } = params;
    const items = (await this.#accountsWrites.add({
      name: "correctDays",
      sizeBytes: 0,
      *work({ newestDays, inboxes }) {
        yield* newestDays.accounts.correct(params);
        return yield* inboxes.correctDays(params);
      },
    })) as number;
    const entries = await this.#changeLogs("correctDays", (tx) =>
      correctLogDays(tx, { ...params, maxItems: Math.max(0, maxItems - items) }),
    );
    return items + (entries as number);
  }

  /** Tables of their own for each transaction: what they remember is of it alone. */
  #tables(): SharedTables {
    const [sql, sqlOfLogs] = [new PostgresSql("accounts"), new PostgresSql("logs")];
    return new SharedTables({
      sql,
      sqlOfLogs,
      nodes: new NodeTables(sql, this.#nodes),
      logs: new PostgresLogHeads(sqlOfLogs),
      leases: new LeaseTables(sql),
    });
  }

  async #looking(name: CallName, look: () => Promise<unknown>): Promise<unknown> {
    const work: DatabaseWork = ofLogs.has(name) ? "logs.read" : "accounts.read";
    const reading = look();
    this.#reads.add(reading);
    try {
      const value = await reading;
      this.#onDone(work, { name, value });
      return value;
    } catch (error) {
      const failure = error instanceof StoreError ? error : new StoreError("failed", { cause: error });
      this.#onFailed(work, { name, error: failure });
      throw failure;
    } finally {
      this.#reads.delete(reading);
    }
  }

  #onDone(work: DatabaseWork, { name, value }: { name: string; value: unknown }): void {
    this.#watch.well(work);
    // What was refused may not have come to what fails.
    const isRefused = typeof value === "object" && value !== null && Reflect.get(value, "kind") === "refused";
    if (!isRefused) this.#load.onSuccess(name);
  }

  #onFailed(work: DatabaseWork, { name, error }: { name: string; error: StoreError }): void {
    this.#watch.failed(work, error);
    if (error.code === "failed")
      this.#load.onFault(name, error.cause instanceof StoreFault ? error.cause : new StoreFault(faultOf(error.cause)));
  }

  async #size(): Promise<StoreSize | undefined> {
    try {
      let databaseBytes = 0;
      for (const { rows } of await Promise.all(
        Object.values(this.#databases).map((database) => database.query<Sized>(sizeQuery, [database.schema])),
      ))
        databaseBytes += Number(rows[0]?.bytes);
      return { databaseBytes };
    } catch {
      return undefined;
    }
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw new StoreError("closed");
  }
}

/** About how many bytes go along. */
function sizeOf(params: unknown): number {
  if (params instanceof Uint8Array) return params.length;
  if (typeof params !== "object" || params === null) return 0;
  return Object.values(params).reduce((sum: number, value: unknown) => sum + sizeOf(value), 0);
}
