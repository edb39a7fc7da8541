import { toHex } from "@latchkey/codec";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { entryBytes, random, temporaryDirectory } from "../testing/fixtures.ts";
import { findPostgres, keptSettings, startPostgres } from "../testing/postgres.ts";
import type { TestPostgres } from "../testing/postgres.ts";
import { newCommit, newEntry, newPublication, newQuery, newState, publishState, today } from "../testing/store-inputs.ts";
import { postgresOf } from "../start/open-store.ts";
import { PostgresDatabase } from "../store/postgres/database.ts";
import { openPostgresStore } from "../store/postgres/postgres-store.ts";
import { openDatabase } from "../store/sqlite/open-database.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { StoreLoad } from "../store/store-load.ts";
import type { NewEntry, Store } from "../store/store.ts";
import { moveToFolder, moveToPostgres } from "./move-store.ts";
import type { MoveOptions } from "./move-store.ts";
import { PostgresSide } from "./postgres-side.ts";
import { movedTables, sizeOf } from "./tables.ts";

const page = { maxItems: 1000, maxBytes: 10_000_000 };

/** What somebody who uses a store sees of what `fill` put there. */
interface Content {
  readonly logIds: readonly Uint8Array[];
  readonly entries: readonly NewEntry[];
  readonly accountIds: readonly Uint8Array[];
  readonly inboxId: Uint8Array;
  readonly linkId: Uint8Array;
  readonly blobId: Uint8Array;
}

async function fill(store: Store): Promise<Content> {
  const logIds = Array.from({ length: 5 }, () => random(32));
  const blob = { blobId: random(32), sha256: random(32), sizeBytes: 3000, expiresDay: today + 3 };
  await store.addBlob(blob);
  const named = { blobId: blob.blobId, hash: blob.sha256, sizeBytes: blob.sizeBytes };
  const entries: NewEntry[] = [];
  const add = async (entry: NewEntry): Promise<void> => {
    entries.push(entry);
    await store.append(entry);
  };
  for (const logId of logIds) {
    await store.createLog({ logId, accessHash: random(32), day: today, token: { nonce: random(32), day: today } });
    for (let at = 0; at < 70; at++)
      await add(newEntry(logId, { day: today - 40 + Math.floor(at / 2), blob: entryBytes(512, at % 30 === 0 ? [named] : []) }));
    await add(newCommit(logId, 0));
    await add(newCommit(logId, 0, { afterSeq: 71 }));
    await add(newEntry(logId, { epochId: 72 }));
    await add(newEntry(logId, { epochId: 0, kind: "complaint" }));
  }
  await store.createLog({ logId: random(32), accessHash: random(32), day: today });
  await store.purgeEntries({ beforeDay: today - 30, maxItems: 90 });
  const people = Array.from({ length: 6 }, (_, at) =>
    newState({ names: { bind: { username: `p${at}`, binding: random(80) }, release: undefined } }),
  );
  await store.publishDirectory(newPublication({ changes: people, isJournaled: true }));
  for (const person of people.slice(0, 2)) {
    await publishState(store, newState({ accountId: person.accountId, version: 1, names: { bind: undefined, release: undefined } }));
  }
  while (!(await store.collectHeads({ maxItems: 3 })).isComplete);
  await store.publishDirectory(newPublication({ withHeads: true }));
  const [first = newState()] = people.slice(5);
  const inboxId = random(32);
  const device = { accountId: first.accountId, deviceId: first.deviceIds[0] ?? random(16) };
  await store.putCard({ ...device, inboxId, card: random(50) });
  await store.addKeyPackages({
    ...device,
    lastResort: false,
    notAfterDay: today + 9,
    keyPackages: [random(40), random(40)],
    maxOneTime: 9,
    day: today,
  });
  for (const part of ["contacts", "strangers"] as const) {
    await store.postItem({ inboxId, part, blob: random(300), day: today, maxItems: 9, maxBytes: 9000 });
  }
  const linkId = random(32);
  await store.openLinkInbox({ linkId, readHash: random(32), key: random(1216), lastDay: today + 5, maxLinks: 9, day: today });
  await store.putKnock({ linkId, blob: random(100), day: today, maxKnocks: 9 });
  await store.admin.setSetting({ name: "words", value: "Zoë & co" });
  await store.admin.setNameReserved({ name: "admin", isReserved: true });
  await store.putHistoryChunk({
    accountId: first.accountId,
    generation: random(16),
    number: 0,
    chunk: random(500),
    day: today,
    maxBytes: 9000,
    maxStoredBytes: 0,
  });
  return { logIds, entries, accountIds: people.map(({ accountId }) => accountId), inboxId, linkId, blobId: blob.blobId };
}

