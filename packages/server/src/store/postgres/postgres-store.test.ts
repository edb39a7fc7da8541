import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { findPostgres, keptSettings, startPostgres } from "../../testing/postgres.ts";
import type { TestPostgres } from "../../testing/postgres.ts";
import { random, temporaryDirectory } from "../../testing/fixtures.ts";
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
