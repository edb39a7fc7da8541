import { createHash } from "node:crypto";
import pg from "pg";
import { ServerError, StoreError } from "../../errors.ts";
import { adviceOf, isCollision, isEnd, isLockTimeout, reasonOf, storeErrorOf, told } from "./fault.ts";
import type { FaultPlace } from "./fault.ts";
import type { PostgresResult, PostgresTransaction, PostgresValue } from "./transaction.ts";
import { columnTypes, encodeValue } from "./values.ts";

/** How long is waited, in milliseconds. */
export interface DatabasePatience {
  /** For a connection, or for one of those that are open. */
  readonly connectMs: number;
  /** For a transaction that waits for this process: a stopped one must not keep the writes of all others. */
  readonly idleMs: number;
  /** For a lock, that of the writes above all: longer than a stopped process has it. */
  readonly lockMs: number;
  /** For one statement, in the database. */
  readonly statementMs: number;
  /** For the answer to one statement, a commit that waits for the standby included. */
  readonly answerMs: number;
}

const defaultPatience: DatabasePatience = { connectMs: 5000, idleMs: 5000, lockMs: 10_000, statementMs: 20_000, answerMs: 25_000 };

/** A database of Latchkey: a schema of a database of PostgreSQL. */
export interface DatabaseAddress {
  /** `postgresql://user:password@host:port/database`. Holds a secret: it is told to nobody. */
  readonly url: string;
  readonly schema: string;
  /** What its connections are called. */
  readonly application?: string;
  /** How many may read at once. */
  readonly readers?: number;
  readonly patience?: Partial<DatabasePatience>;
}

/** How a write is done. */
interface WriteManner {
  readonly isTold?: boolean;
  readonly keepsPlans?: boolean;
}

/** A write that stood in another's way is begun so many times. */
const attempts = 4;
/** Statements that connections keep prepared: those of the code are fewer. */
const maxPrepared = 1000;
/** A connection that nobody uses is closed after so long; one that is silent is asked after so long whether it is there. */
const idleConnectionMs = 60_000;
const keepAliveMs = 10_000;
/** How long a table that is to be written anew is waited for. */
const rewriteWaitMs = 250;
/** How long that may take: whoever writes waits meanwhile. */
const rewriteMs = 300_000;
/** A table of this size is written anew in about half a second. */
const smallBytes = 67_108_864;
/** What connections of servers are called in the database. */
export const applicationName = "latchkey";
const schemaShape = /^[a-z_][a-z0-9_]{0,62}$/;

/**
 * A schema of PostgreSQL, in which all writes are serial, those of other processes included: a write holds a lock of the schema from its
 * first statement until it is committed. A connection that is lost is replaced by whoever comes next. What fails is a StoreError, and
 * `unavailable` where the database is away; its cause holds nothing that was asked or stored.
 */
export class PostgresDatabase {
  /** The schema, as it may stand in statements. */
  readonly schema: string;
  /** Looks, by each connection that is new from now on, whether this process may still use the database: what it throws refuses the connection. */
  admit: (connection: PostgresTransaction) => Promise<void> = () => Promise.resolve();
  readonly #application: string;
  readonly #beginWrite: string;
  readonly #writer: pg.Pool;
  readonly #readers: pg.Pool;
  /** Connections that broke, which the driver tells of before whoever waits for an answer. */
  readonly #lost = new WeakSet<pg.ClientBase>();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #prepared = new Map<string, string>();
  #lastWrite: Promise<unknown> = Promise.resolve();
  /** Why there was no connection for a write, each time another. */
  #refused: StoreError | undefined;
  #isClosing = false;

  /** Opens one, and asks it something. @throws ServerError `invalid_options` or `database_failed` */
  static async open(address: DatabaseAddress): Promise<PostgresDatabase> {
    const database = new PostgresDatabase(address);
    try {
      await database.query("SELECT 1");
      return database;
    } catch (cause) {
      await database.close();
      throw new ServerError(
        "database_failed",
        adviceOf(cause) ??
          `The database does not answer or does not let this server in (${reasonOf(cause)}): check that PostgreSQL runs there as a primary, and the address, the user and the password.`,
        { cause },
      );
    }
  }

