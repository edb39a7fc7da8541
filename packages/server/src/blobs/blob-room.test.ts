import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { defaultLimits } from "../config.ts";
import type { ServerContext } from "../config.ts";
import { dayOf } from "../days.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { random, temporaryDirectory } from "../testing/fixtures.ts";
import { BlobFiles, uploadsOf } from "./blob-files.ts";
import { BlobRoom } from "./blob-room.ts";
import { BlobService } from "./blob-service.ts";

const disk = { look: () => Promise.resolve(), spareBytes: Infinity };
const dayMs = 86_400_000;

async function withBound(maxStoredBlobBytes: number) {
  const directory = temporaryDirectory();
  const blobDirectory = join(directory, "blobs");
  mkdirSync(uploadsOf(blobDirectory), { recursive: true });
  const at = { nowMs: Date.now() };
  // Only these are asked for.
  const context = {
    nowMs: () => at.nowMs,
    dayBefore: (days: number) => dayOf(at.nowMs) - days,
    limits: { ...defaultLimits, maxStoredBlobBytes },
    rules: { quota: () => 0 },
  } as unknown as ServerContext;
  const open = async () => {
    const store = await openSqliteStore({ directory });
    onTestFinished(() => store.close());
    const files = new BlobFiles({ directory: blobDirectory, index: store, dayTime: () => new Date(0) });
    const room = new BlobRoom({ index: store, context, disk });
    return { store, blobs: new BlobService({ files, room, index: store, context }) };
  };
  return { at, open, blobDirectory };
}

const full = { name: "Refusal", code: "storage_full" };

test("all blobs together take no more than the operator allows, over restarts; what expires makes room again", async () => {
  const { at, open } = await withBound(10_000);
  const { store, blobs } = await open();
  const first = random(32);
  expect(await blobs.put(first, [random(6000)])).toBe("created");
  await expect(blobs.put(random(32), [random(3000), random(3000)])).rejects.toMatchObject(full);
  // What was refused takes nothing.
  expect(await blobs.put(random(32), [random(4000)])).toBe("created");
  await expect(blobs.put(random(32), [random(1)])).rejects.toMatchObject(full);
  expect(await store.blobTotals()).toEqual({ blobs: 2, blobBytes: 10_000 });
  await store.close();
  const again = await open();
  await expect(again.blobs.put(random(32), [random(1)])).rejects.toMatchObject(full);
  at.nowMs += (defaultLimits.unusedBlobDays + 1) * dayMs;
  expect(await again.blobs.expire()).toBe(2);
  expect(await again.store.blobTotals()).toEqual({ blobs: 0, blobBytes: 0 });
  expect(await again.blobs.put(random(32), [random(10_000)])).toBe("created");
});

test("uploads under way count before they are whole, those that break off and those of a blob that is known do not after", async () => {
  const { open } = await withBound(10_000);
  const { store, blobs } = await open();
  const go = Promise.withResolvers<void>();
  const came = Promise.withResolvers<void>();
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield random(8000);
    came.resolve();
    await go.promise;
    throw new Error("broken off");
  }
  const breaking = blobs.put(random(32), slow());
  await came.promise;
  await expect(blobs.put(random(32), [random(3000)])).rejects.toMatchObject(full);
  go.resolve();
  await expect(breaking).rejects.toThrow("broken off");
  const [blobId, bytes] = [random(32), random(5000)];
  expect(await blobs.put(blobId, [bytes])).toBe("created");
  expect(await blobs.put(blobId, [bytes])).toBe("same");
  expect(await blobs.put(random(32), [random(5000)])).toBe("created");
  expect(await store.blobTotals()).toEqual({ blobs: 2, blobBytes: 10_000 });
  expect(await store.expireBlobs({ day: dayOf(Date.now()), maxItems: 9 })).toEqual([]);
});

test("a blob whose file was lost is whole again with the same bytes, and with no others", async () => {
  const { open, blobDirectory } = await withBound(10_000);
  const { store, blobs } = await open();
  const [blobId, bytes] = [random(32), random(500)];
  expect(await blobs.put(blobId, [bytes])).toBe("created");
  await rm(blobDirectory, { recursive: true });
  mkdirSync(uploadsOf(blobDirectory), { recursive: true });
  const isThere = async () => await (await blobs.find(blobId))?.isThere();
  expect(await isThere()).toBe(false);
  expect(await blobs.put(blobId, [random(500)])).toBe("different");
  expect(await isThere()).toBe(false);
  expect(await blobs.put(blobId, [bytes])).toBe("same");
  const content = await (await blobs.find(blobId))?.read({ first: 0, last: 499 });
  expect(Buffer.concat((await content?.toArray()) as Uint8Array[])).toEqual(Buffer.from(bytes));
  expect(await store.blobTotals()).toEqual({ blobs: 1, blobBytes: 500 });
});
