import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { causeOf } from "../../log-causes.ts";
import { temporaryDirectory } from "../../testing/fixtures.ts";
import { findPostgres, startPostgres } from "../../testing/postgres.ts";
import type { TestPostgres } from "../../testing/postgres.ts";
import { PostgresDatabase } from "./database.ts";
import type { DatabasePatience } from "./database.ts";

describe.skipIf(findPostgres() === undefined)("a database of PostgreSQL", () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  const openIn = async (schema: string, patience: Partial<DatabasePatience> = {}): Promise<PostgresDatabase> => {
    const database = await PostgresDatabase.open({ url: postgres.url, schema, patience });
    onTestFinished(() => database.close());
    return database;
  };
  /** One with a table of numbers, and another process's way to the same. */
  const openTwo = async (patience: Partial<DatabasePatience> = {}): Promise<[PostgresDatabase, PostgresDatabase]> => {
    const { logs } = postgres.schemasOf(temporaryDirectory());
    const one = await openIn(logs, patience);
    await one.write((tx) => tx.query(`CREATE SCHEMA ${logs}; CREATE TABLE numbers (n bigint PRIMARY KEY, secret text)`));
    return [one, await openIn(logs, patience)];
  };
  const numbers = async (database: PostgresDatabase): Promise<number[]> =>
    (await database.query<{ n: number }>("SELECT n FROM numbers ORDER BY n")).rows.map(({ n }) => n);
  /** Somebody who may do anything. */
  const administrator = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: postgres.url });
    client.on("error", () => {});
    await client.connect();
    onTestFinished(() => client.end());
    return client;
  };

  test("what it holds comes back as it was given", async () => {
    const { logs } = postgres.schemasOf(temporaryDirectory());
    const database = await openIn(logs);
    const { rows } = await database.query<Record<string, unknown>>(
      "SELECT $1::bytea AS bytes, $2::bigint AS large, $3::int AS int, $4::text AS text, $5::bytea AS none, sum(i) AS sum, $6::int = 1 AS so FROM unnest($7::bigint[]) i",
      [Uint8Array.of(0, 255, 92), Number.MAX_SAFE_INTEGER, -7, `it's "quoted"\\`, null, 1, [1, 2, 3]],
    );
    expect(rows).toEqual([
      {
        bytes: Uint8Array.of(0, 255, 92),
        large: Number.MAX_SAFE_INTEGER,
        int: -7,
        text: `it's "quoted"\\`,
        none: null,
        sum: 6,
        so: 1,
      },
    ]);
    const bytes = rows[0]?.["bytes"] as Uint8Array;
    expect(bytes).not.toBeInstanceOf(Buffer);
    expect(bytes.buffer.byteLength).toBe(3);
  });

  test("lists go as arrays, nulls and empty ones too", async () => {
    const { logs } = postgres.schemasOf(temporaryDirectory());
    const database = await openIn(logs);
    const list = async (type: string, values: readonly (Uint8Array | number | string | null)[]) =>
      (await database.query<{ i: unknown }>(`SELECT i FROM unnest($1::${type}[]) i`, [values])).rows.map(({ i }) => i);
    const blobs = [new Uint8Array(), Uint8Array.of(1, 2), null, new Uint8Array(100_000).fill(7)];
    expect(await list("bytea", blobs)).toEqual(blobs);
    expect(await list("bytea", [])).toEqual([]);
    expect(await list("bytea", [null])).toEqual([null]);
    expect(await list("bigint", [-1, null, Number.MIN_SAFE_INTEGER])).toEqual([-1, null, Number.MIN_SAFE_INTEGER]);
    expect(await list("int", [1, 2])).toEqual([1, 2]);
    expect(await list("text", ["a", `{"b",\\c}`, null, ""])).toEqual(["a", `{"b",\\c}`, null, ""]);
    await expect(list("bytea", [Uint8Array.of(1), 1])).rejects.toMatchObject({ code: "failed" });
  });

  test("a number that is not safe is no number, and is told to nobody", async () => {
    const { logs } = postgres.schemasOf(temporaryDirectory());
    const database = await openIn(logs);
    for (const number of ["9007199254740993::bigint", "1.5::numeric", "'NaN'::float8"]) {
      await expect(database.query(`SELECT ${number} AS n`)).rejects.toMatchObject({ code: "failed", cause: { name: "RangeError" } });
    }
    expect((await database.query("SELECT 1::int AS n")).rows).toEqual([{ n: 1 }]);
  });

  test("changes are counted, and what only reads changes nothing", async () => {
    const [one] = await openTwo();
    await one.write(async (tx) => {
      expect(await tx.query("INSERT INTO numbers (n) SELECT * FROM unnest($1::bigint[])", [[1, 2, 3]])).toMatchObject({ changes: 3 });
      expect(await tx.query("SELECT n FROM numbers")).toMatchObject({ changes: 0, rows: [{ n: 1 }, { n: 2 }, { n: 3 }] });
      expect(await tx.query("DELETE FROM numbers WHERE n > $1", [1])).toMatchObject({ changes: 2 });
    });
    await expect(one.query("DELETE FROM numbers")).rejects.toMatchObject({ code: "failed" });
    await expect(one.read((tx) => tx.query("DELETE FROM numbers"))).rejects.toMatchObject({ code: "failed" });
    expect(await numbers(one)).toEqual([1]);
  });

  test("writes of two processes are serial: each sees all that came before it", async () => {
    const [one, two] = await openTwo();
    const next = (database: PostgresDatabase) =>
      database.write(async (tx) => {
        const { rows } = await tx.query<{ next: number }>("SELECT coalesce(max(n), 0) + 1 AS next FROM numbers");
        await tx.query("INSERT INTO numbers (n) VALUES ($1)", [rows[0]?.next ?? 0]);
        return rows[0]?.next;
      });
    const given = await Promise.all(Array.from({ length: 60 }, (_, at) => next(at % 2 === 0 ? one : two)));
    expect(given.toSorted((a = 0, b = 0) => a - b)).toEqual(Array.from({ length: 60 }, (_, at) => at + 1));
    // Those of one process in the order of its calls.
    const ofOne = given.filter((_, at) => at % 2 === 0);
    expect(ofOne).toEqual(ofOne.toSorted((a = 0, b = 0) => a - b));
  });

  test("what was erased leaves the file of a table that is written anew; whoever reads it is not waited for", async () => {
    const [one] = await openTwo();
    const secret = "a".repeat(40) + "only here";
    await one.write((tx) => tx.query("INSERT INTO numbers SELECT n, $1 FROM generate_series(1, 200) n", [secret]));
    await one.write((tx) => tx.query("DELETE FROM numbers WHERE n <> 1"));
    const size = async (): Promise<number> =>
      (await one.query<{ size: number }>("SELECT pg_relation_size('numbers') AS size")).rows[0]?.size ?? 0;
    const before = await size();
    await one.read(async (tx) => {
      await tx.query("SELECT n FROM numbers");
      expect(await one.rewrite("numbers", { onlySmall: false })).toBe(false);
    });
    expect(await size()).toBe(before);
    expect(await one.rewrite("numbers", { onlySmall: true })).toBe(true);
    expect(await size()).toBeLessThan(before);
    expect(await numbers(one)).toEqual([1]);
    // The next write has the settings of all others.
    const timeout = "SELECT current_setting('statement_timeout') AS timeout";
    const { rows } = await one.write((tx) => tx.query<{ timeout: string }>(timeout));
    expect(rows[0]?.timeout).toBe("20s");
  });

  test("schemas do not wait for each other", async () => {
    const [one] = await openTwo();
    const [other] = await openTwo();
    await one.write(async (tx) => {
      await tx.query("INSERT INTO numbers (n) VALUES (1)");
      await other.write((inner) => inner.query("INSERT INTO numbers (n) VALUES (2)"));
    });
    expect([await numbers(one), await numbers(other)]).toEqual([[1], [2]]);
  });

  test("what throws is undone, and throws the same", async () => {
    const [one] = await openTwo();
    const error = new Error("not this time");
    await expect(
      one.write(async (tx) => {
        await tx.query("INSERT INTO numbers (n) VALUES (1)");
        throw error;
      }),
    ).rejects.toBe(error);
    expect(await numbers(one)).toEqual([]);
  });

  test("a transaction that goes on after a statement that failed is not taken for written, and one that has ended asks nothing", async () => {
    const [one] = await openTwo();
    let kept: { query(text: string): Promise<unknown> } | undefined;
    await expect(
      one.write(async (tx) => {
        kept = tx;
        await tx.query("INSERT INTO numbers (n) VALUES (1)");
        await tx.query("SELECT nothing").catch(() => undefined);
      }),
    ).rejects.toMatchObject({ code: "failed" });
    expect(await numbers(one)).toEqual([]);
    await expect(kept?.query("SELECT 1")).rejects.toThrow("ended");
  });

  test("reads see the database as of one moment", async () => {
    const [one, two] = await openTwo();
    const count = "SELECT count(*) AS count FROM numbers";
    await one.read(async (tx) => {
      expect((await tx.query(count)).rows).toEqual([{ count: 0 }]);
      await two.write((inner) => inner.query("INSERT INTO numbers (n) VALUES (1)"));
      expect((await tx.query(count)).rows).toEqual([{ count: 0 }]);
    });
    expect((await one.query(count)).rows).toEqual([{ count: 1 }]);
  });

  test("[E-146] an error tells its SQLSTATE, and nothing that was stored or asked", async () => {
    const [one] = await openTwo();
    const secret = "what nobody else knows";
    const insert = () =>
      one.write(async (tx) => {
        await tx.query("INSERT INTO numbers VALUES ($1, $2)", [4_815_162_342, secret]);
      });
    await insert();
    const error = await insert().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({
      name: "StoreError",
      code: "failed",
      cause: { name: "DatabaseError", code: "SQLSTATE_23505", errstr: "integrity constraint violation" },
    });
    const told = JSON.stringify([causeOf(error), error, Object.entries((error as Error).cause as object), String((error as Error).cause)]);
    expect(told).toContain("SQLSTATE_23505");
    expect(told).toContain("database.test.ts");
    expect(told).not.toMatch(/4815162342|nobody else|numbers/);
    expect((error as Error).cause).not.toHaveProperty("cause");
  });

  test.for([
    ["08006", "unavailable", "connection exception"],
    ["22P02", "failed", "data exception"],
    ["25006", "unavailable", "invalid transaction state"],
    ["53100", "full", "insufficient resources"],
    ["53300", "unavailable", "insufficient resources"],
    ["55P03", "unavailable", "object not in prerequisite state"],
    ["57P03", "unavailable", "operator intervention"],
    ["58030", "unavailable", "system error"],
    ["XX001", "failed", "internal error"],
    ["P0001", "failed", undefined],
  ] as const)("SQLSTATE %s in a write is %s", async ([state, code, words]) => {
    const [one] = await openTwo();
    // A message that looks like a place in the code.
    const raise = `DO $$ BEGIN RAISE EXCEPTION E'no\n    at somebody (secret)' USING ERRCODE = '${state}'; END $$`;
    const thrown = await one.write(async (tx) => tx.query(raise)).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ name: "StoreError", code, cause: { code: `SQLSTATE_${state}`, errstr: words } });
    expect(JSON.stringify(causeOf(thrown))).not.toContain("secret");
    await one.write((tx) => tx.query("INSERT INTO numbers (n) VALUES (1)"));
  });

  test("a commit that is refused for what it holds is undone, and is known to be", async () => {
    const [one] = await openTwo();
    await one.write((tx) => tx.query("CREATE TABLE children (n bigint REFERENCES numbers DEFERRABLE INITIALLY DEFERRED)"));
    const orphan = one.write((tx) => tx.query("INSERT INTO children VALUES (7)"));
    await expect(orphan).rejects.toMatchObject({ code: "failed", cause: { code: "SQLSTATE_23503" } });
    expect((await one.query("SELECT n FROM children")).rows).toEqual([]);
  });

  test("a statement that is prepared for a table that another version has changed since fails once", async () => {
    const [one, two] = await openTwo();
    const insert = () => one.write((tx) => tx.query("INSERT INTO numbers (n) VALUES ($1) RETURNING *", [1]));
    await insert();
    await two.write((tx) => tx.query("DELETE FROM numbers; ALTER TABLE numbers ADD COLUMN more text"));
    await expect(insert()).rejects.toMatchObject({ code: "failed", cause: { code: "SQLSTATE_0A000" } });
    expect(await insert()).toMatchObject({ rows: [{ n: 1, secret: null, more: null }] });
  });

  test("a connection that is lost in a transaction: it is undone, and the next one works", async () => {
    const [one, two] = await openTwo();
    const admin = await administrator();
    await expect(
      one.write(async (tx) => {
        await tx.query("INSERT INTO numbers (n) VALUES (1)");
        const { rows } = await tx.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
        await admin.query("SELECT pg_terminate_backend($1)", [rows[0]?.pid]);
        await tx.query("INSERT INTO numbers (n) VALUES (2)");
      }),
    ).rejects.toMatchObject({ code: "unavailable", cause: { name: expect.any(String) as string } });
    await one.write((tx) => tx.query("INSERT INTO numbers (n) VALUES (3)"));
    expect(await numbers(two)).toEqual([3]);
  });

  test("connections that nobody uses may break: nobody hears of it, and others take their place", async () => {
    const [one] = await openTwo();
    const admin = await administrator();
    await one.query("SELECT 1");
    for (let round = 0; round < 3; round++) {
      await admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'latchkey'");
      await one.write((tx) => tx.query("INSERT INTO numbers (n) VALUES ($1)", [round]));
    }
    await expect.poll(() => numbers(one).catch(() => undefined)).toEqual([0, 1, 2]);
  });

  test("[E-146] a process that stands still while it holds the writes of all is thrown out, and its write is undone", async () => {
    const [one, two] = await openTwo({ idleMs: 300 });
    const stalled = Promise.withResolvers<void>();
    const holding = Promise.withResolvers<void>();
    const held = one.write(async (tx) => {
      await tx.query("INSERT INTO numbers (n) VALUES (1)");
      holding.resolve();
      await stalled.promise;
    });
    await holding.promise;
    await two.write((tx) => tx.query("INSERT INTO numbers (n) VALUES (2)"));
    stalled.resolve();
    await expect(held).rejects.toMatchObject({ code: "unavailable" });
    await one.write((tx) => tx.query("INSERT INTO numbers (n) VALUES (3)"));
    expect(await numbers(two)).toEqual([2, 3]);
  });

  test("who waits for the writes of others waits only so long", async () => {
    const [one, two] = await openTwo({ lockMs: 200 });
    await one.write(async (tx) => {
      await tx.query("INSERT INTO numbers (n) VALUES (1)");
      await expect(two.write((inner) => inner.query("SELECT 1"))).rejects.toMatchObject({
        code: "unavailable",
        cause: { code: "SQLSTATE_55P03" },
      });
    });
    await two.write((tx) => tx.query("INSERT INTO numbers (n) VALUES (2)"));
    expect(await numbers(one)).toEqual([1, 2]);
  });

  test("[E-146] a statement that takes too long, or whose answer does not come, is away; the connection is given up", async () => {
    const [one] = await openTwo({ statementMs: 200 });
    await expect(one.query("SELECT pg_sleep(10)")).rejects.toMatchObject({ code: "unavailable", cause: { code: "SQLSTATE_57014" } });
    const [other] = await openTwo({ answerMs: 300 });
    const startedMs = performance.now();
    await expect(other.write((tx) => tx.query("SELECT pg_sleep(10)"))).rejects.toMatchObject({ code: "unavailable" });
    await expect(other.read((tx) => tx.query("SELECT pg_sleep(10)"))).rejects.toMatchObject({ code: "unavailable" });
    expect(performance.now() - startedMs).toBeLessThan(5000);
    expect(await numbers(other)).toEqual([]);
  });

  test("[E-146] [L-7] a commit that waits for the standby is not known to be one, whoever ends the wait", async () => {
    const [one] = await openTwo({ answerMs: 1000 });
    const admin = await administrator();
    const set = async (names: string): Promise<void> => {
      await admin.query(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`);
      await admin.query("SELECT pg_reload_conf()");
      await expect
        .poll(async () => (await admin.query("SHOW synchronous_standby_names")).rows)
        .toEqual([{ synchronous_standby_names: names }]);
    };
    const waiting = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    await set("nobody");
    onTestFinished(async () => {
      await set("");
    });
    let n = 0;
    const write = (database: PostgresDatabase) => database.write((tx) => tx.query("INSERT INTO numbers (n) VALUES ($1)", [(n += 1)]));
    // Nobody ends it. PostgreSQL begins to wait for a standby a moment after it has read that there is one.
    const outcome = (): Promise<unknown> =>
      write(one).then(
        () => "written",
        (error: unknown) => error,
      );
    await expect.poll(outcome).toMatchObject({ code: "unavailable" });
    await expect.poll(async () => (await admin.query(`SELECT pg_terminate_backend(pid) ${waiting}`)).rowCount).toBe(0);
    // An administrator ends it: PostgreSQL says that it is committed, with a warning.
    const cancelled = write(await openIn(one.schema));
    cancelled.catch(() => undefined);
    await expect.poll(async () => (await admin.query(`SELECT pg_cancel_backend(pid) ${waiting}`)).rowCount).toBe(1);
    await expect(cancelled).rejects.toMatchObject({ code: "unavailable", cause: { errstr: "not on the standby" } });
  });

  test("two that stand in each other's way: the one that is undone begins anew", async () => {
    const [one] = await openTwo();
    await one.write((tx) => tx.query("INSERT INTO numbers (n) VALUES (1), (2)"));
    const admin = await administrator();
    await admin.query(
      `SET search_path = ${one.schema}; BEGIN; SET LOCAL deadlock_timeout = '1h'; UPDATE numbers SET secret = 'x' WHERE n = 2`,
    );
    let runs = 0;
    let other: Promise<unknown> | undefined;
    await one.write(async (tx) => {
      runs += 1;
      await tx.query("UPDATE numbers SET secret = 'y' WHERE n = 1");
      // It waits for this one, which waits for it.
      other ??= admin.query("UPDATE numbers SET secret = 'x' WHERE n = 1").then(() => admin.query("COMMIT"));
      await tx.query("UPDATE numbers SET secret = 'y' WHERE n = 2");
    });
    await other;
    expect(runs).toBe(2);
    expect((await one.query("SELECT DISTINCT secret FROM numbers")).rows).toEqual([{ secret: "y" }]);
  });

  test("what is closed asks nothing more, and finishes what was called before", async () => {
    const [one, two] = await openTwo();
    const written = Array.from({ length: 5 }, (_, n) => one.write((tx) => tx.query("INSERT INTO numbers (n) VALUES ($1)", [n])));
    const read = one.read((tx) => tx.query("SELECT pg_sleep(0.1)"));
    await one.close();
    await Promise.all([...written, read]);
    await expect(one.write((tx) => tx.query("SELECT 1"))).rejects.toMatchObject({ code: "closed" });
    await expect(one.query("SELECT 1")).rejects.toMatchObject({ code: "closed" });
    expect(await numbers(two)).toEqual([0, 1, 2, 3, 4]);
  });

  test("a database that cannot be had does not open, and the reason holds no password", async () => {
    const wrong = postgres.url.replace("latchkey@", "nobody:hunter2@");
    await expect(PostgresDatabase.open({ url: wrong, schema: "x" })).rejects.toSatisfy((error: Error) => {
      expect(error).toMatchObject({ code: "database_failed", cause: { code: "unavailable", cause: { code: "SQLSTATE_28000" } } });
      expect(error.message).toContain("(SQLSTATE_28000)");
      expect(JSON.stringify([error.message, causeOf(error)])).not.toContain("hunter2");
      return true;
    });
    for (const url of ["latchkey", "https://hunter2@example.org", "postgresql://a b:hunter2@/x"]) {
      await expect(PostgresDatabase.open({ url, schema: "x" })).rejects.toSatisfy((error: Error) => {
        expect(error).toMatchObject({ name: "ServerError" });
        expect(JSON.stringify([error.message, causeOf(error)])).not.toContain("hunter2");
        return true;
      });
    }
    await expect(PostgresDatabase.open({ url: postgres.url, schema: 'x"; DROP' })).rejects.toMatchObject({ code: "invalid_options" });
  });
});

describe.skipIf(findPostgres() === undefined)("a database of PostgreSQL that comes and goes", () => {
  test("[E-146] one that is no primary any more is away, for readers too: it may be behind", async () => {
    const postgres = await startPostgres();
    onTestFinished(() => postgres.stop());
    const address = { url: postgres.url, schema: "demoted" };
    const database = await PostgresDatabase.open(address);
    onTestFinished(() => database.close());
    await postgres.kill();
    const signal = join(postgres.data, "standby.signal");
    writeFileSync(signal, "");
    await postgres.start();
    const standby = { code: "unavailable", cause: { errstr: "a standby" } };
    await expect(database.query("SELECT 1")).rejects.toMatchObject(standby);
    await expect(database.write((tx) => tx.query("SELECT 1"))).rejects.toMatchObject(standby);
    await expect(PostgresDatabase.open(address)).rejects.toMatchObject({ code: "database_failed" });
    await postgres.kill();
    rmSync(signal);
    await postgres.start();
    expect(await database.query("SELECT 1 AS n")).toMatchObject({ rows: [{ n: 1 }] });
  });

  test("killed and started again it is used again, and what was acknowledged is there", async () => {
    const postgres = await startPostgres({ fsync: "on" });
    onTestFinished(() => postgres.stop());
    const { logs } = postgres.schemasOf(temporaryDirectory());
    const database = await PostgresDatabase.open({ url: postgres.url, schema: logs });
    onTestFinished(() => database.close());
    await database.write((tx) => tx.query(`CREATE SCHEMA ${logs}; CREATE TABLE numbers (n bigint PRIMARY KEY)`));
    const acknowledged: number[] = [];
    const write = async (n: number): Promise<void> => {
      await database.write((tx) => tx.query("INSERT INTO numbers (n) VALUES ($1) ON CONFLICT DO NOTHING", [n]));
      acknowledged.push(n);
    };
    for (let n = 0; n < 20; n++) await write(n);
    const outcomes = Promise.allSettled(Array.from({ length: 200 }, (_, at) => write(100 + at)));
    await postgres.kill();
    const failed = (await outcomes).filter(({ status }) => status === "rejected");
    // What it was already asked for it may still do.
    for (let n = 2000; failed.length === 0; n++) {
      failed.push(...(await Promise.allSettled([write(n)])).filter(({ status }) => status === "rejected"));
    }
    for (const outcome of failed) expect(outcome).toMatchObject({ reason: { name: "StoreError", code: "unavailable" } });
    await expect(database.query("SELECT 1")).rejects.toMatchObject({ code: "unavailable", cause: { code: "ECONNREFUSED" } });
    await expect(write(1000)).rejects.toMatchObject({ code: "unavailable" });
    await postgres.start();
    await write(1001);
    const { rows } = await database.query<{ n: number }>("SELECT n FROM numbers");
    expect(new Set(rows.map(({ n }) => n)).isSupersetOf(new Set(acknowledged))).toBe(true);
  });
});