async function seen(store: Store, { logIds, accountIds, inboxId, linkId, blobId }: Content): Promise<unknown> {
  const logs: unknown[] = [];
  for (const logId of logIds) {
    logs.push(
      await store.readEpoch({ logId, epochId: 72 }),
      await store.readEntries({ logId, afterSeq: 0, ...page }),
      toHex(await store.proveLogHead({ logId, knownSize: 0 })),
    );
  }
  const lookups: unknown[] = [];
  for (const accountId of accountIds) lookups.push(await store.lookup(newQuery({ kind: "account", accountId })));
  return {
    logs,
    lookups,
    status: await store.directoryStatus(),
    checkpoint: await store.servedCheckpoint(),
    unjournaled: await store.unjournaled(),
    items: await store.readItems({ inboxId, afterSeq: 0, ...page }),
    knocks: await store.readKnocks({ linkId, afterSeq: 0, maxItems: 9 }),
    blob: await store.findBlob({ blobId }),
    totals: await store.admin.totals(),
    rules: await store.admin.rules(),
    holdings: await store.holdings({ accountId: accountIds[5] ?? random(32) }),
    newestDay: await store.newestDay(),
    areLogsBehind: await store.areLogsBehind(),
  };
}

test("every table of a data folder is moved, with all its columns, but what an engine makes for itself", () => {
  const directory = temporaryDirectory();
  const own = new Set(["logs noise", "logs recent_entries", "logs entry_digests", "accounts noise"]);
  for (const name of ["logs", "accounts"] as const) {
    const { database } = openDatabase(name, { directory });
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all() as { name: string }[];
    for (const table of tables.filter((each) => !own.has(`${name} ${each.name}`))) {
      const moved = movedTables.find((each) => each.database === name && each.name === table.name);
      const columns = database.prepare(`PRAGMA table_info(${table.name})`).all() as { name: string }[];
      const made = moved?.sqliteSource === undefined ? columns.map((column) => column.name) : moved.columns;
      expect([name, table.name, moved?.columns.toSorted()]).toEqual([name, table.name, made.toSorted()]);
    }
    database.close();
  }
});

