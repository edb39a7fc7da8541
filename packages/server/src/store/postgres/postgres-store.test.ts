import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { findPostgres, keptSettings, startPostgres } from "../../testing/postgres.ts";
import type { TestPostgres } from "../../testing/postgres.ts";
import { random, temporaryDirectory } from "../../testing/fixtures.ts";
import { bringFurther } from "../../testing/next-version.ts";
import { newEntry, newPublication, newState, publishState, today } from "../../testing/store-inputs.ts";
import { describeStore } from "../../testing/store-suite.ts";
import type { Store } from "../store.ts";
import { openPostgresStore } from "./postgres-store.ts";

describe.skipIf(findPostgres() === undefined)("the store in PostgreSQL", () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres(keptSettings);
  });
  afterAll(() => postgres.stop());

  const openIn = (directory: string): Promise<Store> =>
    openPostgresStore({ url: postgres.url, schemas: postgres.schemasOf(directory), acceptLoss: true });

  /** What tables hold lies in their files once there was a checkpoint. */
  async function isStored(_directory: string, bytes: Uint8Array): Promise<boolean> {
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    await client.query("CHECKPOINT");
    await client.end();
    const tables = join(postgres.data, "base");
    return readdirSync(tables, { recursive: true, withFileTypes: true }).some(
      (file) => file.isFile() && readFileSync(join(file.parentPath, file.name)).includes(bytes),
    );
  }

  describeStore("PostgreSQL", openIn, isStored);

  const brought = new Set<string>();
  describeStore(
    "PostgreSQL that the next version has changed",
    async (directory) => {
      if (!brought.has(directory)) {
        brought.add(directory);
        await (await openIn(directory)).close();
        await bringFurther(postgres.url, postgres.schemasOf(directory));
      }
      return await openIn(directory);
    },
    isStored,
  );

  test("a table that was not written anew in its time is tried again another day, not the next hour: everybody waits meanwhile", async () => {
    const directory = temporaryDirectory();
    const store = await openIn(directory);
    onTestFinished(() => store.close());
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    onTestFinished(() => client.end());
    const { accounts } = postgres.schemasOf(directory);
    await client.query(`SET search_path = ${accounts}`);
    const blob = "decode(repeat(md5(at::text), 65536), 'hex')";
    await client.query(`INSERT INTO inbox_items SELECT at, ${today}, at, 0, ${blob} FROM generate_series(1, 70) at`);
    const define = (body: string): Promise<unknown> =>
      client.query(
        `CREATE OR REPLACE FUNCTION ${accounts}.indexed(at bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS 'BEGIN ${body} RETURN at; END'`,
      );
    await define("");
    await client.query("CREATE INDEX ON inbox_items (indexed(id))");
    const file = async (): Promise<unknown> => (await client.query("SELECT pg_relation_filenode('inbox_items')")).rows;
    const before = await file();
    await define("PERFORM 1 / 0;");
    await expect(store.scrub()).rejects.toMatchObject({ code: "failed" });
    await define("");
    await store.scrub();
    expect(await file()).toEqual(before);
  });

  test("[P1] what is known of accounts may lie in another cluster", async () => {
    const other = await startPostgres(keptSettings);
    onTestFinished(() => other.stop());
    const schemas = postgres.schemasOf(temporaryDirectory());
    const store = await openPostgresStore({ url: postgres.url, accountsUrl: other.url, schemas, acceptLoss: true });
    const logId = random(32);
    await store.createLog({ logId, accessHash: random(32), day: today });
    await store.append(newEntry(logId));
    await publishState(store, newState());
    while (!(await store.collectHeads({ maxItems: 9 })).isComplete);
    expect(await store.publishDirectory(newPublication({ withHeads: true }))).toMatchObject({ head: { size: 2 } });
    expect(await store.proveLogHead({ logId, knownSize: 0 })).not.toHaveLength(0);
    expect(await store.admin.totals()).toMatchObject({ accounts: 1 });
    await store.close();
    const tables = async (url: string): Promise<unknown> => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      const names = Object.values(schemas);
      const { rows } = await client.query("SELECT nspname::text AS name FROM pg_namespace WHERE nspname = ANY($1)", [names]);
      await client.end();
      return rows;
    };
    expect([await tables(postgres.url), await tables(other.url)]).toEqual([[{ name: schemas.logs }], [{ name: schemas.accounts }]]);
  });
});