  private constructor({ url, schema, application = applicationName, readers = 4, patience }: DatabaseAddress) {
    this.#application = application;
    if (!schemaShape.test(schema)) throw new ServerError("invalid_options", "A schema has lower-case letters, digits and underscores.");
    if (!URL.canParse(url) || !/^postgres(?:ql)?:$/.test(new URL(url).protocol)) {
      throw new ServerError("invalid_options", "The address of the database is not of the form postgresql://user@host/database.");
    }
    this.schema = schema;
    this.#beginWrite = beginWrite(schema);
    const waits = { ...defaultPatience, ...patience };
    this.#writer = this.#pool(url, waits, { max: 1, isReading: false });
    this.#readers = this.#pool(url, waits, { max: readers, isReading: true });
  }

  /**
   * Runs a transaction of writes: one at a time in all processes, in the order of the calls in this one. It sees all that was written before, and is
   * on disk, and on the standby, when it resolves, and so is what it saw. What `run` throws undoes it. It may be run again from its beginning.
   * @param run one statement at a time, and no other write of this database @param isTold whether anybody is told what it saw; else a write
   * that came to none waits for no standby @param keepsPlans whether its statements keep the plan that is made first, by indexes wherever there
   * is one, whatever their values @throws StoreError; what `run` throws
   */
  write<T>(run: (tx: PostgresTransaction) => Promise<T>, { isTold = true, keepsPlans = false }: WriteManner = {}): Promise<T> {
    const [before, refused] = [this.#lastWrite, this.#refused];
    const begin = [this.#beginWrite, ...(isTold ? [leaveTrace] : []), ...(keepsPlans ? [keepPlans] : [])].join("; ");
    const result = this.#follow(async () => {
      await before;
      // Who waited while there was no connection waits for no further one.
      if (this.#refused !== undefined && this.#refused !== refused) throw this.#refused;
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.#transact(this.#writer, begin, run);
        } catch (error) {
          if (attempt === attempts || !isCollision(error)) throw error;
        }
      }
    });
    this.#lastWrite = result.catch(() => undefined);
    return result;
  }

  /** Runs reads that all see the database as of one moment, not before this call. @param run one statement at a time @throws StoreError; what `run` throws */
  read<T>(run: (tx: PostgresTransaction) => Promise<T>): Promise<T> {
    return this.#follow(() => this.#transact(this.#readers, beginRead, run));
  }

  /** Runs one statement that reads, by itself. @throws StoreError */
  query<Row>(text: string, values?: readonly PostgresValue[]): Promise<PostgresResult<Row>> {
    return this.#follow(async () => {
      const { client, result } = await this.#first<Row>(this.#readers, text, values);
      client.release();
      return result;
    });
  }

  /**
   * Writes a table anew, without what was erased of it. For that all writes wait, and it waits for nobody who reads it for long. Answers
   * whether it was done: not while somebody reads it, nor where it is large and only small ones are asked for. @throws StoreError
   */
  rewrite(table: string, { onlySmall }: { readonly onlySmall: boolean }): Promise<boolean> {
    if (!schemaShape.test(table)) throw new TypeError("no name of a table");
    const before = this.#lastWrite;
    const result = this.#follow(async () => {
      await before;
      const settings = `SET lock_timeout = ${rewriteWaitMs}; SET statement_timeout = ${rewriteMs}`;
      const { client } = await this.#first(this.#writer, settings);
      try {
        const sql = "SELECT pg_table_size($1::regclass) AS size";
        const { rows } = await this.#ask<{ size: number }>(client, "reading", sql, [`${this.schema}.${table}`]);
        if (onlySmall && (rows[0]?.size ?? 0) > smallBytes) return false;
        await client.query({ text: `VACUUM (FULL) ${table}`, query_timeout: rewriteMs } as pg.QueryConfig); // Its types lack the second.
        return true;
      } catch (error) {
        const failure = storeErrorOf(error, "reading", this.#lost.has(client));
        if (!isLockTimeout(failure)) throw failure;
        return false;
      } finally {
        // Its settings are nobody else's.
        client.release(true);
      }
    });
    this.#lastWrite = result.catch(() => undefined);
    return result;
  }

  /** Finishes what was called, then closes; what is called later fails as `closed`. */
  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    await Promise.allSettled(this.#underWay);
    await Promise.all([this.#writer.end(), this.#readers.end()]);
  }

  #follow<T>(run: () => Promise<T>): Promise<T> {
    if (this.#isClosing) return Promise.reject(new StoreError("closed"));
    const result = run();
    this.#underWay.add(result);
    const forget = (): void => void this.#underWay.delete(result);
    result.then(forget, forget);
    return result;
  }

  #pool(url: string, waits: DatabasePatience, { max, isReading }: { max: number; isReading: boolean }): pg.Pool {
    const settings = sessionSettings({ search_path: `"${this.schema}"`, application_name: `"${this.#application}"` }, waits, isReading);
    const greet = async (client: pg.PoolClient, done: (refused?: Error) => void): Promise<void> => {
      client.on("error", () => void this.#lost.add(client));
      let refused: Error | undefined;
      try {
        const results = await client.query<{ standby: number }>(`${settings}; SELECT pg_is_in_recovery() AS standby`);
        if ([results].flat().at(-1)?.rows[0]?.standby !== 0) refused = told("unavailable", "a standby");
        else await this.admit({ query: (text, values) => this.#ask(client, "reading", text, values) });
      } catch (error) {
        refused = error as Error; // The driver throws nothing else.
      }
      done(refused);
    };
    const pool = new pg.Pool({
      connectionString: url,
      max,
      types: columnTypes,
      keepAlive: true,
      keepAliveInitialDelayMillis: keepAliveMs,
      connectionTimeoutMillis: waits.connectMs,
      query_timeout: waits.answerMs,
      idleTimeoutMillis: idleConnectionMs,
      verify: (client, done) => void greet(client, done),
    });
    // A connection that breaks while nobody uses it: it has left the pool, and the next call opens another.
    pool.on("error", () => {});
    return pool;
  }

  async #connect(pool: pg.Pool): Promise<pg.PoolClient> {
    try {
      return await pool.connect();
    } catch (error) {
      const refused = storeErrorOf(error, "connecting");
      if (pool === this.#writer) this.#refused = refused;
      throw refused;
    }
  }

  /**
   * A connection, and what it answers to the first statement, which writes nothing. Whether one broke while nobody used it may only be seen
   * by asking: then another one is asked.
   */
  async #first<Row>(
    pool: pg.Pool,
    text: string,
    values?: readonly PostgresValue[],
  ): Promise<{ readonly client: pg.PoolClient; readonly result: PostgresResult<Row> }> {
    for (let isAgain = false; ; isAgain = true) {
      const client = await this.#connect(pool);
      try {
        return { client, result: await this.#ask<Row>(client, "reading", text, values) };
      } catch (error) {
        const hasEnded = this.#lost.has(client) || isEnd(error);
        client.release(true);
        if (isAgain || !hasEnded) throw error;
      }
    }
  }

  async #transact<T>(pool: pg.Pool, begin: string, run: (tx: PostgresTransaction) => Promise<T>): Promise<T> {
    const isReading = pool === this.#readers;
    const { client } = await this.#first(pool, begin);
    let hasEnded = false;
    let isSound = false;
    let hasFailed = false;
    const tx: PostgresTransaction = {
      query: async (text, values) => {
        if (hasEnded) throw new Error("the transaction has ended");
        try {
          return await this.#ask(client, isReading ? "reading" : "asking", text, values);
        } catch (error) {
          hasFailed = true;
          throw error;
        }
      },
    };
    try {
      const result = await run(tx);
      hasEnded = true;
      isSound = await this.#commit(client, isReading);
      return result;
    } catch (error) {
      // After a commit there is nothing to undo. Where a statement failed the connection ends, which undoes it too: it may not answer any more,
      // or have prepared a statement for a table that has changed since.
      if (!hasEnded && !hasFailed) isSound = await this.#rollBack(client);
      throw error;
    } finally {
      hasEnded = true;
      client.release(!isSound);
    }
  }

  /** Answers whether the connection can go on. @throws StoreError */
  async #commit(client: pg.PoolClient, isReading: boolean): Promise<boolean> {
    let isWarned = false;
    const warn = (): void => {
      isWarned = true;
    };
    client.on("notice", warn);
    try {
      const { command } = await client.query("COMMIT");
      // Somebody has gone on after a statement that failed.
      if (command !== "COMMIT") throw told("failed", "rolled back");
    } catch (error) {
      if (!isReading) throw storeErrorOf(error, "committing", this.#lost.has(client));
      return false;
    } finally {
      client.off("notice", warn);
    }
    // Somebody ended the wait for the standby: it is committed here, and with this machine it would be gone.
    if (isWarned && !isReading) throw told("unavailable", "not on the standby");
    return true;
  }

  async #rollBack(client: pg.PoolClient): Promise<boolean> {
    if (this.#lost.has(client)) return false;
    return client.query("ROLLBACK").then(
      () => true,
      () => false,
    );
  }

  async #ask<Row>(
    client: pg.PoolClient,
    place: FaultPlace,
    text: string,
    values: readonly PostgresValue[] = [],
  ): Promise<PostgresResult<Row>> {
    try {
      // Without values it may be several statements, which are not prepared: the last one answers.
      const results = values.length === 0 ? await client.query(text) : await client.query(this.#statement(text), values.map(encodeValue));
      const { command, rows, rowCount } = [results].flat().at(-1) as pg.QueryResult; // There is one for each statement, and one at least.
      return { rows: rows as Row[], changes: command === "SELECT" ? 0 : (rowCount ?? 0) };
    } catch (error) {
      throw storeErrorOf(error, place, this.#lost.has(client));
    }
  }

  #statement(text: string): pg.QueryConfig {
    const known = this.#prepared.get(text);
    if (known !== undefined) return { name: known, text };
    if (this.#prepared.size >= maxPrepared) return { text };
    const name = `s${this.#prepared.size}`;
    this.#prepared.set(text, name);
    return { name, text };
  }
}

const beginRead = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/**
 * A line in the write-ahead log, for which the commit waits. Without one, what a crash or an operator brought in without the standby would be
 * found by whoever asks for it once more, and be acknowledged.
 */
const leaveTrace = "SELECT pg_logical_emit_message(true, 'latchkey', '')";

/**
 * For a transaction. A plan costs as much as a short statement takes, and one that reads no whole table where it has an index is as good for
 * other values, and when the table has grown.
 */
const keepPlans = "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off";

/** Ends that for the rest of the transaction: what is not said of a few rows at a time needs the plan of its values. */
export const planForEach = "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL enable_seqscan = on";

/** One round trip. Each statement after the lock sees what its holder before has committed. */
function beginWrite(schema: string): string {
  const key = createHash("sha256").update(`latchkey ${schema}`).digest().readBigInt64BE();
  return `BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock(${key})`;
}

/**
 * Sent once on each connection. A plan that was made for all values while a table was empty reads the whole table when it is full: each
 * statement is planned for its own. Compiling plans costs more than what short statements take. So does a bitmap of rows for one that is
 * looked up, which is planned where a table was not analyzed yet.
 */
function sessionSettings(
  own: Readonly<Record<string, string>>,
  { idleMs, lockMs, statementMs }: DatabasePatience,
  isReading: boolean,
): string {
  const settings = {
    ...own,
    synchronous_commit: "on",
    plan_cache_mode: "force_custom_plan",
    jit: "off",
    enable_bitmapscan: "off",
    bytea_output: "hex",
    client_min_messages: "warning",
    default_transaction_read_only: isReading ? "on" : "off",
    idle_in_transaction_session_timeout: idleMs,
    lock_timeout: lockMs,
    statement_timeout: statementMs,
  };
  return Object.entries(settings)
    .map(([name, value]) => `SET ${name} = ${value}`)
    .join("; ");
}
