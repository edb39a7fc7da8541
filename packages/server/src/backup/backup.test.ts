import { toBase64Url, toHex } from "@latchkey/codec";
import type { NamedBlob } from "@latchkey/protocol";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { sha256 } from "../hash.ts";
import { createLog, createTestLog, entryBytes, openLog, random, register, runServer, temporaryDirectory } from "../testing/fixtures.ts";
import { databaseFile } from "../store/sqlite/database-files.ts";
import { maxSeq } from "../store/sql/row-ids.ts";
import { TestClient } from "../testing/test-client.ts";
import type { ServerOptions } from "../config.ts";
import { ServerError } from "../errors.ts";
import type { RunningServer } from "../server.ts";
import { copiedDatabases, createBackup, dropOldBackups, findBackups } from "./backup.ts";
import type { MadeBackup } from "./backup.ts";
import { copyDatabases } from "./database-copy.ts";
import { folderPlace } from "./place.ts";
import { restoreBackup } from "./restore.ts";
import { scheduleBackups } from "./schedule.ts";
import { openSealedKeys, readKeys, sealKeys } from "./sealed-keys.ts";

const passphrase = "correct horse battery";
const indexFile = copiedDatabases[0] ?? "";

async function putBlob(url: string): Promise<NamedBlob> {
  const [blobId, bytes] = [random(32), new Uint8Array(random(5000))];
  const response = await fetch(`${url}/v1/blobs/${toBase64Url(blobId)}`, { method: "PUT", body: bytes });
  if (!response.ok) throw new Error(`not stored: ${String(response.status)}`);
  return { blobId, hash: sha256(bytes), sizeBytes: bytes.length };
}

/** A server with an account, a log and blobs that its entries name, and what writes on. */
async function lively(options: Partial<ServerOptions> = {}): Promise<{
  server: RunningServer;
  url: string;
  dataDirectory: string;
  write: () => Promise<Uint8Array>;
  writeWithBlob: () => Promise<Uint8Array>;
}> {
  const dataDirectory = options.dataDirectory ?? temporaryDirectory();
  const server = await runServer({ ...options, dataDirectory });
  await register(server, "alice");
  const client = await TestClient.connect(server.url, "log");
  const log = createTestLog();
  await createLog(client, log);
  await openLog(client, log);
  const append = async (blob: Uint8Array): Promise<Uint8Array> => {
    const outcome = await client.outcome({ kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob });
    if (outcome !== "accepted") throw new Error(outcome);
    return blob;
  };
  return {
    server,
    url: server.url,
    dataDirectory,
    write: () => append(entryBytes(700)),
    async writeWithBlob() {
      const named = await putBlob(server.url);
      await append(entryBytes(700, [named]));
      return named.blobId;
    },
  };
}

/** A backup without keys, by a clock that says so many days after 1970. */
function backUp(dataDirectory: string, to: string, day: number): Promise<MadeBackup> {
  return createBackup({ dataDirectory, to, passphrase: undefined, nowMs: day * 86_400_000 });
}

