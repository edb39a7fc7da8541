import { toBase64Url } from "@latchkey/codec";
import { blobPath } from "@latchkey/protocol";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ServerOptions } from "../config.ts";
import { random, runServer, temporaryDirectory } from "../testing/fixtures.ts";
import { readBlob } from "../testing/tus.ts";
import { startTestBucket } from "./bucket.testing.ts";
import { moveBlobs } from "./move-blobs.ts";

const host = "latchkey.example";

async function withBlobs(options: Partial<ServerOptions>, sizes: readonly number[]) {
  const server = await runServer({ host, ...options });
  const blobs = sizes.map((size) => ({ blobId: random(32), bytes: random(size) }));
  for (const { blobId, bytes } of blobs)
    await fetch(server.url + blobPath(toBase64Url(blobId)), { method: "PUT", body: new Uint8Array(bytes) });
  return { server, blobs };
}

function filesIn(dataDirectory: string): string[] {
  const blobs = join(dataDirectory, "blobs");
  return readdirSync(blobs, { recursive: true, withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : []));
}

test("all blobs go to a bucket, to another one, and back to the folder, and nothing stays where they were", async () => {
  const [first, second] = [await startTestBucket(), await startTestBucket()];
  const dataDirectory = temporaryDirectory();
  const { server, blobs } = await withBlobs({ dataDirectory }, [0, 100, 30_000]);
  const move = (to: string, { blobs: { environment } } = first) => moveBlobs({ dataDirectory, to, environment, nowMs: Date.now() });
  await expect(move(first.at)).rejects.toMatchObject({ code: "data_locked" });
  await server.close();
  await expect(move("folder")).rejects.toThrow(/lie there already/);
  const check = async (options: Partial<ServerOptions>): Promise<void> => {
    const again = await runServer({ dataDirectory, host, ...options });
    for (const { blobId, bytes } of blobs) expect(await readBlob(again, blobId)).toEqual(bytes);
    await again.close();
  };
  expect(await move(first.at)).toEqual({ moved: 3, lost: 0 });
  expect([filesIn(dataDirectory), first.keys().length]).toEqual([[], 3]);
  await check({ blobs: first.blobs });
  const elsewhere = { at: "s3://copies/elsewhere", environment: first.blobs.environment };
  expect(await move(elsewhere.at)).toEqual({ moved: 3, lost: 0 });
  expect([...first.fake.objects.keys()].filter((key) => key.startsWith("chat/"))).toEqual([]);
  await check({ blobs: elsewhere });
  expect(await move("folder")).toEqual({ moved: 3, lost: 0 });
  expect([filesIn(dataDirectory).length, first.fake.objects.size]).toEqual([3, 0]);
  await check({});
  // Somebody else's is not taken.
  second.fake.objects.set("chat/server", new TextEncoder().encode("another"));
  await expect(move(second.at, second)).rejects.toMatchObject({ code: "bucket_failed" });
});

test("a move that breaks off goes on where it was; no server starts meanwhile, and it goes nowhere else; what is damaged is counted", async () => {
  const bucket = await startTestBucket();
  const dataDirectory = temporaryDirectory();
  const { server, blobs } = await withBlobs({ dataDirectory }, [100, 200, 300, 400]);
  await server.close();
  const { blobId = random(32) } = blobs[0] ?? {};
  const path = join(dataDirectory, "blobs", (blobId[0] ?? 0).toString(16).padStart(2, "0"), toBase64Url(blobId));
  writeFileSync(path, random(100));
  const move = (to = bucket.at) => moveBlobs({ dataDirectory, to, environment: bucket.blobs.environment, nowMs: Date.now() });
  const breakOff = async (when: (method: string) => boolean): Promise<void> => {
    let count = 0;
    bucket.fake.fault = ({ method, key }) => (when(method) && key.length > 20 && ++count > 2 ? 403 : undefined);
    await expect(move()).rejects.toMatchObject({ code: "bucket_failed", message: expect.stringContaining(bucket.at) as string });
    bucket.fake.fault = undefined;
  };
  await breakOff((method) => method === "PUT");
  expect([bucket.keys().length, filesIn(dataDirectory).length]).toEqual([2, 4]);
  await expect(runServer({ dataDirectory, host })).rejects.toThrow(/being moved: finish that first, with latchkey blobs move s3:/);
  await expect(move("s3://copies/other")).rejects.toThrow(/finish that first/);
  expect(await move()).toEqual({ moved: 1, lost: 1 });
  expect([bucket.keys().length, filesIn(dataDirectory)]).toEqual([3, []]);
  // Copied, and not yet removed.
  bucket.fake.fault = ({ method }) => (method === "DELETE" ? 403 : undefined);
  await expect(move("folder")).rejects.toMatchObject({ code: "bucket_failed" });
  await expect(runServer({ dataDirectory, host })).rejects.toThrow(/latchkey blobs move folder/);
  bucket.fake.fault = undefined;
  expect(await move("folder")).toEqual({ moved: 0, lost: 0 });
  expect([bucket.fake.objects.size, filesIn(dataDirectory).length]).toEqual([0, 3]);
  const again = await runServer({ dataDirectory, host });
  expect(await readBlob(again, blobs[3]?.blobId ?? random(32))).toEqual(blobs[3]?.bytes);
});

test("what a bucket leaves out of its listing is moved all the same, and what is not where it should be is counted", async () => {
  const bucket = await startTestBucket();
  const dataDirectory = temporaryDirectory();
  const { server, blobs } = await withBlobs({ dataDirectory, blobs: bucket.blobs }, [100, 200, 300]);
  await server.close();
  const [lost, ...kept] = blobs;
  for (const key of bucket.keys()) if (lost !== undefined && key.includes(toBase64Url(lost.blobId))) bucket.fake.objects.delete(key);
  bucket.fake.respond = ({ query }, response) => {
    if (query.has("list-type")) response.end("<IsTruncated>false</IsTruncated>");
    return query.has("list-type");
  };
  expect(await moveBlobs({ dataDirectory, to: "folder", environment: bucket.blobs.environment, nowMs: Date.now() })).toEqual({
    moved: 2,
    lost: 1,
  });
  const again = await runServer({ dataDirectory, host });
  for (const { blobId, bytes } of kept) expect(await readBlob(again, blobId)).toEqual(bytes);
});
