import type { DatabaseSync } from "node:sqlite";
import { ActiveLogs } from "./active-logs.ts";
import { breakageOf } from "./breakage.ts";
import type { Breakage } from "./breakage.ts";
import type { Batch, BatchResult, Call, CallName, CallOutcome, CallParams, CallResult, DatabaseOptions } from "./calls.ts";
import { NewestDay } from "../sql/newest-day.ts";
import { SharedTables, onLogs } from "../sql/operations.ts";
import type { Operations, SharedName } from "../sql/operations.ts";
import { finish } from "../sql/steps.ts";
import type { Steps } from "../sql/steps.ts";
import { SpentTokens } from "../sql/token-tables.ts";
import { ClockTables } from "./clock-tables.ts";
import type { DatabaseName } from "./database-files.ts";
import { faultOf } from "./fault.ts";
import type { Failed } from "./fault.ts";
import { LogTables } from "./log-tables.ts";
import { MemoryLeases } from "./memory-leases.ts";
import { NodeTables } from "./node-tables.ts";
import { openDatabase, takeLock } from "./open-database.ts";
import type { OpenDatabase } from "./open-database.ts";
import { packItems, packResults, unpackAppends } from "./packing.ts";
import type { AppendResult } from "./packing.ts";
import { Statements } from "./statements.ts";
import { isOutOfRoom } from "../../storage/out-of-room.ts";
import type { GrownEnd, KnownEnd, NewEntry } from "../store.ts";

/** Where a test makes the disk fail: each may throw. */
export interface Faults {
  /** Before the transaction is on disk. */
  beforeCommit?(): void;
  /** After it is on disk, before anybody is told. */
  afterCommit?(): void;
}

/** Synchronous: nothing that the databases are asked has to travel. */
type EngineName = Exclude<CallName, SharedName> | "readItems";
type Handlers = { readonly [Name in CallName]: (params: CallParams<Name>) => CallResult<Name> };

/** Operations of this engine's own on what is known of logs. */
const logsOwn: ReadonlySet<string> = new Set<CallName>(["createLog", "readEpoch", "readEntries", "grownLogs", "purgeEntries"]);
/** What is done outside of any transaction, when those of the batch are over. */
const chores: ReadonlySet<CallName> = new Set<CallName>(["scrub", "shrink", "takeLease", "giveBackLease"]);
/** Pages that one call gives back. */
const shrunkAtOnce = 128;

type Place = DatabaseName | "chores";

/**
 * The store's work, synchronous, on the thread that calls it: of a batch what concerns a database is one transaction and one fsync. When
 * a transaction cannot be committed each of its operations is tried in one of its own, so that none fails for another's sake.
 */
export class Executor {
  readonly #databases: Readonly<Record<DatabaseName, OpenDatabase>>;
  readonly #lock: DatabaseSync;
  readonly #logs: LogTables;
  readonly #shared: SharedTables;
  readonly #sqlOfLogs: Statements;
  readonly #handlers: Handlers;
  readonly #faults: Faults;
  #breakage: Breakage | undefined;

  /** @throws ServerError when the directory is locked, newer or unusable. */
  constructor(options: DatabaseOptions, faults: Faults = {}) {
    this.#faults = faults;
    this.#lock = takeLock(options.directory);
    this.#databases = openBoth(options, this.#lock);
    const { logs: logsDatabase, accounts: accountsDatabase } = this.#databases;
    const sql = new Statements(accountsDatabase.database);
    const sqlOfLogs = new Statements(logsDatabase.database);
    const logs = new LogTables(logsDatabase.database, {
      active: new ActiveLogs(sqlOfLogs),
      newestDay: new NewestDay(sqlOfLogs.shared),
      spent: new SpentTokens(sqlOfLogs.shared),
    });
    const shared = new SharedTables({
      sql: sql.shared,
      sqlOfLogs: sqlOfLogs.shared,
      nodes: new NodeTables(sql),
      logs,
      leases: new MemoryLeases(),
    });
    const days = new ClockTables({ sqlOfLogs, ...shared });
    this.#logs = logs;
    this.#shared = shared;
    this.#sqlOfLogs = sqlOfLogs;
    this.#handlers = {
      ...synchronous(shared.operations),
      createLog: (params) => logs.createLog(params),
      readEpoch: (params) => logs.readEpoch(params),
      readEntries: (params) => logs.readEntries(params),
      grownLogs: ({ known }) => grownEnds(known, (logId) => logs.lastSeq(logId)),
      grownInboxes: ({ known }) => grownEnds(known, (inboxId) => finish(shared.operations.lastItem({ inboxId }))),
      grownAccounts: ({ known }) => grownEnds(known, (accountId) => finish(shared.operations.accountHead({ accountId }))?.version ?? 0),
      purgeEntries: (params) => logs.purgeEntries(params),
      readItems: (params) => packItems(finish(shared.operations.readItems(params))),
      newestDay: () => days.newestDay(),
      correctDays: (params) => {
        logs.forgetDay();
        return days.correctDays(params);
      },
      scrub: () => void this.emptyJournals(),
      // First what tells an order, in slices too.
      shrink: () => (this.settleSome() ? 1 : this.#both().reduce((pages, database) => pages + database.shrink(shrunkAtOnce), 0)),
    };
  }

