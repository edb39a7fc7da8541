import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "../../testing/fixtures.ts";
import { findPostgres, startPostgres } from "../../testing/postgres.ts";
import type { TestPostgres } from "../../testing/postgres.ts";
import { PostgresDatabase } from "./database.ts";
import { migrate } from "./migrate.ts";

const first = "CREATE TABLE a (n bigint); INSERT INTO a VALUES (1);";
const second = "CREATE TABLE b (n bigint); INSERT INTO b SELECT n + 1 FROM a;";

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
    expect(await rowsOf(database, "schema_version")).toEqual([{ id: 1, marker: "latchkey logs", version: 2 }]);
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

  test("what a newer version wrote is left alone", async () => {
    const database = await open();
    await migrate(database, { holds: "logs", steps: [first, second] });
    await expect(migrate(database, { holds: "logs", steps: [first] })).rejects.toMatchObject({ name: "ServerError", code: "data_newer" });
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