describe.skipIf(findPostgres() === undefined)("a store is moved", () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres(keptSettings);
  });
  afterAll(() => postgres.stop());

  const optionsOf = (dataDirectory: string): MoveOptions => ({
    dataDirectory,
    database: { at: postgres.url, acceptLoss: true, schema: postgres.schemasOf(dataDirectory).logs.replace("_logs", "") },
  });

  test("to PostgreSQL and back, and everything is there, what is known of it too, and goes on", async () => {
    const directory = temporaryDirectory();
    const options = optionsOf(directory);
    let store = await openSqliteStore({ directory });
    const content = await fill(store);
    const before = await seen(store, content);
    await store.close();

    const { rows } = await moveToPostgres(options);
    expect(rows).toBeGreaterThan(300);
    expect(existsSync(join(directory, "accounts.sqlite"))).toBe(false);
    store = await openPostgresStore(postgresOf(options.database));
    expect(await seen(store, content)).toEqual(before);
    // What was stored before is known, and what comes now goes on from there.
    const isKnown = { kind: "accepted", isNew: false };
    const kept = content.entries.filter(({ day }) => day >= today - 30);
    for (const entry of kept) expect(await store.append(entry)).toMatchObject(isKnown);
    const more = content.logIds.map((logId) => newEntry(logId, { epochId: 72 }));
    for (const entry of more) expect(await store.append(entry)).toMatchObject({ kind: "accepted", isNew: true, seq: 75 });
    expect(await publishState(store, newState({ names: { bind: { username: "new", binding: random(80) }, release: undefined } }))).toEqual({
      kind: "published",
    });
    const after = await seen(store, content);
    await store.close();

    await expect(moveToPostgres(options)).rejects.toMatchObject({ code: "invalid_options" });
    expect(await moveToFolder(options)).toMatchObject({ rows: expect.any(Number) });
    store = await openSqliteStore({ directory });
    expect(await seen(store, content)).toEqual(after);
    for (const entry of [...kept, ...more]) expect(await store.append(entry)).toMatchObject(isKnown);
    for (const logId of content.logIds)
      expect(await store.append(newEntry(logId, { epochId: 72 }))).toMatchObject({ isNew: true, seq: 76 });
    await store.close();
    // Two servers with one public record would be two records.
    await expect(openPostgresStore(postgresOf(options.database))).rejects.toMatchObject({ code: "data_unusable" });
    await expect(moveToFolder({ ...options, dataDirectory: temporaryDirectory() })).rejects.toMatchObject({ code: "invalid_options" });
    // And there once more, over what lies there from before.
    await moveToPostgres(options);
    await (await openPostgresStore(postgresOf(options.database))).close();
  }, 60_000);

  test("what broke off is used by no server, and begins anew", async () => {
    const directory = temporaryDirectory();
    const options = optionsOf(directory);
    let store = await openSqliteStore({ directory });
    const content = await fill(store);
    const before = await seen(store, content);
    await store.close();
    await (await openPostgresStore(postgresOf(options.database))).close();
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    const { accounts } = postgresOf(options.database).schemas;
    await client.query(`ALTER TABLE ${accounts}.key_packages ADD CONSTRAINT not_now CHECK (seq <> 2)`);
    await expect(moveToPostgres(options)).rejects.toMatchObject({ code: "failed" });
    await expect(openPostgresStore(postgresOf(options.database))).rejects.toMatchObject({ code: "data_unusable" });
    store = await openSqliteStore({ directory });
    expect(await seen(store, content)).toEqual(before);
    await store.close();
    await client.query(`ALTER TABLE ${accounts}.key_packages DROP CONSTRAINT not_now`);
    await client.end();
    await moveToPostgres(options);
    store = await openPostgresStore(postgresOf(options.database));
    expect(await seen(store, content)).toEqual(before);
    await store.close();
  }, 60_000);

  test("what broke off at its end goes on from there", async () => {
    const directory = temporaryDirectory();
    const options = optionsOf(directory);
    let store = await openSqliteStore({ directory });
    const content = await fill(store);
    const before = await seen(store, content);
    await store.close();
    await moveToPostgres(options);
    // As if the last word had not been said, and one name not been given.
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    await client.query(
      `INSERT INTO ${postgresOf(options.database).schemas.accounts}.settings (name, value) VALUES ('store-moved', 'coming')`,
    );
    await client.end();
    renameSync(join(directory, "logs.sqlite.moved"), join(directory, "logs.sqlite"));
    await moveToPostgres(options);
    store = await openPostgresStore(postgresOf(options.database));
    expect(await seen(store, content)).toEqual(before);
    await store.close();
    await moveToFolder(options);
    // As if one name had not been given.
    mkdirSync(join(directory, "moving"));
    renameSync(join(directory, "accounts.sqlite"), join(directory, "moving", "accounts.sqlite"));
    writeFileSync(join(directory, "moving", "whole"), JSON.stringify({ rows: 7 }));
    expect(await moveToFolder(options)).toEqual({ rows: 7 });
    store = await openSqliteStore({ directory });
    expect(await seen(store, content)).toEqual(before);
    await store.close();
  }, 60_000);

  test("a copy in the folder that broke off before its last word is not taken for what a server wrote since", async () => {
    const directory = temporaryDirectory();
    const options = optionsOf(directory);
    let store = await openSqliteStore({ directory });
    const content = await fill(store);
    await store.close();
    await moveToPostgres(options);
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    onTestFinished(() => client.end());
    const { accounts } = postgresOf(options.database).schemas;
    // As on a full disk: it is read, and nothing is written.
    await client.query(`ALTER TABLE ${accounts}.settings ADD CONSTRAINT not_now CHECK (name <> 'store-moved')`);
    await expect(moveToFolder(options)).rejects.toMatchObject({ code: "failed" });
    await client.query(`ALTER TABLE ${accounts}.settings DROP CONSTRAINT not_now`);
    store = await openPostgresStore(postgresOf(options.database));
    const [logId = random(32)] = content.logIds;
    const since = newEntry(logId, { epochId: 72 });
    expect(await store.append(since)).toMatchObject({ isNew: true });
    const before = await seen(store, content);
    await store.close();
    await moveToFolder(options);
    store = await openSqliteStore({ directory });
    expect(await seen(store, content)).toEqual(before);
    expect(await store.append(since)).toMatchObject({ isNew: false });
    await store.close();
  }, 60_000);

  test("a server that is started while all is copied goes on, and the move begins anew once it is stopped", async () => {
    const options = optionsOf(temporaryDirectory());
    const places = postgresOf(options.database);
    let store = await openPostgresStore(places);
    const content = await fill(store);
    await store.close();
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    onTestFinished(() => client.end());
    // Which is read after the logs.
    await client.query(`BEGIN; LOCK TABLE ${places.schemas.accounts}.history_chunks`);
    const moving = moveToFolder(options).catch((error: unknown) => error);
    const waiting = "SELECT count(*)::int AS count FROM pg_locks WHERE NOT granted";
    await expect.poll(async () => (await client.query(waiting)).rows).toEqual([{ count: 1 }]);
    store = await openPostgresStore(places);
    const since = newEntry(content.logIds[0] ?? random(32), { epochId: 72 });
    expect(await store.append(since)).toMatchObject({ isNew: true });
    await client.query("COMMIT");
    expect(await moving).toMatchObject({ code: "data_locked" });
    const before = await seen(store, content);
    await store.close();
    await moveToFolder(options);
    store = await openSqliteStore({ directory: options.dataDirectory });
    expect(await seen(store, content)).toEqual(before);
    await store.close();
  }, 60_000);

  test("a server that comes while the last look is taken is refused, and a move that broke off there begins anew", async () => {
    const options = optionsOf(temporaryDirectory());
    const places = postgresOf(options.database);
    let store = await openPostgresStore(places);
    const content = await fill(store);
    const before = await seen(store, content);
    await store.close();
    const come: unknown[] = [];
    const look = vi.spyOn(PostgresSide.prototype, "refuseRunning");
    onTestFinished(() => void vi.restoreAllMocks());
    look.mockImplementationOnce(() => Promise.resolve());
    look.mockImplementationOnce(async () => {
      // It may have written what the copy lacks.
      come.push(await openPostgresStore(places).catch((error: unknown) => error));
      throw new Error("killed");
    });
    const { mark } = PostgresSide.prototype;
    // A process that is killed takes nothing back.
    vi.spyOn(PostgresSide.prototype, "mark").mockImplementation(async function (this: PostgresSide, moved) {
      if (moved !== undefined) await mark.call(this, moved);
    });
    await expect(moveToFolder(options)).rejects.toThrow("killed");
    vi.restoreAllMocks();
    expect(come).toMatchObject([{ code: "data_unusable" }]);
    await expect(openPostgresStore(places)).rejects.toMatchObject({ code: "data_unusable" });
    // Nor is it taken for what may be written over.
    const other = optionsOf(temporaryDirectory());
    await (await openSqliteStore({ directory: other.dataDirectory })).close();
    await expect(moveToPostgres({ ...other, database: options.database })).rejects.toMatchObject({ code: "invalid_options" });
    await moveToFolder(options);
    store = await openSqliteStore({ directory: options.dataDirectory });
    expect(await seen(store, content)).toEqual(before);
    await store.close();
  }, 60_000);

  test("a server that was cut off meanwhile does not go on with what was moved, and says why", async () => {
    const options = optionsOf(temporaryDirectory());
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query("CREATE ROLE distant SUPERUSER LOGIN");
    const load = new StoreLoad();
    const url = postgres.url.replace("latchkey@", "distant@");
    const store = await openPostgresStore({ ...postgresOf(options.database), url, accountsUrl: url }, load);
    onTestFinished(() => store.close());
    const { entries } = await fill(store);
    const [{ logId } = newEntry(random(32))] = entries;
    await client.query("ALTER ROLE distant NOLOGIN");
    await client.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'distant'");
    await moveToFolder(options);
    await client.query("ALTER ROLE distant LOGIN");
    await expect(store.append(newEntry(logId, { epochId: 72 }))).rejects.toMatchObject({ code: "unavailable" });
    await expect(store.readEntries({ logId, afterSeq: 0, ...page })).rejects.toMatchObject({ code: "unavailable" });
    await expect(publishState(store, newState())).rejects.toMatchObject({ code: "unavailable" });
    expect(load.away()).toContain("was moved to a data folder");
  }, 60_000);

  test("what was moved to another folder is not written over with what a folder had before", async () => {
    const options = optionsOf(temporaryDirectory());
    const store = await openSqliteStore({ directory: options.dataDirectory });
    await fill(store);
    await store.close();
    await moveToPostgres(options);
    await moveToFolder({ ...options, dataDirectory: temporaryDirectory() });
    await expect(moveToPostgres(options)).rejects.toMatchObject({ code: "invalid_options" });
    expect(existsSync(join(options.dataDirectory, "accounts.sqlite.moved"))).toBe(true);
  }, 60_000);

  test("what is large comes in parts that are not", async () => {
    const options = optionsOf(temporaryDirectory());
    const { schemas } = postgresOf(options.database);
    const store = await openPostgresStore(postgresOf(options.database));
    const chunk = { accountId: newState().accountId, generation: random(16), day: today, maxBytes: 1e9, maxStoredBytes: 0 };
    await publishState(store, newState({ accountId: chunk.accountId }));
    for (let number = 0; number < 40; number++) await store.putHistoryChunk({ ...chunk, number, chunk: random(245_760) });
    await store.close();
    const accounts = await PostgresDatabase.open({ url: postgres.url, schema: schemas.accounts });
    onTestFinished(() => accounts.close());
    const table = movedTables.find(({ name }) => name === "history_chunks");
    if (table === undefined) throw new Error("history is not moved");
    const parts: number[] = [];
    const { rows } = await new PostgresSide({ logs: accounts, accounts }).read(table, (part) => {
      parts.push(part.reduce((sum, row) => sum + sizeOf(row), 0));
    });
    expect(rows).toBe(40);
    expect(Math.max(...parts)).toBeLessThan(2_500_000);
  });

  test("nothing is put over a server's data, from a folder without any, or while a server runs", async () => {
    const directory = temporaryDirectory();
    const options = optionsOf(directory);
    await expect(moveToPostgres(options)).rejects.toMatchObject({ code: "invalid_options" });
    await expect(moveToFolder(options)).rejects.toMatchObject({ code: "invalid_options" });
    const other = await openPostgresStore(postgresOf(options.database));
    await expect(moveToPostgres(options)).rejects.toMatchObject({ code: "data_locked" });
    await expect(moveToFolder(options)).rejects.toMatchObject({ code: "data_locked" });
    await other.createLog({ logId: random(32), accessHash: random(32), day: today });
    await other.close();
    const store = await openSqliteStore({ directory });
    await expect(moveToPostgres(options)).rejects.toMatchObject({ code: "data_locked" });
    await store.close();
    await expect(moveToPostgres(options)).rejects.toMatchObject({ code: "invalid_options", message: expect.stringContaining("already") });
    await expect(moveToFolder(options)).rejects.toMatchObject({ code: "invalid_options" });
  });
});
