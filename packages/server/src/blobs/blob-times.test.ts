import { mkdirSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { equalBytes, toBase64Url, toHex } from "@latchkey/codec";
import { expect, onTestFinished, test } from "vitest";
import { defaultLimits } from "../config.ts";
import type { ServerContext } from "../config.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { random, temporaryDirectory } from "../testing/fixtures.ts";
import { BlobFiles, uploadsOf } from "./blob-files.ts";
import { BlobRoom } from "./blob-room.ts";
import type { BlobDisk } from "./blob-room.ts";
import { BlobService } from "./blob-service.ts";
import { dayMs, dayOf } from "../days.ts";

const disk = { look: () => Promise.resolve(), spareBytes: Infinity };

async function blobsOf(disk: BlobDisk) {
  const directory = temporaryDirectory();
  const store = await openSqliteStore({ directory });
  onTestFinished(() => store.close());
  const at = { nowMs: Date.now() };
  const blobDirectory = join(directory, "blobs");
  mkdirSync(uploadsOf(blobDirectory), { recursive: true });
  // Only these are asked for.
  const context = { nowMs: () => at.nowMs, limits: defaultLimits, rules: { quota: () => 0 } } as unknown as ServerContext;
  const files = new BlobFiles({ directory: blobDirectory, index: store, dayTime: () => new Date(dayOf(at.nowMs) * dayMs) });
  const open = () => new BlobService({ files, room: new BlobRoom({ index: store, context, disk }), index: store, context });
  const pathOf = (blobId: Uint8Array) => join(blobDirectory, files.place.keyOf({ blobId, sha256: blobId }));
  return { files, at, open, pathOf };
}

test("[P1] a file that the disk has no room to copy waits until it has; a smaller one, and a name that is no blob's, do not keep others", async () => {
  const space = { look: () => Promise.resolve(), spareBytes: Infinity };
  const { at, open, pathOf } = await blobsOf(space);
  const blobs = open();
  const [large, small] = [random(32), random(32)];
  await blobs.put(large, [random(3_000_000)]);
  await blobs.put(small, [random(1000)]);
  const foreign = join(pathOf(small), "..", "notes.txt");
  writeFileSync(foreign, "x");
  utimesSync(foreign, 0, 0);
  const inodes = () => [large, small].map((id) => statSync(pathOf(id), { bigint: true }).ino);
  const before = inodes();
  at.nowMs += dayMs;
  space.spareBytes = 2_999_999;
  expect(await blobs.forgetTimes()).toBe(1);
  expect(inodes().map((inode, index) => inode === before[index])).toEqual([true, false]);
  space.spareBytes = 3_000_000;
  // Two at once go through them once. The file system dates what was written anew by the day that is tomorrow's yesterday here.
  expect(await Promise.all([blobs.forgetTimes(), blobs.forgetTimes()])).toEqual([2, 2]);
  expect(inodes()[0]).not.toBe(before[0]);
  expect(await blobs.forgetTimes()).toBe(0);
});

test("a copy of a large file is broken off when the server stops, leaves nothing, and the blob is as it was", async () => {
  const { files, at, open, pathOf } = await blobsOf(disk);
  const blobs = open();
  const [blobId, bytes] = [random(32), random(40_000_000)];
  await blobs.put(blobId, [bytes]);
  const { ino } = statSync(pathOf(blobId), { bigint: true });
  at.nowMs += dayMs;
  const forgetting = blobs.forgetTimes();
  await expect.poll(() => readdirSync(files.uploads).length, { interval: 5, timeout: 20_000 }).toBe(1);
  await blobs.close();
  expect(await forgetting).toBe(0);
  expect(readdirSync(files.uploads)).toEqual([]);
  expect(statSync(pathOf(blobId), { bigint: true }).ino).toBe(ino);
  expect(await open().forgetTimes()).toBe(1);
  expect(statSync(pathOf(blobId), { bigint: true }).ino).not.toBe(ino);
  expect(equalBytes(readFileSync(pathOf(blobId)), bytes)).toBe(true);
});

test("[P1] of a blob of an earlier day the file system tells neither when it came nor after which other; its bytes and day stay", async () => {
  const directory = temporaryDirectory();
  const store = await openSqliteStore({ directory });
  const blobDirectory = join(directory, "blobs");
  mkdirSync(uploadsOf(blobDirectory), { recursive: true });
  let nowMs = Date.now();
  // Only these are asked for.
  const context = {
    nowMs: () => nowMs,
    dayBefore: (days: number) => dayOf(nowMs) - days,
    limits: { ...defaultLimits, minFreeBytes: 0 },
    rules: { quota: () => 0 },
  } as unknown as ServerContext;
  const open = (): BlobService => {
    const dayTime = (): Date => new Date(dayOf(nowMs) * dayMs);
    const files = new BlobFiles({ directory: blobDirectory, index: store, dayTime });
    return new BlobService({ files, room: new BlobRoom({ index: store, context, disk }), index: store, context });
  };
  const blobs = open();
  const files = Array.from({ length: 8 }, () => ({ blobId: random(32), bytes: random(1000) }));
  for (const { blobId, bytes } of files) await blobs.put(blobId, [bytes]);
  const look = () =>
    files.map(({ blobId }) => statSync(join(blobDirectory, toHex(blobId.subarray(0, 1)), toBase64Url(blobId)), { bigint: true }));
  const before = look();
  // Nothing is written twice on the day itself: who looks on that day sees when they came.
  expect(await blobs.forgetTimes()).toBe(0);
  expect(look().map(({ ino }) => ino)).toEqual(before.map(({ ino }) => ino));

  const reader = await (await blobs.find(files[0]?.blobId ?? random(32)))?.read({ first: 0, last: 999 });
  nowMs += dayMs;
  // The file system's clock ticks: what is written in one tick has one time.
  await delay(20);
  const again = open();
  expect(await again.forgetTimes()).toBe(8);
  const after = look();
  for (const [index, { ino, mtimeMs, birthtimeNs }] of after.entries()) {
    expect(ino).not.toBe(before[index]?.ino);
    expect(dayOf(Number(mtimeMs))).toBe(dayOf(nowMs) - 1);
    expect(Number(mtimeMs) % dayMs).toBe(0);
    // All younger than whichever came last.
    expect(birthtimeNs).toBeGreaterThan(before.at(-1)?.ctimeNs ?? 0n);
  }
  for (const { blobId, bytes } of files) {
    expect(new Uint8Array(readFileSync(join(blobDirectory, toHex(blobId.subarray(0, 1)), toBase64Url(blobId))))).toEqual(bytes);
  }
  expect(readdirSync(join(blobDirectory, "uploads"))).toEqual([]);
  // Who reads one meanwhile reads on.
  expect(new Uint8Array(Buffer.concat((await reader?.toArray()) as Uint8Array[]))).toEqual(files[0]?.bytes);
  await store.close();
});
