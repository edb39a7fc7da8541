import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "../../testing/fixtures.ts";
import { findPostgres, startPostgres } from "../../testing/postgres.ts";
import type { TestPostgres } from "../../testing/postgres.ts";
import { PostgresDatabase } from "./database.ts";
import { migrate as migrateAs, refuseNewerMeanwhile, serverName } from "./migrate.ts";
import type { PostgresSteps } from "./migrate.ts";

const first = "CREATE TABLE a (n bigint); INSERT INTO a VALUES (1);";
const second = "CREATE TABLE b (n bigint); INSERT INTO b SELECT n + 1 FROM a;";
const third = "ALTER TABLE a ADD COLUMN m bigint NOT NULL DEFAULT 3;";
/** What a version knows, the next one of which it goes on beside, and the one after that. */
const [known, next, afterNext] = [
  { holds: "logs", steps: [first, second], usableFrom: 1 },
  { holds: "logs", steps: [first, second, third], usableFrom: 2 },
  { holds: "logs", steps: [first, second, third, "DROP TABLE b;"], usableFrom: 3 },
] as const;

describe.skipIf(findPostgres() === undefined)("the schema of a database of PostgreSQL", () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  const openIn = async (schema: string): Promise<PostgresDatabase> => {
    const database = await PostgresDatabase.open({ url: postgres.url, schema });
    onTestFinished(() => database.close());
    return database;
  };
  const open = (): Promise<PostgresDatabase> => openIn(postgres.schemasOf(temporaryDirectory()).logs);
  const migrate = (
    database: PostgresDatabase,
    { usableFrom = 0, ...schema }: Partial<PostgresSteps> & Omit<PostgresSteps, "usableFrom">,
  ): Promise<void> => migrateAs(database, { usableFrom, ...schema }, { mayBeNewer: true });
  const rowsOf = async (database: PostgresDatabase, table: string): Promise<readonly unknown[]> =>
    (await database.query(`SELECT * FROM ${table}`)).rows;

  test("it is made, and brought to each version once", async () => {
    const database = await open();
    await migrate(database, { holds: "logs", steps: [first] });
    await migrate(database, { holds: "logs", steps: [first] });
    expect(await rowsOf(database, "a")).toEqual([{ n: 1 }]);
    await migrate(database, { holds: "logs", steps: [first, second] });
    expect(await rowsOf(database, "a")).toEqual([{ n: 1 }]);
    expect(await rowsOf(database, "b")).toEqual([{ n: 2 }]);
    expect(await rowsOf(database, "schema_version")).toEqual([{ id: 1, marker: "latchkey logs", version: 2, usable_from: 0 }]);
  });

  test("several that start at once take each step once", async () => {
    const { accounts } = postgres.schemasOf(temporaryDirectory());
    const all = await Promise.all(Array.from({ length: 4 }, () => openIn(accounts)));
    await Promise.all(all.map((database) => migrate(database, { holds: "accounts", steps: [first, second] })));
    for (const database of all) expect(await rowsOf(database, "b")).toEqual([{ n: 2 }]);
  });

  test("a step that fails leaves the version before it", async () => {
    const database = await open();
    const broken = "INSERT INTO a VALUES (7); SELECT nothing;";
    await expect(migrate(database, { holds: "logs", steps: [first, broken, second] })).rejects.toMatchObject({
      code: "data_unusable",
      cause: { code: "failed", cause: { code: "SQLSTATE_42703" } },
    });
    expect(await rowsOf(database, "a")).toEqual([{ n: 1 }]);
    await migrate(database, { holds: "logs", steps: [first, second] });
    expect(await rowsOf(database, "b")).toEqual([{ n: 2 }]);
  });

  test("what the next version wrote can be used, and is left alone; not where all that is in it has to be known, and not what one after that wrote", async () => {
    const database = await open();
    await migrate(database, next);
    await migrate(database, known);
    await refuseNewerMeanwhile(database, known);
    expect(await rowsOf(database, "schema_version")).toMatchObject([{ version: 3, usable_from: 2 }]);
    const newer = { name: "ServerError", code: "data_newer" };
    await expect(migrateAs(database, known, { mayBeNewer: false })).rejects.toMatchObject(newer);
    await migrate(database, afterNext);
    await expect(migrate(database, known)).rejects.toMatchObject(newer);
    await expect(refuseNewerMeanwhile(database, known)).rejects.toMatchObject({ code: "unavailable" });
    // From then on it stays so.
    await migrate(database, next);
    await expect(refuseNewerMeanwhile(database, known)).rejects.toMatchObject({ code: "unavailable" });
  });

  test("no version takes away what a server of two before it, which runs, would look for", async () => {
    const { logs } = postgres.schemasOf(temporaryDirectory());
    const running = await PostgresDatabase.open({ url: postgres.url, schema: logs, application: serverName(known) });
    await migrate(running, known);
    const database = await openIn(logs);
    await migrate(database, next);
    await expect(migrate(database, afterNext)).rejects.toMatchObject({ name: "ServerError", code: "data_locked" });
    expect(await rowsOf(running, "b")).toEqual([{ n: 2 }]);
    await running.close();
    await expect.poll(() => migrate(database, afterNext).then(() => "gone")).toBe("gone");
  });

  test("what was made before that was asked is asked from now on", async () => {
    const database = await open();
    await migrate(database, known);
    await database.write((tx) => tx.query("ALTER TABLE schema_version DROP COLUMN usable_from"));
    await migrate(database, known);
    expect(await rowsOf(database, "schema_version")).toMatchObject([{ version: 2, usable_from: 1 }]);
  });

  test("the schema of something else is left alone, and so is the other one of ours", async () => {
    const database = await open();
    await migrate(database, { holds: "logs", steps: [first] });
    await expect(migrate(database, { holds: "accounts", steps: [first] })).rejects.toMatchObject({ code: "data_unusable" });
    for (const tables of ["CREATE TABLE theirs (n int)", "CREATE TABLE schema_version (id text)", "CREATE VIEW theirs AS SELECT 1"]) {
      const other = await open();
      await other.write((tx) => tx.query(`CREATE SCHEMA ${other.schema}; ${tables}`));
      await expect(migrate(other, { holds: "logs", steps: [first] })).rejects.toMatchObject({ code: "data_unusable" });
      expect(await rowsOf(other, "pg_class WHERE relname = 'a' AND relnamespace = to_regnamespace(current_schema())")).toEqual([]);
    }
  });

  test("a schema that somebody made for it, empty, is taken", async () => {
    const database = await open();
    await database.write((tx) => tx.query(`CREATE SCHEMA ${database.schema}`));
    await migrate(database, { holds: "logs", steps: [first] });
    expect(await rowsOf(database, "a")).toEqual([{ n: 1 }]);
  });
});
