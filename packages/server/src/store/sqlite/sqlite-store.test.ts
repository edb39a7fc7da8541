import { entryHead, joinEntry } from "@latchkey/protocol";
import { decodeHeadsProof } from "@latchkey/transparency";
import { DatabaseSync } from "node:sqlite";
import { copyFileSync, existsSync, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { random, temporaryDirectory } from "../../testing/fixtures.ts";
import { inProcessChannel } from "../../testing/in-process-channel.ts";
import { newCommit, newEntry, newPublication, newQuery, newState, publishState } from "../../testing/store-inputs.ts";
import { describeStore } from "../../testing/store-suite.ts";
import type { Store } from "../store.ts";
import { databaseFile, databaseFiles } from "./database-files.ts";
import type { DatabaseName } from "./database-files.ts";
import { accountsSchema, logsSchema, migrate } from "./schema.ts";
import { openSqliteStore, openStore } from "./sqlite-store.ts";

const page = { maxItems: 1000, maxBytes: 1_000_000 };
const oneLine = /^[^\n]+[.]$/;

describeStore("SQLite", (directory) => openSqliteStore({ directory }));

describe("the data directory", () => {
  test("one server at a time uses it", async () => {
    const directory = temporaryDirectory();
    const store = await openSqliteStore({ directory });
    await expect(openSqliteStore({ directory })).rejects.toMatchObject({ code: "data_locked", message: expect.stringMatching(oneLine) });
    await store.close();
    await (await openSqliteStore({ directory })).close();
  });

  test("one of a newer version is refused and left as it is", async () => {
    const directory = temporaryDirectory();
    await (await openSqliteStore({ directory })).close();
    const newer = { accounts: accountsSchema.steps.length + 1, logs: logsSchema.steps.length + 1 };
    for (const name of ["logs", "accounts"] as const) {
      const database = new DatabaseSync(join(directory, databaseFile[name]));
      database.exec(`PRAGMA user_version = ${newer[name]}`);
      database.close();
      await expect(openSqliteStore({ directory })).rejects.toMatchObject({ code: "data_newer", message: expect.stringMatching(oneLine) });
      const after = new DatabaseSync(join(directory, databaseFile[name]));
      expect(after.prepare("PRAGMA user_version").get()).toEqual({ user_version: newer[name] });
      after.close();
    }
  });

  test("a database of something else, a damaged one, and a file in its place are refused", async () => {
    for (const name of databaseFiles) {
      const foreign = temporaryDirectory();
      const database = new DatabaseSync(join(foreign, name));
      database.exec("CREATE TABLE notes (text TEXT)");
      database.close();
      const unusable = { code: "data_unusable", message: expect.stringMatching(oneLine) };
      await expect(openSqliteStore({ directory: foreign })).rejects.toMatchObject(unusable);
      const damaged = temporaryDirectory();
      writeFileSync(join(damaged, name), random(8192));
      await expect(openSqliteStore({ directory: damaged })).rejects.toMatchObject(unusable);
    }
    const former = temporaryDirectory();
    await (await openSqliteStore({ directory: former })).close();
    const marked = new DatabaseSync(join(former, databaseFile.logs));
    // "LTCL"
    marked.exec("PRAGMA application_id = 0x4c54434c");
    marked.close();
    await expect(openSqliteStore({ directory: former })).rejects.toMatchObject({
      code: "data_unusable",
      message: expect.stringMatching(/^[^\n]+before the first release[^\n]+\.$/),
    });
    // One of the two in the place of the other is neither.
    const swapped = temporaryDirectory();
    await (await openSqliteStore({ directory: swapped })).close();
    renameSync(join(swapped, databaseFile.accounts), join(swapped, databaseFile.logs));
    await expect(openSqliteStore({ directory: swapped })).rejects.toMatchObject({ code: "data_unusable" });
    const file = join(temporaryDirectory(), "file");
    writeFileSync(file, "");
    await expect(openSqliteStore({ directory: file })).rejects.toMatchObject({
      code: "data_unusable",
      message: expect.stringMatching(oneLine),
    });
  });

  test("nobody else on the machine may read it", async () => {
    const directory = join(temporaryDirectory(), "data");
    const store = await openSqliteStore({ directory });
    expect(statSync(directory).mode & 0o077).toBe(0);
    for (const name of databaseFiles) expect(statSync(join(directory, name)).mode & 0o077).toBe(0);
    await store.close();
  });
});

describe("migrations", () => {
  // Written by this file's `writeFixture` when the version was released; never written again.
  const saved = (name: DatabaseName, version: number): string =>
    fileURLToPath(new URL(`./fixtures/${name}-v${version}.sqlite`, import.meta.url));
  const newest = { accounts: accountsSchema.steps.length, logs: logsSchema.steps.length };
  const names = ["accounts", "logs"] as const;
  const logId = new Uint8Array(32).fill(1);

  /** A small database with something in every table. */
  async function writeFixture(directory: string): Promise<void> {
    const store = await openSqliteStore({ directory });
    const day = 20_000;
    const id = (n: number): Uint8Array => new Uint8Array(32).fill(n);
    await store.createLog({ logId, accessHash: id(2), day });
    await store.addBlob({ blobId: id(3), sha256: id(4), sizeBytes: 7, expiresDay: day });
    await store.append(newEntry(logId, { blob: joinEntry(entryHead([{ blobId: id(3), hash: id(4), sizeBytes: 7 }]), id(5)) }));
    await store.leaveBytes({ blobId: id(23), sha256: id(24), taker: new Uint8Array(16).fill(25) });
    await store.append(newCommit(logId, 0, { blob: id(6), nextAccessHash: id(7) }));
    const deviceId = new Uint8Array(16).fill(8);
    const names = { bind: { username: "alice", binding: id(9) }, release: undefined };
    await publishState(
      store,
      newState({ accountId: id(10), version: 0, state: id(11), pops: [id(12)], deviceIds: [deviceId], names, day }),
    );
    await store.putCard({ accountId: id(10), deviceId, inboxId: id(13), card: id(14) });
    const keyPackages = [id(15), id(16)];
    await store.addKeyPackages({ accountId: id(10), deviceId, lastResort: false, notAfterDay: 30_000, keyPackages, maxOneTime: 9, day });
    await store.postItem({ inboxId: id(13), part: "strangers", blob: id(17), day, maxItems: 9, maxBytes: 999 });
    await store.setCapability({ inboxId: id(13), generation: 5, hash: id(18) });
    await store.admin.addInvitation({ codeHash: id(19), usesLeft: 3, lastDay: 30_000, day, maxItems: 9 });
    await store.admin.setNameReserved({ name: "mayor", isReserved: true });
    await store.admin.setSuspended({ username: "alice", isSuspended: true, day });
    await store.admin.setSetting({ name: "announcement", value: "hello" });
    await store.dropJournaled({ size: 1, journal: "a journal" });
    const generation = new Uint8Array(16).fill(20);
    await store.putHistoryChunk({ accountId: id(10), generation, number: 0, chunk: id(21), day, maxBytes: 99, maxStoredBytes: 0 });
    await store.putHistoryManifest({ accountId: id(10), previous: 0, counter: 1, generation, chunks: 1, manifest: id(22), day });
    await store.close();
  }

  test("a database of every released version is opened and read", async () => {
    for (const name of names) {
      const path = saved(name, newest[name]);
      if (existsSync(path)) continue;
      const directory = temporaryDirectory();
      await writeFixture(directory);
      mkdirSync(fileURLToPath(new URL("./fixtures", import.meta.url)), { recursive: true });
      copyFileSync(join(directory, databaseFile[name]), path);
      expect.fail(`there was no saved database ${name} of version ${newest[name]}: it has been written, look at it and commit it`);
    }
    const named = joinEntry(
      entryHead([{ blobId: new Uint8Array(32).fill(3), hash: new Uint8Array(32).fill(4), sizeBytes: 7 }]),
      new Uint8Array(32).fill(5),
    );
    for (let version = 1; version <= Math.max(newest.accounts, newest.logs); version++) {
      const directory = temporaryDirectory();
      for (const name of names) copyFileSync(saved(name, Math.min(version, newest[name])), join(directory, databaseFile[name]));
      const store = await openSqliteStore({ directory });
      const id = (n: number): Uint8Array => new Uint8Array(32).fill(n);
      expect(await store.readEpoch({ logId, epochId: 2 })).toMatchObject({ accessHash: id(7), currentEpochId: 2, lastSeq: 2 });
      expect(await store.readEntries({ logId, afterSeq: 0, ...page })).toMatchObject([
        { blob: named },
        { blob: id(6), nextAccessHash: id(7) },
      ]);
      expect(await store.holdings({ accountId: id(10) })).toMatchObject({
        usernames: [{ username: "alice", status: "bound", binding: id(9) }],
      });
      expect(await store.heldStates({ accountId: id(10), fromVersion: 0, maxBytes: 1000 })).toMatchObject([
        { state: id(11), pops: [id(12)] },
      ]);
      expect(await store.journalNote()).toEqual({ journal: "a journal", size: 1 });
      const query = { kind: "username", username: "alice" } as const;
      expect(await store.lookup(newQuery(query))).toMatchObject({ kind: "account", states: [id(11)], pops: [id(12)], bindings: [id(9)] });
      const device = { accountId: id(10), deviceId: new Uint8Array(16).fill(8), day: 20_000 };
      expect(await store.takeKeyPackage(device)).toEqual({ kind: "taken", card: id(14), keyPackage: id(15), lastResort: false });
      expect(await store.readItems({ inboxId: id(13), afterSeq: 0, ...page })).toMatchObject([{ seq: 1, blob: id(17) }]);
      expect(await store.capabilityHash({ inboxId: id(13) })).toEqual(id(18));
      expect(await store.expireBlobs({ day: 20_001, maxItems: 9 })).toEqual([]);
      expect(await store.collectHeads({ maxItems: 9 })).toEqual({ isComplete: true });
      await store.publishDirectory(newPublication({ withHeads: true }));
      expect(decodeHeadsProof(await store.proveLogHead({ logId, knownSize: 0 }))).toMatchObject({ seq: 2 });
      expect(await store.admin.isInvited({ codeHash: id(19), day: 20_000 })).toBe(true);
      expect(await store.admin.rules()).toEqual({
        reservedNames: ["mayor"],
        restricted: [{ accountId: id(10), username: "alice", what: "suspended", by: "operator", sinceDay: 20_000, untilDay: undefined }],
        settings: { announcement: "hello" },
      });
      await store.close();
    }
  });

  test("what a released version wrote has, once it is brought to the newest one, the schema that the steps make: no step was changed since", () => {
    const tables = (database: DatabaseSync): unknown =>
      database.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").all();
    for (const name of names) {
      const schema = name === "accounts" ? accountsSchema : logsSchema;
      const made = new DatabaseSync(":memory:");
      migrate(made, schema);
      for (let version = 1; version <= newest[name]; version++) {
        const path = join(temporaryDirectory(), databaseFile[name]);
        copyFileSync(saved(name, version), path);
        const database = new DatabaseSync(path);
        expect(database.prepare("PRAGMA user_version").get()).toEqual({ user_version: version });
        migrate(database, schema);
        expect(tables(database)).toEqual(tables(made));
        database.close();
      }
      made.close();
    }
  });

  test("a step that fails leaves the version before it", () => {
    for (const schema of [accountsSchema, logsSchema]) {
      const { steps } = schema;
      const more = "CREATE TABLE more (a INTEGER)";
      const database = new DatabaseSync(":memory:");
      migrate(database, schema);
      expect(() => migrate(database, { ...schema, steps: [...steps, `${more}; CREATE TABLE noise (again INTEGER)`] })).toThrow();
      expect(database.prepare("PRAGMA user_version").get()).toEqual({ user_version: steps.length });
      expect(database.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'more'").get()).toEqual({ n: 0 });
      migrate(database, { ...schema, steps: [...steps, more] });
      expect(database.prepare("PRAGMA user_version").get()).toEqual({ user_version: steps.length + 1 });
      database.close();
    }
  });
});

describe("a disk that fails", () => {
  interface Disk {
    fails: "never" | "before commit" | "after commit";
  }

  /** `restart`: the store has stopped at the failure, and is opened anew. */
  async function withFaults(): Promise<{ store: Store; disk: Disk; logId: Uint8Array; restart: () => Promise<Store> }> {
    const disk: Disk = { fails: "never" };
    const fail = (): never => {
      throw Object.assign(new Error("disk I/O error"), { errcode: 10 });
    };
    const faults = {
      beforeCommit: (): void => {
        if (disk.fails === "before commit") fail();
      },
      afterCommit: (): void => {
        if (disk.fails === "after commit") fail();
      },
    };
    const directory = temporaryDirectory();
    const store = await openStore(inProcessChannel({ directory }, faults));
    const restart = async (): Promise<Store> => {
      expect(await store.failed).toMatchObject({ code: "store_failed" });
      await store.close();
      disk.fails = "never";
      return openStore(inProcessChannel({ directory }, faults));
    };
    const logId = random(32);
    await store.createLog({ logId, accessHash: random(32), day: 1 });
    return { store, disk, logId, restart };
  }

  test("[L-7] what failed before it was persisted is not there, and its retry gets the next number", async () => {
    const { store: first, disk, logId, restart } = await withFaults();
    await first.append(newEntry(logId));
    disk.fails = "before commit";
    const entries = [newEntry(logId), newEntry(logId)];
    const outcomes = await Promise.allSettled(entries.map((entry) => first.append(entry)));
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    const store = await restart();
    expect(await store.readEntries({ logId, afterSeq: 0, ...page })).toHaveLength(1);
    const retries = await Promise.all(entries.map((entry) => store.append(entry)));
    expect(retries).toMatchObject([
      { seq: 2, isNew: true },
      { seq: 3, isNew: true },
    ]);
    await store.close();
  });

  test("[L-6] what was persisted but reported failed is there once: its retry gets the first result", async () => {
    const { store: first, disk, logId, restart } = await withFaults();
    const commit = newCommit(logId, 0);
    disk.fails = "after commit";
    await expect(first.append(commit)).rejects.toMatchObject({ code: "failed" });
    const store = await restart();
    expect(await store.append(commit)).toMatchObject({ kind: "accepted", seq: 1, isNew: false });
    expect(await store.readEpoch({ logId, epochId: 0 })).toMatchObject({ currentEpochId: 1, lastSeq: 1 });
    expect(await store.append(newEntry(logId, { epochId: 1 }))).toMatchObject({ seq: 2, isNew: true });
    await store.close();
  });

  test("a full disk refuses what needs room, keeps everything stored, and takes more once there is room", async () => {
    const directory = temporaryDirectory();
    const store = await openSqliteStore({ directory, maxPages: 120 });
    const logId = random(32);
    await store.createLog({ logId, accessHash: random(32), day: 1 });
    const entries = Array.from({ length: 40 }, () => newEntry(logId, { blob: random(16_384), day: 1 }));
    const outcomes = await Promise.allSettled(entries.map((entry) => store.append(entry)));
    const accepted = outcomes.filter(({ status }) => status === "fulfilled");
    const refused = outcomes.filter(({ status }) => status === "rejected");
    expect(accepted.length).toBeGreaterThan(10);
    expect(refused.length).toBeGreaterThan(5);
    for (const outcome of refused) expect(outcome).toMatchObject({ reason: { code: "full" } });
    const stored = await store.readEntries({ logId, afterSeq: 0, maxItems: 1000, maxBytes: 10_000_000 });
    expect(stored.map(({ seq }) => seq)).toEqual(accepted.map((_, index) => index + 1));
    expect(await store.purgeEntries({ beforeDay: 2, maxItems: 1000 })).toBe(accepted.length);
    expect(await store.append(newEntry(logId, { blob: random(16_384) }))).toMatchObject({ seq: accepted.length + 1 });
    await store.close();
  });
});
