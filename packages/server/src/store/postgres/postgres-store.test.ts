import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe } from "vitest";
import { findPostgres, keptSettings, startPostgres } from "../../testing/postgres.ts";
import type { TestPostgres } from "../../testing/postgres.ts";
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
});