function blobsIn(folder: string): string[] {
  return readdirSync(join(folder, "blobs"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}

function entriesIn(database: string): Set<string> {
  const copy = new DatabaseSync(database, { readOnly: true });
  const rows = copy.prepare("SELECT blob FROM entries").all() as { blob: Uint8Array }[];
  copy.close();
  return new Set(rows.map(({ blob }) => toHex(blob)));
}

describe("a backup", () => {
  test("made while messages come holds all that was acknowledged before it, with every blob, for this user's eyes only", async () => {
    const { dataDirectory, write, writeWithBlob } = await lively();
    const to = join(temporaryDirectory(), "backups");
    const before = [];
    for (let count = 0; count < 40; count++) before.push(await write());
    const blobs = [await writeWithBlob(), await writeWithBlob()];
    let isDone = false;
    const writing = (async () => {
      for (let count = 0; !isDone; count++) await (count % 10 === 0 ? writeWithBlob() : write());
    })();
    const made = await createBackup({ dataDirectory, to, passphrase, nowMs: Date.now() });
    isDone = true;
    await writing;

    expect(statSync(to).mode & 0o777).toBe(0o700);
    for (const entry of readdirSync(made.path, { recursive: true, withFileTypes: true })) {
      expect(statSync(join(entry.parentPath, entry.name)).mode & 0o077).toBe(0);
    }
    const held = entriesIn(join(made.path, indexFile));
    for (const blob of before) expect(held.has(toHex(blob))).toBe(true);
    const files = new Set(blobsIn(made.path));
    for (const blob of blobs) expect(files.has(toBase64Url(blob))).toBe(true);
    const index = new DatabaseSync(join(made.path, indexFile), { readOnly: true });
    const named = index.prepare("SELECT blob_id FROM blobs").all() as { blob_id: Uint8Array }[];
    index.close();
    expect(files).toEqual(new Set(named.map(({ blob_id: id }) => toBase64Url(id))));
    expect(made.manifest.blobs).toMatchObject({ count: files.size, missing: 0 });
    expect(made.manifest.record).toMatchObject({ size: 2 });
    // The folder that it was written in has become it, and nothing else stays.
    expect(readdirSync(to).filter((name) => name !== "lock.sqlite")).toEqual([made.path.slice(to.length + 1)]);
    expect(JSON.parse(readFileSync(join(dataDirectory, "last-backup.json"), "utf8"))).toEqual({
      timeMs: made.manifest.createdMs,
      path: made.path,
      recordSize: made.manifest.record.size,
    });
  });

  test("the next one in the same place takes no more room for the blobs that it has already, and forgets those that went", async () => {
    const { dataDirectory, writeWithBlob } = await lively();
    const to = temporaryDirectory();
    const first = await writeWithBlob();
    const one = await createBackup({ dataDirectory, to, passphrase: undefined, nowMs: 1_700_000_000_000 });
    const second = await writeWithBlob();
    const two = await createBackup({ dataDirectory, to, passphrase: undefined, nowMs: 1_700_000_000_000 });
    expect(two.path).not.toBe(one.path);
    expect(one.hasKeys).toBe(false);
    expect(new Set(blobsIn(two.path))).toEqual(new Set([first, second].map(toBase64Url)));
    const place = (folder: string): string => join(folder, "blobs", toHex(first.subarray(0, 1)), toBase64Url(first));
    expect(statSync(place(two.path)).ino).toBe(statSync(place(one.path)).ino);
  });

  test("one that was broken off is none: it has no name, and the next removes it", async () => {
    const { dataDirectory } = await lively();
    const to = temporaryDirectory();
    mkdirSync(join(to, "unfinished-0123"));
    writeFileSync(join(to, "unfinished-0123", indexFile), "half");
    const controller = new AbortController();
    const broken = createBackup({ dataDirectory, to, passphrase: undefined, nowMs: Date.now(), signal: controller.signal });
    controller.abort();
    await expect(broken).rejects.toMatchObject({ code: "backup_failed" });
    expect(await findBackups(to)).toEqual([]);
    expect(readdirSync(to)).toEqual(["lock.sqlite"]);
    await createBackup({ dataDirectory, to, passphrase: undefined, nowMs: Date.now() });
    expect(await findBackups(to)).toHaveLength(1);
  });

  test("two at once in one place: the second is refused and the first goes on", async () => {
    const { dataDirectory } = await lively();
    const to = temporaryDirectory();
    const options = { dataDirectory, to, passphrase: undefined, nowMs: Date.now() };
    const outcomes = await Promise.allSettled([createBackup(options), createBackup(options)]);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(outcomes.find(({ status }) => status === "rejected")).toMatchObject({ reason: { code: "backup_failed" } });
  });

  test("of a damaged data folder none is made: neither the entry of a log nor the public record may be another", async () => {
    const { dataDirectory, write } = await lively();
    for (let count = 0; count < 5; count++) await write();
    for (const [change, fault] of [
      [`UPDATE entries SET blob = zeroblob(length(blob)) WHERE id % ${String(maxSeq + 1)} = 3`, "an entry of a log"],
      ["UPDATE directory_entries SET entry = (SELECT entry FROM directory_entries WHERE position = 0) WHERE position = 1", "public record"],
      ["UPDATE directory_checkpoints SET note = replace(note, char(10) || '2' || char(10), char(10) || '3' || char(10))", "public record"],
    ] as const) {
      const folder = temporaryDirectory();
      await createBackup({ dataDirectory, to: folder, passphrase: undefined, nowMs: Date.now() });
      const [found] = await findBackups(folder);
      const damaged = temporaryDirectory();
      for (const file of copiedDatabases) {
        copyFileSync(join(found?.path ?? "", file), join(damaged, file));
        const database = new DatabaseSync(join(damaged, file));
        const table = / ?UPDATE (\w+)/.exec(change)?.[1] ?? "";
        if (database.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?").get(table) !== undefined) database.exec(change);
        database.close();
      }
      const to = temporaryDirectory();
      await expect(createBackup({ dataDirectory: damaged, to, passphrase: undefined, nowMs: Date.now() })).rejects.toMatchObject({
        code: "backup_failed",
        message: expect.stringContaining(fault) as unknown,
      });
      expect(await findBackups(to)).toEqual([]);
    }
  });

  test("of a data folder that an older version left can be made before this one is started on it", () => {
    const [from, to] = [temporaryDirectory(), temporaryDirectory()];
    const fixture = fileURLToPath(new URL("../store/sqlite/fixtures/logs-v1.sqlite", import.meta.url));
    copyFileSync(fixture, join(from, databaseFile.logs));
    copyDatabases({ from, to, files: [databaseFile.logs] });
    const copy = new DatabaseSync(join(to, databaseFile.logs), { readOnly: true });
    expect(copy.prepare("SELECT count(*) AS entries FROM entries").get()).toEqual({ entries: 2 });
    copy.close();
  });

  test("a blob that the data folder has lost is told of, and all the rest is kept", async () => {
    const { dataDirectory, writeWithBlob } = await lively();
    const lost = await writeWithBlob();
    await writeWithBlob();
    rmSync(join(dataDirectory, "blobs", toHex(lost.subarray(0, 1)), toBase64Url(lost)));
    const { manifest } = await createBackup({ dataDirectory, to: temporaryDirectory(), passphrase: undefined, nowMs: Date.now() });
    expect(manifest.blobs).toMatchObject({ count: 1, missing: 1 });
  });

  test("old ones go, the newest stay, one at least", async () => {
    const { dataDirectory } = await lively();
    const to = temporaryDirectory();
    const made = [await backUp(dataDirectory, to, 1), await backUp(dataDirectory, to, 2), await backUp(dataDirectory, to, 3)] as const;
    const paths = made.map(({ path }) => path);
    expect(await dropOldBackups(made[2], 2)).toMatchObject({ removed: 1 });
    expect((await findBackups(to)).map(({ path }) => path)).toEqual(paths.slice(1));
    expect(await dropOldBackups(made[2], 0)).toMatchObject({ removed: 1 });
    expect((await findBackups(to)).map(({ path }) => path)).toEqual(paths.slice(2));
  });

  test("those that a clock dated ahead go before the true ones made after them, and a restore takes the newest", async () => {
    const { dataDirectory } = await lively();
    const to = temporaryDirectory();
    for (const day of [41, 42, 43]) await backUp(dataDirectory, to, day);
    const paths: string[] = [];
    for (const day of [1, 2, 3]) {
      const made = await backUp(dataDirectory, to, day);
      await dropOldBackups(made, 3);
      paths.push(made.path);
    }
    expect((await findBackups(to)).map(({ path }) => path)).toEqual(paths);
    const made = await backUp(dataDirectory, to, 44);
    const last = await backUp(dataDirectory, to, 4);
    expect((await findBackups(to)).slice(-2)).toMatchObject([{ path: made.path }, { path: last.path }]);
  });

  test("those of another server stay, also of one of the same name; a restore asks which is meant, by the paths to name", async () => {
    const to = temporaryDirectory();
    const host = "latchkey.example";
    const [known, empty, other] = [await lively({ host }), await lively({ host }), await lively()];
    const kept = [await backUp(known.dataDirectory, to, 1), await backUp(other.dataDirectory, to, 1)];
    for (const day of [2, 3, 4]) {
      const made = await backUp(empty.dataDirectory, to, day);
      await dropOldBackups(made, 1);
      if (day === 4) kept.push(made);
    }
    const paths = kept.map(({ path }) => path);
    expect((await findBackups(to)).map(({ path }) => path).toSorted()).toEqual(paths.toSorted());
    const dataDirectory = join(temporaryDirectory(), "data");
    const restored = restoreBackup({
      from: folderPlace(to),
      dataDirectory,
      passphrase: () => Promise.resolve(""),
      keysFolder: undefined,
      nowMs: 0,
    });
    const message: unknown = await restored.catch((error: unknown) => (error instanceof ServerError ? error.message : error));
    for (const path of paths) expect(message).toContain(path);
    expect(existsSync(dataDirectory)).toBe(false);
  });

  test("one that holds more of the public record than the new one stays: then the server has lost something", async () => {
    const { server, dataDirectory } = await lively();
    const to = temporaryDirectory();
    const old = await backUp(dataDirectory, temporaryDirectory(), 1);
    await register(server, "bert");
    const more = await backUp(dataDirectory, to, 2);
    // Put back from the copy without the account.
    const restored = join(temporaryDirectory(), "data");
    mkdirSync(restored);
    for (const name of copiedDatabases) copyFileSync(join(old.path, name), join(restored, name));
    const made = await backUp(restored, to, 3);
    expect(made.manifest.sequence).toBe(more.manifest.sequence + 1);
    expect(await dropOldBackups(made, 1)).toEqual({ removed: 0, leastRecordSize: made.manifest.record.size });
    expect(await findBackups(to)).toHaveLength(2);
  });

  test("of a folder that is no server's, or into a place that cannot be written, one sentence says so", async () => {
    const { dataDirectory } = await lively();
    const nowMs = Date.now();
    const to = temporaryDirectory();
    await expect(createBackup({ dataDirectory: join(to, "nothing"), to, passphrase: undefined, nowMs })).rejects.toMatchObject({
      message: expect.stringContaining("--data") as unknown,
    });
    writeFileSync(join(to, "file"), "");
    await expect(createBackup({ dataDirectory, to: join(to, "file", "x"), passphrase: undefined, nowMs })).rejects.toMatchObject({
      message: expect.stringContaining("ENOTDIR") as unknown,
    });
    rmSync(join(dataDirectory, "directory", "vrf.key"));
    await expect(createBackup({ dataDirectory, to, passphrase, nowMs })).rejects.toMatchObject({
      message: expect.stringContaining("vrf.key") as unknown,
    });
    expect(await findBackups(to)).toEqual([]);
  });
});

describe("the keys in a backup", () => {
  test("open with their passphrase alone, and not when a byte of them is another", async () => {
    const { dataDirectory } = await lively();
    const keys = await readKeys(join(dataDirectory, "directory"));
    const sealed = await sealKeys(keys, passphrase);
    for (const key of keys.values()) expect(sealed).not.toContain(Buffer.from(key).toString("base64").slice(0, 40));
    expect(await openSealedKeys(sealed, passphrase)).toEqual(keys);
    await expect(openSealedKeys(sealed, `${passphrase}s`)).rejects.toMatchObject({ code: "wrong_passphrase" });
    const parts = JSON.parse(sealed) as Record<string, string>;
    const bytes = Buffer.from(parts["sealed"] ?? "", "base64");
    bytes[5] = (bytes[5] ?? 0) ^ 1;
    const other = JSON.stringify({ ...parts, sealed: bytes.toString("base64") });
    await expect(openSealedKeys(other, passphrase)).rejects.toMatchObject({ code: "wrong_passphrase" });
    for (const text of ["", "[]", "{}", JSON.stringify({ ...parts, salt: 5 }), JSON.stringify({ ...parts, nonce: "" })]) {
      await expect(openSealedKeys(text, passphrase)).rejects.toMatchObject({ code: "restore_failed" });
    }
  });
});

describe("scheduled backups", () => {
  test("one is made when it is due, by what lies there already; old ones go; a failure is told and tried again", async () => {
    const { dataDirectory } = await lively();
    const to = temporaryDirectory();
    let nowMs = 1_700_000_000_000;
    let [first, neededSize] = ["", 0];
    let next: { delayMs: number; run: () => void } | undefined;
    const told: string[] = [];
    const start = (place: string): (() => Promise<void>) =>
      scheduleBackups(
        { place: folderPlace(place), everyMs: 86_400_000, keep: 2 },
        {
          dataDirectory,
          nowMs: () => nowMs,
          recordFirst: () => Promise.resolve(first),
          neededSize: () => neededSize,
          setTimer(delayMs, run) {
            next = { delayMs, run };
            return () => (next = undefined);
          },
          onDone: () => told.push("done"),
          onFailure: (message) => told.push(message),
          reportBug: (error) => told.push(String(error)),
        },
      );
    const pass = async (): Promise<number> => {
      const due = next;
      if (due === undefined) throw new Error("nothing is planned");
      nowMs += due.delayMs;
      due.run();
      await expect.poll(() => next !== due, { timeout: 20_000 }).toBe(true);
      return next?.delayMs ?? 0;
    };
    // Another server's lies there already, of this moment.
    const other = await lively();
    await createBackup({ dataDirectory: other.dataDirectory, to, passphrase: undefined, nowMs: nowMs + 60_000 });
    const { manifest } = await createBackup({ dataDirectory, to: temporaryDirectory(), passphrase: undefined, nowMs });
    ({ first } = manifest.record);
    let stop = start(to);
    for (let count = 0; count < 3; count++) expect(await pass()).toBe(86_400_000);
    expect(told).toEqual(["done", "done", "done"]);
    expect(await findBackups(to)).toHaveLength(3);
    await stop();
    expect(next).toBeUndefined();
    // Started again an hour later, it makes none before its time, wherever others of its own were made meanwhile.
    nowMs += 3_600_000;
    await createBackup({ dataDirectory, to: temporaryDirectory(), passphrase: undefined, nowMs });
    stop = start(to);
    expect(await pass()).toBe(86_400_000 - 3_600_000 - 60_000);
    expect(told).toHaveLength(3);
    await stop();
    // Unless the newest lacks what a restore would need.
    neededSize = manifest.record.size + 1;
    stop = start(to);
    expect(await pass()).toBe(86_400_000);
    expect(told).toHaveLength(4);
    await stop();
    const file = join(temporaryDirectory(), "file");
    writeFileSync(file, "");
    stop = start(file);
    expect(await pass()).toBe(3_600_000);
    expect(told.at(-1)).toContain("cannot be written");
    await stop();
    expect(existsSync(file)).toBe(true);
  });
});
