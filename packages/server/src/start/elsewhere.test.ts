// What a start says where accounts and messages lie in PostgreSQL, or did.
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createBackup } from "../backup/backup.ts";
import { moveBlobs } from "../blobs/move-blobs.ts";
import type { DatabasePlace, ServerOptions } from "../config.ts";
import { startServer } from "../server.ts";
import { databaseFiles } from "../store/sqlite/database-files.ts";
import { random, register, runServer, temporaryDirectory } from "../testing/fixtures.ts";
import { findPostgres, keptSettings, startPostgres } from "../testing/postgres.ts";
import type { TestPostgres } from "../testing/postgres.ts";

const host = "latchkey.example";

/** What a start says: the error, or "started". */
function start(options: Partial<ServerOptions>): Promise<unknown> {
  return startServer({ port: 0, logLevel: "silent", host, dataDirectory: temporaryDirectory(), ...options }).then(
    (server) => server.close().then(() => "started"),
    (error: unknown) => error,
  );
}

const refusal = (code: string, text: string): object => ({ code, message: expect.stringContaining(text) as string });

describe.skipIf(findPostgres() === undefined)("a server on PostgreSQL", () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres(keptSettings);
  });
  afterAll(() => postgres.stop());

  /** A place of the test's own. */
  const newPlace = (): DatabasePlace => ({ at: postgres.url, acceptLoss: true, schema: `t${Buffer.from(random(8)).toString("hex")}` });

  /** A folder on which a server ran with a database. */
  async function usedFolder(): Promise<{ dataDirectory: string; database: DatabasePlace }> {
    const [dataDirectory, database] = [temporaryDirectory(), newPlace()];
    const server = await runServer({ host, dataDirectory, database });
    await register(server, "alice");
    await server.close();
    return { dataDirectory, database };
  }

  test("starts again on its folder, which has no database; without --database it is refused, and stays as it is", async () => {
    const { dataDirectory, database } = await usedFolder();
    expect(readdirSync(dataDirectory).filter((name) => databaseFiles.includes(name))).toEqual([]);
    expect(await start({ dataDirectory })).toMatchObject(refusal("data_unusable", "start it with --database"));
    expect(readdirSync(dataDirectory).filter((name) => databaseFiles.includes(name))).toEqual([]);
    expect(await start({ dataDirectory, database })).toBe("started");
    // A sentence for whoever looks, and nothing of the address.
    expect(readFileSync(join(dataDirectory, "database"), "utf8")).toMatch(/^[A-Za-z, :-]+ --database\.\n$/);
  });

  test("does not begin anew beside the databases of a folder, nor where its own folder or database is another one", async () => {
    const dataDirectory = temporaryDirectory();
    const server = await runServer({ host, dataDirectory });
    await register(server, "alice");
    await server.close();
    const database = newPlace();
    expect(await start({ dataDirectory, database })).toMatchObject(refusal("data_unusable", "latchkey migrate"));
    expect(existsSync(join(dataDirectory, "database"))).toBe(false);
    expect(await start({ dataDirectory })).toBe("started");

    const used = await usedFolder();
    expect(await start({ dataDirectory: used.dataDirectory, database: newPlace() })).toMatchObject(
      refusal("data_unusable", "the public log has 0 entries"),
    );
    expect(await start({ database: used.database })).toMatchObject(refusal("data_unusable", "The key directory/log.key is missing"));
    // What a second machine brings along.
    const copy = temporaryDirectory();
    mkdirSync(join(copy, "directory"));
    for (const name of readdirSync(join(used.dataDirectory, "directory")))
      copyFileSync(join(used.dataDirectory, "directory", name), join(copy, "directory", name));
    expect(await start({ dataDirectory: copy, database: used.database })).toBe("started");
  });

  test("holds its folder alone", async () => {
    const { dataDirectory, database } = await usedFolder();
    const server = await runServer({ host, dataDirectory, database });
    expect(await start({ dataDirectory, database: newPlace() })).toMatchObject({ code: "data_locked" });
    await server.close();
  });

  test("says what to do instead of what works on the databases of a folder alone", async () => {
    const database = newPlace();
    const to = temporaryDirectory();
    const backups = { to, everyMs: 3_600_000, keep: 1 };
    expect(await start({ database, backups })).toMatchObject(refusal("invalid_options", "back PostgreSQL up"));
    expect(await start({ database, journal: to })).toMatchObject(refusal("invalid_options", "a synchronous standby has each change"));
    expect(await start({ database, limitSettings: ["maxDatabasePages=10"] })).toMatchObject(
      refusal("invalid_options", "give PostgreSQL a disk of that size"),
    );
    const { dataDirectory } = await usedFolder();
    await expect(createBackup({ dataDirectory, to, passphrase: undefined, nowMs: 0 })).rejects.toMatchObject(
      refusal("backup_failed", "what PostgreSQL has for it"),
    );
    expect(readdirSync(to)).toEqual([]);
    await expect(moveBlobs({ dataDirectory, to: "s3://bucket/prefix", environment: {}, nowMs: 0 })).rejects.toMatchObject(
      refusal("invalid_options", "latchkey migrate postgres-to-sqlite"),
    );
    rmSync(join(dataDirectory, "database"));
    expect(await start({ dataDirectory })).toMatchObject(refusal("data_unusable", "although a server ran here"));
  });
});
