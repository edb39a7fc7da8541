import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createLog, createTestLog, entryBytes, openLog, register, runServer, temporaryDirectory } from "../testing/fixtures.ts";
import type { TestLog } from "../testing/fixtures.ts";
import { TestClient } from "../testing/test-client.ts";
import { copiedDatabases, createBackup } from "./backup.ts";
import { readRestoreMark } from "./restore-mark.ts";
import { folderPlace } from "./place.ts";
import { restoreBackup } from "./restore.ts";

const passphrase = "correct horse battery";
const host = "latchkey.example";

interface Made {
  readonly dataDirectory: string;
  readonly to: string;
  readonly log: TestLog;
}

/** A data folder with an account and three entries of a log, and its backup. */
async function backedUp(withKeys: boolean): Promise<Made> {
  const dataDirectory = temporaryDirectory();
  const server = await runServer({ dataDirectory, host });
  await register(server, "alice");
  const client = await TestClient.connect(server.url, "log");
  const log = createTestLog();
  await createLog(client, log);
  await openLog(client, log);
  for (let count = 0; count < 3; count++) {
    await client.ask({ kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob: entryBytes(500) });
  }
  const to = temporaryDirectory();
  await createBackup({ dataDirectory, to, passphrase: withKeys ? passphrase : undefined, nowMs: 1_700_000_000_000 });
  await server.close();
  return { dataDirectory, to, log };
}

const options = (from: string, dataDirectory: string): Parameters<typeof restoreBackup>[0] => ({
  from: folderPlace(from),
  dataDirectory,
  passphrase: () => Promise.resolve(passphrase),
  keysFolder: undefined,
  nowMs: 1_700_000_500_000,
});

