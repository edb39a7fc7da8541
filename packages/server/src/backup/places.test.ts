import { toBase64Url } from "@latchkey/codec";
import type { NamedBlob } from "@latchkey/protocol";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, describe, expect, test } from "vitest";
import { sha256 } from "../hash.ts";
import { createLog, createTestLog, entryBytes, openLog, random, register, runServer, temporaryDirectory } from "../testing/fixtures.ts";
import { TestClient } from "../testing/test-client.ts";
import type { RunningServer } from "../server.ts";
import { holdPlace } from "./backup.ts";
import { readLastBackup } from "./last-backup.ts";
import { backupPlace } from "./open-place.ts";
import { folderPlace } from "./place.ts";
import type { BackupPlace } from "./place.ts";
import { restoreBackup } from "./restore.ts";
import { readS3Address } from "../s3/address.ts";
import { Bucket } from "../s3/bucket.ts";
import { bucketName, startFakeS3 } from "../s3/fake-s3.testing.ts";
import type { FakeS3 } from "../s3/fake-s3.testing.ts";
import { s3Place } from "./s3-place.ts";

const opened: FakeS3[] = [];

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

async function bucket(): Promise<{ readonly fake: FakeS3; readonly place: BackupPlace; readonly address: string }> {
  const fake = await startFakeS3();
  opened.push(fake);
  const address = `s3://${bucketName}/latchkey/home`;
  const s3 = readS3Address(address, fake.environment);
  return { fake, address, place: s3Place(s3, new Bucket(s3, { waitMs: 1, partBytes: 10_000 })) };
}

const places = [
  { kind: "a folder", open: () => Promise.resolve(folderPlace(join(temporaryDirectory(), "copies"))) },
  { kind: "a bucket", open: async () => (await bucket()).place },
];

async function lively(): Promise<{
  readonly server: RunningServer;
  readonly dataDirectory: string;
  /** Writes an entry that names a blob; answers the blob's name. */
  readonly write: () => Promise<string>;
}> {
  const dataDirectory = temporaryDirectory();
  const server = await runServer({ dataDirectory });
  await register(server, "alice");
  const client = await TestClient.connect(server.url, "log");
  const log = createTestLog();
  await createLog(client, log);
  await openLog(client, log);
  const putBlob = async (): Promise<NamedBlob> => {
    const [blobId, bytes] = [random(32), new Uint8Array(random(25_000))];
    const response = await fetch(`${server.url}/v1/blobs/${toBase64Url(blobId)}`, { method: "PUT", body: bytes });
    if (!response.ok) throw new Error(`not stored: ${String(response.status)}`);
    return { blobId, hash: sha256(bytes), sizeBytes: bytes.length };
  };
  return {
    server,
    dataDirectory,
    async write() {
      const named = await putBlob();
      const blob = entryBytes(700, [named]);
      const outcome = await client.outcome({ kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob });
      if (outcome !== "accepted") throw new Error(outcome);
      return toBase64Url(named.blobId);
    },
  };
}

/** Backups have no keys in them unless these are what is tested: sealing them is meant to be slow. */
const passphrase = "correct horse battery";
const at = (day: number): number => day * 86_400_000;

function restoring(from: BackupPlace, dataDirectory: string): Parameters<typeof restoreBackup>[0] {
  return { from, dataDirectory, passphrase: () => Promise.resolve(passphrase), keysFolder: undefined, nowMs: at(400) };
}

function entriesIn(dataDirectory: string): number {
  const database = new DatabaseSync(join(dataDirectory, "logs.sqlite"), { readOnly: true });
  const { count } = database.prepare("SELECT count(*) AS count FROM entries").get() as { count: number };
  database.close();
  return count;
}

