import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { runServer } from "../../testing/fixtures.ts";
import { findPostgres, keptSettings, startPostgres } from "../../testing/postgres.ts";
import { columns } from "./inventory.ts";
import { notInPostgres, postgresColumns } from "./postgres-columns.ts";

test.skipIf(findPostgres() === undefined)(
  "[F-20] every column of PostgreSQL is in the inventory, and every entry of it a column",
  async () => {
    const postgres = await startPostgres(keptSettings);
    onTestFinished(() => postgres.stop());
    const server = await runServer({ database: { at: postgres.url, acceptLoss: true } });
    await server.close();
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    for (const name of ["logs", "accounts"] as const) {
      // What is divided by weeks has the columns of the whole.
      const { rows } = await client.query<{ name: string }>(
        `SELECT relname || '.' || attname AS name FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
       WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p') AND NOT relispartition AND attnum > 0 AND NOT attisdropped`,
        [`latchkey_${name}`],
      );
      const isMissing = (column: string): boolean => notInPostgres[name].some((each) => column === each || column.startsWith(`${each}.`));
      const inFolder = columns.filter(({ database }) => database === `${name}.sqlite`).map(({ table, column }) => `${table}.${column}`);
      expect(notInPostgres[name].filter((each) => !inFolder.some((column) => column === each || column.startsWith(`${each}.`)))).toEqual(
        [],
      );
      const described = [...inFolder.filter((column) => !isMissing(column)), ...Object.keys(postgresColumns[name])];
      expect(rows.map((row) => row.name).toSorted()).toEqual(described.toSorted());
    }
    await client.end();
  },
);