describe("a restored data folder", () => {
  test("is what the server goes on with: the same host and record, its logs, its names; and it says that it was restored", async () => {
    const { to, log } = await backedUp(true);
    const restored = join(temporaryDirectory(), "data");
    const { recordSize } = await restoreBackup(options(to, restored));
    expect(recordSize).toBe(2);
    expect(readRestoreMark(restored)).toEqual({
      restoredMs: 1_700_000_500_000,
      copiedMs: 1_700_000_000_000,
      recordSize: 2,
      isRecordWhole: false,
    });
    expect(statSync(restored).mode & 0o777).toBe(0o700);
    for (const file of ["directory/log.key", "directory/vrf.key", ...copiedDatabases]) {
      expect(statSync(join(restored, file)).mode & 0o777).toBe(0o600);
    }
    const server = await runServer({ dataDirectory: restored, host });
    const client = await TestClient.connect(server.url, "log");
    expect(await openLog(client, log)).toBe("opened");
    expect(await client.take(3)).toHaveLength(3);
    const lookup = await TestClient.connect(server.url, "lookup");
    expect(await lookup.ask({ kind: "check_username", username: "alice" })).toEqual({ kind: "availability", reason: 1 });
    await register(server, "bob");
  });

  test("with the journal the public record ends where it did: accounts made since are there, also when heads of logs were published since", async () => {
    const [dataDirectory, journal, to] = [temporaryDirectory(), join(temporaryDirectory(), "journal"), temporaryDirectory()];
    const server = await runServer({ dataDirectory, host, journal, limits: { headsIntervalMs: 1, publicationIntervalMs: 0 } });
    await register(server, "alice");
    await createBackup({ dataDirectory, to, passphrase: undefined, nowMs: 1_700_000_000_000 });
    const keysFolder = join(dataDirectory, "directory");
    const client = await TestClient.connect(server.url, "log");
    const log = createTestLog();
    await createLog(client, log);
    await openLog(client, log);
    await client.ask({ kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob: entryBytes(500) });
    for (const name of ["bob", "carol"]) await register(server, name);
    const checkpoint = async (url: string): Promise<string> => {
      const note = await (await fetch(`${url}/v1/directory/checkpoint`)).text();
      return note.split("\n").slice(0, 3).join("\n");
    };
    const before = await checkpoint(server.url);
    expect(before.split("\n")[1]).toBe("4");
    await server.close();

    const restored = join(temporaryDirectory(), "data");
    expect(await restoreBackup({ ...options(to, restored), keysFolder, journal })).toMatchObject({ recordSize: 4, replayed: 2 });
    expect(readdirSync(restored).toSorted()).toEqual([...copiedDatabases, "directory", "last-backup.json", "restored.json"].toSorted());
    const again = await runServer({ dataDirectory: restored, host, journal });
    expect(await checkpoint(again.url)).toBe(before);
    const lookup = await TestClient.connect(again.url, "lookup");
    for (const username of ["alice", "bob", "carol"]) {
      expect(await lookup.ask({ kind: "check_username", username })).toEqual({ kind: "availability", reason: 1 });
      expect(await lookup.ask({ kind: "lookup_username", username, fromVersion: 0, knownSize: 0 })).toMatchObject({ kind: "account" });
    }
    await register(again, "dan");
    await again.close();

    // The same again, beside a journal that has gone on from this record; and one of another server, which leaves nothing behind.
    expect(await restoreBackup({ ...options(to, join(temporaryDirectory(), "data")), keysFolder, journal })).toMatchObject({
      recordSize: 5,
      replayed: 3,
    });
    const other = join(temporaryDirectory(), "journal");
    await (await runServer({ dataDirectory: temporaryDirectory(), host: "other.example", journal: other })).close();
    const empty = temporaryDirectory();
    for (const wrong of [other, temporaryDirectory()]) {
      await expect(restoreBackup({ ...options(to, empty), keysFolder, journal: wrong })).rejects.toMatchObject({
        code: "journal_unusable",
      });
      expect(readdirSync(empty)).toEqual([]);
    }
    // A journal of the same host that began anew goes on from another record.
    const anew = join(temporaryDirectory(), "journal");
    const second = await runServer({ dataDirectory: temporaryDirectory(), host, journal: anew });
    for (const name of ["xena", "yves"]) await register(second, name);
    await second.close();
    await expect(restoreBackup({ ...options(to, empty), keysFolder, journal: anew })).rejects.toMatchObject({ code: "journal_unusable" });
    expect(readdirSync(empty)).toEqual([]);
    await expect(runServer({ dataDirectory, host, journal: anew })).rejects.toMatchObject({ code: "journal_unusable" });
  });

  test("without sealed keys it needs the folder of the keys", async () => {
    const { dataDirectory, to } = await backedUp(false);
    const restored = temporaryDirectory();
    await expect(restoreBackup(options(to, restored))).rejects.toMatchObject({ message: expect.stringContaining("--keys") as unknown });
    expect(readdirSync(restored)).toEqual([]);
    await restoreBackup({ ...options(to, restored), keysFolder: join(dataDirectory, "directory") });
    expect(readFileSync(join(restored, "directory", "log.key"))).toEqual(readFileSync(join(dataDirectory, "directory", "log.key")));
  });

  test("[E-94] is not made over another one, nor of a backup that is none, damaged, or sealed with another passphrase", async () => {
    const { dataDirectory, to } = await backedUp(true);
    const empty = temporaryDirectory();
    await expect(restoreBackup(options(to, dataDirectory))).rejects.toMatchObject({
      message: expect.stringContaining("not empty") as unknown,
    });
    await expect(restoreBackup(options(empty, empty))).rejects.toMatchObject({
      message: expect.stringContaining("no finished backup") as unknown,
    });
    const other = { ...options(to, empty), passphrase: () => Promise.resolve("another passphrase") };
    await expect(restoreBackup(other)).rejects.toMatchObject({ code: "wrong_passphrase" });
    const [name = ""] = readdirSync(to).filter((each) => each.startsWith("latchkey-"));
    for (const damage of [
      (folder: string) => rmSync(join(folder, "keys.sealed")),
      (folder: string) => {
        const path = join(folder, copiedDatabases[0] ?? "");
        const bytes = readFileSync(path);
        bytes[5000] = (bytes[5000] ?? 0) ^ 1;
        writeFileSync(path, bytes);
      },
      (folder: string) => writeFileSync(join(folder, "manifest.json"), "{"),
      (folder: string) => {
        const path = join(folder, "manifest.json");
        writeFileSync(path, readFileSync(path, "utf8").replace("keys.sealed", "../keys.sealed"));
      },
    ]) {
      const copy = join(temporaryDirectory(), "copy");
      mkdirSync(copy);
      cpSync(join(to, name), copy, { recursive: true });
      damage(copy);
      await expect(restoreBackup(options(copy, empty))).rejects.toMatchObject({ code: "restore_failed" });
      expect(readdirSync(empty)).toEqual([]);
    }
  });
});