function blobsIn(folder: string): string[] {
  return readdirSync(join(folder, "blobs"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .toSorted();
}

describe.each(places)("$kind as a place of backups", ({ open }) => {
  test("gives back the newest as it was made: databases, keys, blobs; and the data folder knows of it", async () => {
    const place = await open();
    const { server, dataDirectory, write } = await lively();
    const blobs = [await write(), await write()];
    const first = await place.make({ dataDirectory, passphrase, nowMs: at(300) });
    blobs.push(await write());
    const second = await place.make({ dataDirectory, passphrase, nowMs: at(299) });
    await server.close();
    // By their sequence, whatever the clock said.
    expect((await place.find()).map(({ path, manifest }) => [path, manifest.sequence])).toEqual([
      [first.path, 1],
      [second.path, 2],
    ]);
    expect(readLastBackup(dataDirectory)).toEqual({ timeMs: at(299), path: second.path, recordSize: 2 });

    const restored = join(temporaryDirectory(), "data");
    const { backup, recordSize, blobsLost } = await restoreBackup(restoring(place, restored));
    expect([backup.path, recordSize, blobsLost]).toEqual([second.path, 2, 0]);
    expect(blobsIn(restored)).toEqual(blobs.toSorted());
    for (const name of blobs)
      expect(readFileSync(pathOfBlob(restored, name)).equals(readFileSync(pathOfBlob(dataDirectory, name)))).toBe(true);
    expect(entriesIn(restored)).toBe(entriesIn(dataDirectory));
    expect(readFileSync(join(restored, "directory", "log.key"))).toEqual(readFileSync(join(dataDirectory, "directory", "log.key")));
    expect(readLastBackup(restored)?.path).toBe(second.path);
    for (const entry of readdirSync(restored, { recursive: true, withFileTypes: true }))
      expect(statSync(join(entry.parentPath, entry.name)).mode & 0o077).toBe(0);
    // Nothing of what was brought stays beside it, and nothing in the data folder that it was made of.
    expect(readdirSync(join(restored, ".."))).toEqual(["data"]);
    expect(existsSync(join(dataDirectory, "outgoing", "made"))).toBe(false);
    const again = await runServer({ dataDirectory: restored });
    await again.close();
  });

  test("keeps so many of a server, and the blobs that they name, and no other server's count", async () => {
    const place = await open();
    const [one, other] = [await lively(), await lively()];
    await one.write();
    await other.write();
    const foreign = await place.make({ dataDirectory: other.dataDirectory, passphrase: undefined, nowMs: at(1) });
    const made = [];
    for (const day of [2, 3, 4]) {
      await one.write();
      made.push(await place.make({ dataDirectory: one.dataDirectory, passphrase: undefined, nowMs: at(day) }));
    }
    const [, , last] = made;
    if (last === undefined) throw new Error("three were made");
    expect(await place.dropOld(last, 2)).toEqual({ removed: 1, leastRecordSize: 2 });
    expect((await place.find()).map(({ path }) => path).toSorted()).toEqual([foreign, ...made.slice(1)].map(({ path }) => path).toSorted());
    await expect(restoreBackup(restoring(place, join(temporaryDirectory(), "data")))).rejects.toMatchObject({
      code: "restore_failed",
      message: expect.stringMatching(/several servers/) as string,
    });
    const brought = await place.bring(last, join(temporaryDirectory(), "data"));
    expect(blobsIn(brought.folder)).toEqual(blobsIn(one.dataDirectory));
    await brought.release();
  });

  test("has nothing to find of one that was broken off, and of a data folder that there is not", async () => {
    const place = await open();
    const { dataDirectory, write } = await lively();
    await write();
    const controller = new AbortController();
    controller.abort();
    await expect(place.make({ dataDirectory, passphrase: undefined, nowMs: at(1), signal: controller.signal })).rejects.toThrow();
    await expect(place.make({ dataDirectory: join(dataDirectory, "nothing"), passphrase: undefined, nowMs: 1 })).rejects.toMatchObject({
      code: "backup_failed",
    });
    expect(await place.find()).toEqual([]);
    await expect(restoreBackup(restoring(place, join(temporaryDirectory(), "data")))).rejects.toMatchObject({
      code: "restore_failed",
      message: expect.stringMatching(/no finished backup/) as string,
    });
    expect((await place.make({ dataDirectory, passphrase: undefined, nowMs: at(1) })).manifest.sequence).toBe(1);
  });
});

describe("a bucket", () => {
  test("that fails for a moment is asked again; one that goes on failing leaves no backup, and the next one cleans up", async () => {
    const { fake, place } = await bucket();
    const { dataDirectory, write } = await lively();
    await write();
    let failures = 0;
    fake.fault = ({ method }) => (method === "PUT" && failures++ % 3 !== 2 ? (failures % 3 === 1 ? 503 : "hang up") : undefined);
    const made = await place.make({ dataDirectory, passphrase: undefined, nowMs: at(1) });
    expect(await place.find()).toHaveLength(1);

    fake.fault = ({ method, key }) => (method === "PUT" && key.endsWith("accounts.sqlite") ? 503 : undefined);
    await write();
    const failing = place.make({ dataDirectory, passphrase: undefined, nowMs: at(2) });
    await expect(failing).rejects.toMatchObject({ code: "bucket_failed", message: expect.stringMatching(/SlowDown/) as string });
    fake.fault = undefined;
    expect(fake.uploads.size).toBe(0);
    expect(await place.find()).toHaveLength(1);
    expect([...fake.objects.keys()].some((key) => key.includes("/latchkey-19700103"))).toBe(true);
    const next = await place.make({ dataDirectory, passphrase: undefined, nowMs: at(3) });
    expect(next.manifest.sequence).toBe(made.manifest.sequence + 1);
    expect([...fake.objects.keys()].some((key) => key.includes("/latchkey-19700103"))).toBe(false);
  });

  test("that gives back other bytes is no place for a backup, and what was changed there later is not restored", async () => {
    const { fake, place } = await bucket();
    const { dataDirectory, write } = await lively();
    const blob = await write();
    const made = await place.make({ dataDirectory, passphrase: undefined, nowMs: at(1) });
    const of = (end: string): [string, Uint8Array] => {
      const found = [...fake.objects].find(([key]) => key.endsWith(end));
      if (found === undefined) throw new Error(end);
      return found;
    };
    const [key, bytes] = of("/logs.sqlite");
    for (const changed of [
      bytes.slice(0, -1),
      new Uint8Array([...bytes, 0]),
      bytes.map((byte, index) => (index === 5000 ? byte ^ 1 : byte)),
    ]) {
      fake.objects.set(key, changed);
      const target = join(temporaryDirectory(), "data");
      await expect(restoreBackup({ ...restoring(place, target), keysFolder: join(dataDirectory, "directory") })).rejects.toMatchObject({
        code: "restore_failed",
      });
      expect(readdirSync(join(target, ".."))).toEqual([]);
    }
    fake.objects.set(key, bytes);
    // A picture that is lost is no reason to restore nothing.
    fake.objects.delete(of(blob)[0]);
    const target = join(temporaryDirectory(), "data");
    expect(await restoreBackup({ ...restoring(place, target), keysFolder: join(dataDirectory, "directory") })).toMatchObject({
      backup: { path: made.path },
      blobsLost: 1,
    });
    expect(blobsIn(target)).toEqual([]);

    const lying = await bucket();
    lying.fake.fault = ({ method, key: asked }) => {
      if (method === "GET" && asked.endsWith("logs.sqlite")) lying.fake.objects.set(asked, new Uint8Array(7));
      return undefined;
    };
    await expect(lying.place.make({ dataDirectory, passphrase: undefined, nowMs: at(2) })).rejects.toThrow(/does not give back/);
    expect(await lying.place.find()).toEqual([]);
  });

  test("is not written to where the copy on its way would fill the disk of the data folder", async () => {
    const { fake, address } = await bucket();
    const { dataDirectory, write } = await lively();
    await write();
    const s3 = readS3Address(address, fake.environment);
    const crowded = s3Place(s3, new Bucket(s3, { waitMs: 1 }), () => Promise.resolve({ freeBytes: 60_000_000 }));
    const failure = { code: "backup_failed", message: expect.stringMatching(/no room for the databases/) as string };
    await expect(crowded.make({ dataDirectory, passphrase: undefined, nowMs: at(1) })).rejects.toMatchObject(failure);
    expect([existsSync(join(dataDirectory, "outgoing", "made")), fake.objects.size]).toEqual([false, 0]);
  });

  test("has its blobs once for all backups, and loses those that none names any more", async () => {
    const { fake, place } = await bucket();
    const { dataDirectory, write } = await lively();
    await write();
    await place.make({ dataDirectory, passphrase: undefined, nowMs: at(1) });
    const puts: string[] = [];
    fake.fault = ({ method, key }) => {
      if (method === "PUT" && key.includes("/blobs/")) puts.push(key);
      return undefined;
    };
    const added = await write();
    const made = await place.make({ dataDirectory, passphrase: undefined, nowMs: at(2) });
    expect(new Set(puts.map((key) => key.split("/").at(-1)))).toEqual(new Set([added]));
    const [known = ""] = puts;
    fake.objects.set(known.replace(added, "A".repeat(43)), new Uint8Array(3));
    await place.dropOld(made, 2);
    expect([...fake.objects.keys()].filter((key) => key.includes("/blobs/"))).toHaveLength(2);
  });

  test("keeps a backup whose manifest it does not read, and every blob while it does not know what each backup names", async () => {
    const { fake, place } = await bucket();
    const { dataDirectory, write } = await lively();
    const blobs = [await write()];
    const first = await place.make({ dataDirectory, passphrase: undefined, nowMs: at(1) });
    const under = [...fake.objects.keys()].filter((key) => key.includes("/latchkey-19700102"));
    const blobsThere = (): string[] => [...fake.objects.keys()].filter((key) => key.includes("/blobs/")).map((key) => key.slice(-43));
    // What a later version wrote, and a proxy that answers in place of the bucket.
    const manifest = under.find((key) => key.endsWith("manifest.json")) ?? "";
    const bytes = fake.objects.get(manifest) ?? new Uint8Array();
    fake.objects.set(manifest, new TextEncoder().encode('{"format":"latchkey backup 2"}'));
    const second = await place.make({ dataDirectory, passphrase: undefined, nowMs: at(2) });
    expect(under.every((key) => fake.objects.has(key))).toBe(true);
    const named = under.find((key) => key.endsWith("blobs.txt")) ?? "";
    const list = fake.objects.get(named) ?? new Uint8Array();
    const other = new TextEncoder().encode(`00/${"B".repeat(43)}\n`);
    fake.objects.set(named, other);
    const blob = [...fake.objects.keys()].find((key) => key.includes("/blobs/")) ?? "";
    fake.objects.set(blob.replace(/..\/[^/]*$/, `00/${"B".repeat(43)}`), new Uint8Array(3));
    await place.dropOld(second, 1);
    expect(blobsThere().toSorted()).toEqual([...blobs, "B".repeat(43)].toSorted());
    // A list that came to an end too early.
    fake.objects.set(manifest, bytes);
    fake.objects.set(named, new Uint8Array(0));
    await place.dropOld(second, 2);
    expect(blobsThere()).toHaveLength(2);
    fake.objects.set(named, list);
    await place.dropOld(second, 2);
    expect(blobsThere()).toEqual(blobs);
    expect((await place.find()).map(({ path }) => path)).toEqual([first.path, second.path]);
  });

  test("keeps the blobs of a backup that is made while another one's old ones go", async () => {
    const { fake, place } = await bucket();
    const { dataDirectory, write } = await lively();
    await write();
    const made = await place.make({ dataDirectory, passphrase: undefined, nowMs: at(1) });
    const added = await write();
    let dropped: Promise<unknown> | undefined;
    fake.fault = ({ method, key }) => {
      // Its blobs are there, and nothing else of it.
      if (method === "PUT" && key.endsWith("accounts.sqlite")) dropped ??= place.dropOld(made, 1);
      return undefined;
    };
    await place.make({ dataDirectory, passphrase: undefined, nowMs: at(2) });
    await dropped;
    expect([...fake.objects.keys()].some((key) => key.endsWith(added))).toBe(true);
  });

  test("whose backup was killed on its way leaves nothing in the data folder that a start does not take away", async () => {
    const { dataDirectory, server } = await lively();
    await server.close();
    const made = join(dataDirectory, "outgoing", "made", "latchkey-19700102-000000Z");
    mkdirSync(made, { recursive: true });
    writeFileSync(join(made, "logs.sqlite"), "what was erased since");
    const release = holdPlace(join(dataDirectory, "outgoing"));
    await (await runServer({ dataDirectory })).close();
    expect(existsSync(made)).toBe(true);
    release();
    await (await runServer({ dataDirectory })).close();
    expect(existsSync(join(dataDirectory, "outgoing", "made"))).toBe(false);
  });

  test("that does not answer holds up nobody who stops, wherever it is silent", async () => {
    const { fake, address } = await bucket();
    const { dataDirectory, write } = await lively();
    await write();
    const s3 = readS3Address(address, fake.environment);
    for (const [silent, method] of [
      ["", "GET"],
      ["logs.sqlite", "PUT"],
      ["logs.sqlite", "GET"],
    ] as const) {
      const stopping = new AbortController();
      let stoppedMs = 0;
      fake.fault = (seen) => {
        if (seen.method !== method || !seen.key.endsWith(silent)) return undefined;
        stoppedMs ||= performance.now();
        setTimeout(() => stopping.abort(), 10);
        return "silence";
      };
      const place = s3Place(s3, new Bucket(s3, { waitMs: 1, partBytes: 10_000, signal: stopping.signal }));
      await expect(place.make({ dataDirectory, passphrase: undefined, nowMs: at(1), signal: stopping.signal })).rejects.toThrow();
      expect(performance.now() - stoppedMs).toBeLessThan(10_000);
      expect(existsSync(join(dataDirectory, "outgoing", "made"))).toBe(false);
    }
    fake.fault = undefined;
    expect(fake.uploads.size).toBe(0);
  });

  test("may take long for what is long, as long as it goes on; what falls silent, drips or lists for ever has an end", async () => {
    let kind: "steady" | "silent" | "drips" | "lists" = "steady";
    const slow = createServer((_, response) => {
      if (kind === "lists") {
        const token = String(Math.random());
        response.end(`<L><IsTruncated>true</IsTruncated><NextContinuationToken>${token}</NextContinuationToken></L>`);
        return;
      }
      let count = 0;
      const timer = setInterval(() => {
        response.write(Buffer.alloc(kind === "drips" ? 1 : 20_000));
        if (++count === 24 && kind === "steady") response.end();
        if (count === 3 && kind === "silent") clearInterval(timer);
      }, 50);
      response.on("close", () => clearInterval(timer));
    });
    await new Promise<void>((resolve) => slow.listen(0, "127.0.0.1", resolve));
    const { port } = slow.address() as AddressInfo;
    const environment = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", AWS_ENDPOINT_URL: `http://127.0.0.1:${String(port)}` };
    const asked = new Bucket(readS3Address("s3://copies", environment), { waitMs: 1, silenceMs: 800 });
    expect(await asked.get("logs.sqlite", 1_000_000)).toHaveLength(480_000);
    kind = "silent";
    await expect(asked.get("logs.sqlite", 1_000_000)).rejects.toThrow(/no answer in time/);
    kind = "drips";
    await expect(asked.get("logs.sqlite", 1_000_000)).rejects.toThrow(/too slowly/);
    kind = "lists";
    await expect(asked.list("")).rejects.toThrow(/does not end/);
    slow.closeAllConnections();
    slow.close();
  });

  test("is named with what went wrong, and nothing secret is told", async () => {
    const { fake, address } = await bucket();
    const secret = "another secret";
    const gone = await startFakeS3();
    await gone.close();
    const failures = [
      [{ ...fake.environment, AWS_SECRET_ACCESS_KEY: secret }, address, /s3:\/\/copies\/latchkey\/home .*SignatureDoesNotMatch/],
      [fake.environment, "s3://nothing-here", /s3:\/\/nothing-here .*NoSuchBucket/],
      [gone.environment, address, /ECONNREFUSED/],
    ] as const;
    for (const [environment, name, words] of failures) {
      const s3 = readS3Address(name, environment);
      const failure: unknown = await s3Place(s3, new Bucket(s3, { waitMs: 1 }))
        .find()
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "bucket_failed", message: expect.stringMatching(words) as string });
      expect(String(failure)).not.toContain(secret);
    }
    const invalid = [
      ["s3://", fake.environment],
      ["s3://Copies", fake.environment],
      ["s3://copies/a/../b", fake.environment],
      ["s3://copies/a b", fake.environment],
      [address, { ...fake.environment, AWS_SECRET_ACCESS_KEY: undefined }],
      [address, { ...fake.environment, AWS_ENDPOINT_URL: "http://example.org" }],
      [address, { ...fake.environment, AWS_ENDPOINT_URL: "no address" }],
    ] as const;
    for (const [name, environment] of invalid) expect(() => backupPlace(name, environment), name).toThrow(/bucket|AWS_/);
    expect(readS3Address("s3://copies", { ...fake.environment, AWS_ENDPOINT_URL: undefined }).baseUrl).toBe(
      "https://copies.s3.eu-test-1.amazonaws.com/",
    );
  });
});

function pathOfBlob(folder: string, name: string): string {
  const entry = readdirSync(join(folder, "blobs"), { recursive: true, withFileTypes: true }).find((each) => each.name === name);
  if (entry === undefined) throw new Error("a blob");
  return join(entry.parentPath, entry.name);
}