  execute(batch: Batch): BatchResult {
    if (batch.calls.some((call) => this.#needsSettled(call))) this.#trySettle();
    const entries = batch.appends === undefined ? [] : unpackAppends(batch.appends);
    const places = batch.calls.map(({ name }): Place => placeOf(name));
    const at = (place: Place): Call[] => batch.calls.filter((_, index) => places[index] === place);
    const logs = this.#commit("logs", entries, at("logs"));
    const accounts = this.#commit("accounts", [], at("accounts"));
    const done = {
      logs: logs.calls.values(),
      accounts: accounts.calls.values(),
      chores: at("chores")
        .map((call) => this.#chore(call))
        .values(),
    };
    const calls = places.map((place): CallOutcome => done[place].next().value ?? { kind: "failed", full: false });
    const appendFault = logs.appends.find((result) => result.kind === "failed" && result.fault !== undefined);
    return {
      kind: "result",
      ...(appendFault?.kind === "failed" && appendFault.fault !== undefined ? { appendFault: appendFault.fault } : {}),
      appends: batch.appends === undefined ? undefined : packResults(logs.appends),
      calls,
      ...(this.#breakage === undefined ? {} : { breakage: this.#breakage }),
    };
  }

  /** Why it does nothing any more; `undefined` while it works. */
  get breakage(): Breakage | undefined {
    return this.#breakage;
  }

  /** Whether anything lies in a journal, or in a table that has entries in the order in which they came. */
  hasJournal(): boolean {
    return this.#breakage === undefined && (!this.#logs.recent.isEmpty || this.#both().some((database) => database.hasJournal()));
  }

  /** Before the journals are emptied: a part of the work on what is here now. Answers whether there is more. @throws Error as SQLite does */
  settleSome(): boolean {
    return this.#breakage === undefined && this.#settleBy(() => this.#logs.recent.settleSome());
  }

  /** Empties the journals; what somebody reads stays for the next time. Answers whether all are empty. */
  emptyJournals(): boolean {
    if (this.#breakage !== undefined) return false;
    try {
      return this.#both().reduce((isEmpty, database) => database.emptyJournal() && isEmpty, true);
    } catch (error) {
      this.#breakage = breakageOf(error);
      throw error;
    }
  }

  /** Empties the write-ahead logs and releases the directory. Answers whether a full disk left something in them, for the next start. */
  close(): { isDiskFull: boolean } {
    try {
      this.#emptyAll();
      return { isDiskFull: false };
    } catch (error) {
      if (isOutOfRoom(error)) return { isDiskFull: true };
      throw error;
    } finally {
      for (const { database } of this.#both()) database.close();
      this.#lock.close();
    }
  }

  #emptyAll(): void {
    // What it has begun may be a part of what is there.
    while (this.settleSome() || !(this.#logs.recent.isEmpty || this.#breakage !== undefined));
    this.emptyJournals();
  }

  /** Work on the newest entries of logs in a transaction of its own. */
  #settleBy<T>(work: () => T): T {
    const { recent } = this.#logs;
    const { database } = this.#databases.logs;
    let isSure = true;
    try {
      database.exec("BEGIN");
      recent.begin();
      const done = work();
      isSure = false;
      database.exec("COMMIT");
      recent.committed();
      return done;
    } catch (error) {
      this.#breakage ??= breakageOf(error);
      const isUndone = database.isTransaction;
      if (isUndone) database.exec("ROLLBACK");
      recent.rolledBack(isSure || isUndone || isOutOfRoom(error));
      throw error;
    }
  }

  /** Whether an operation looks at entries of logs only where they lie in the end, and some of those that it is about do not. */
  #needsSettled({ name, params }: Call): boolean {
    if (name === "correctDays") return !this.#logs.recent.isEmpty;
    // Name and parameters of a Call belong together.
    return name === "purgeEntries" && this.#logs.hasRecentBefore((params as CallParams<"purgeEntries">).beforeDay);
  }

  #trySettle(): void {
    if (this.#breakage !== undefined) return;
    try {
      this.#settleBy(() => this.#logs.recent.settle());
    } catch {
      // On a full disk what is asked may make room: it concerns the rest then, and this the next time.
    }
  }

  #both(): OpenDatabase[] {
    return [this.#databases.logs, this.#databases.accounts];
  }

  #commit(name: DatabaseName, entries: readonly NewEntry[], calls: readonly Call[]): { appends: AppendResult[]; calls: CallOutcome[] } {
    if (entries.length + calls.length === 0) return { appends: [], calls: [] };
    // Where it is undefined it was not committed: nothing of it is on disk.
    return this.#transact(name, entries, calls) ?? this.#oneByOne(name, entries, calls);
  }

  /** One transaction, or `undefined` when it was rolled back. Where nobody knows whether it committed, everything has failed. */
  #transact(
    name: DatabaseName,
    entries: readonly NewEntry[],
    calls: readonly Call[],
  ): { appends: AppendResult[]; calls: CallOutcome[] } | undefined {
    const { database } = this.#databases[name];
    if (this.#breakage !== undefined) return allFailed(entries, calls, { full: false });
    let stage: "working" | "committing" | "committed" = "working";
    try {
      database.exec("BEGIN");
      if (name === "logs") this.#logs.recent.begin();
      const appends = entries.map((entry): AppendResult => this.#logs.append(entry));
      const outcomes = calls.map((call): CallOutcome => ({ kind: "done", value: this.#run(call) }));
      if (name === "logs") this.#logs.recent.finish();
      this.#faults.beforeCommit?.();
      stage = "committing";
      database.exec("COMMIT");
      stage = "committed";
      if (name === "logs") this.#logs.recent.committed();
      if (name === "accounts") this.#settleHeads();
      this.#faults.afterCommit?.();
      return { appends, calls: outcomes };
    } catch (error) {
      this.#logs.forget();
      this.#shared.forget();
      const wasOpen = database.isTransaction;
      this.#breakage ??= breakageOf(error);
      if (wasOpen) database.exec("ROLLBACK");
      // A full disk may have rolled back by itself; after any other failure of COMMIT nobody knows.
      const isUndone = stage === "working" || (stage === "committing" && (wasOpen || isOutOfRoom(error)));
      if (name === "logs") this.#logs.recent.rolledBack(isUndone || stage === "committed");
      if (this.#breakage !== undefined) return allFailed(entries, calls, { full: false });
      if (isUndone && entries.length + calls.length > 1) return undefined;
      return allFailed(entries, calls, isUndone && isOutOfRoom(error) ? { full: true } : { full: false, fault: faultOf(error) });
    }
  }

  #settleHeads(): void {
    try {
      const { heads } = this.#shared;
      if (heads.isUnsettled) this.#sqlOfLogs.transaction(() => finish(heads.settle()));
    } catch (error) {
      // The logs' disk is full: what is published stays so, and is published once more.
      this.#logs.forget();
      this.#breakage ??= breakageOf(error);
    }
  }

  #oneByOne(name: DatabaseName, entries: readonly NewEntry[], calls: readonly Call[]): { appends: AppendResult[]; calls: CallOutcome[] } {
    const lost = { kind: "failed", full: false } as const;
    const appends = entries.map((entry) => this.#transact(name, [entry], [])?.appends[0] ?? lost);
    const outcomes = calls.map((call) => this.#transact(name, [], [call])?.calls[0] ?? lost);
    return { appends, calls: outcomes };
  }

  #chore(call: Call): CallOutcome {
    try {
      return { kind: "done", value: this.#run(call) };
    } catch (error) {
      this.#breakage ??= breakageOf(error);
      if (isOutOfRoom(error) || this.#breakage !== undefined) return { kind: "failed", full: isOutOfRoom(error) };
      return { kind: "failed", full: false, fault: faultOf(error) };
    }
  }

  #run(call: Call): unknown {
    // Name and parameters of a Call belong together; TypeScript cannot follow that through the lookup.
    const handler = this.#handlers[call.name] as (params: unknown) => unknown;
    return handler(call.params);
  }
}

function placeOf(name: CallName): Place {
  if (chores.has(name)) return "chores";
  const isOnLogs: ReadonlySet<string> = onLogs;
  return logsOwn.has(name) || isOnLogs.has(name) ? "logs" : "accounts";
}

/** The operations, each at once. */
function synchronous(operations: Operations): Omit<Handlers, EngineName> {
  const done = Object.entries(operations).map(([name, work]) => {
    // Name and parameters of an operation belong together; TypeScript cannot follow that through the entries.
    const run = work as (params: unknown) => Steps<unknown>;
    return [name, (params: unknown) => finish(run(params))];
  });
  return Object.fromEntries(done) as Omit<Handlers, EngineName>;
}

function allFailed(
  entries: readonly NewEntry[],
  calls: readonly Call[],
  why: Omit<Failed, "kind">,
): { appends: AppendResult[]; calls: CallOutcome[] } {
  const failed = { kind: "failed", ...why } as const;
  return { appends: entries.map(() => failed), calls: calls.map(() => failed) };
}

function openBoth(options: DatabaseOptions, lock: DatabaseSync): Record<DatabaseName, OpenDatabase> {
  let accounts: OpenDatabase | undefined;
  try {
    accounts = openDatabase("accounts", options);
    return { accounts, logs: openDatabase("logs", options) };
  } catch (error) {
    accounts?.database.close();
    lock.close();
    throw error;
  }
}

function grownEnds(known: readonly KnownEnd[], lastSeqOf: (id: Uint8Array) => number): GrownEnd[] {
  const ends = known.map(({ id }, at) => ({ at, lastSeq: lastSeqOf(id) }));
  return ends.filter(({ at, lastSeq }) => lastSeq > (known[at]?.lastSeq ?? 0));
}
