// A server whose blobs lie in a bucket: what comes and goes over HTTP, and what becomes of it when the bucket fails, lies, or is not there.
import { toBase64Url } from "@latchkey/codec";
import { blobPath } from "@latchkey/protocol";
import { heldBufferBytes } from "@latchkey/testkit";
import { cpSync, readdirSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ServerOptions } from "../config.ts";
import { dayOf } from "../days.ts";
import { sha256 } from "../hash.ts";
import type { SeenRequest } from "../s3/fake-s3.testing.ts";
import type { RunningServer } from "../server.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { startProcess } from "../testing/crashing-process.ts";
import { createLog, createTestLog, entryBytes, random, readMetrics, runServer, temporaryDirectory } from "../testing/fixtures.ts";
import { TestClient } from "../testing/test-client.ts";
import { createUpload, offsetOf, readBlob, sendPart } from "../testing/tus.ts";
import { quick, startTestBucket } from "./bucket.testing.ts";
import type { TestBucket } from "./bucket.testing.ts";

const host = "latchkey.example";

function serve(bucket: Pick<TestBucket, "blobs">, options: Partial<ServerOptions> = {}): Promise<RunningServer> {
  return runServer({ host, blobs: bucket.blobs, ...options }, { bucketPatience: quick });
}

async function put({ url }: RunningServer, blobId: Uint8Array, bytes: Uint8Array): Promise<Response> {
  const response = await fetch(url + blobPath(toBase64Url(blobId)), { method: "PUT", body: new Uint8Array(bytes) });
  return new Response(await response.arrayBuffer(), response);
}

function get({ url }: RunningServer, blobId: Uint8Array, init: RequestInit = {}): Promise<Response> {
  return fetch(url + blobPath(toBase64Url(blobId)), init);
}

async function reasonsOf({ url }: RunningServer): Promise<{ code: string; message: string }[]> {
  const { reasons } = (await (await fetch(`${url}/healthz`)).json()) as { reasons: { code: string; message: string }[] };
  return reasons;
}

const isBytes = ({ key }: SeenRequest): boolean => /^chat\/[0-9a-f]{2}\//.test(key);

/** Answers in place of the bucket whenever bytes of blobs are read. */
function answerReads(bucket: TestBucket, answer: (response: ServerResponse, seen: SeenRequest) => void): void {
  bucket.fake.respond = (seen, response) => {
    if (seen.method !== "GET" || !isBytes(seen)) return false;
    answer(response, seen);
    return true;
  };
}

test("[C-4] what is put, or comes in parts, lies in the bucket and nowhere else, and is read whole, in ranges, or only asked for", async () => {
  const bucket = await startTestBucket();
  const dataDirectory = temporaryDirectory();
  const server = await serve(bucket, { dataDirectory });
  const [blobId, bytes] = [random(32), random(45_000)];
  expect([(await put(server, blobId, bytes)).status, (await put(server, blobId, bytes)).status]).toEqual([201, 200]);
  expect((await put(server, blobId, random(45_000))).status).toBe(409);
  const [inParts, parts] = [random(32), random(70_000)];
  const { path } = await createUpload(server, inParts, parts.length);
  expect((await sendPart(server, path, 0, parts.subarray(0, 30_000))).status).toBe(204);
  expect((await sendPart(server, path, 30_000, parts.subarray(30_000))).status).toBe(204);
  expect([await readBlob(server, blobId), await readBlob(server, inParts)]).toEqual([bytes, parts]);
  expect(bucket.keys()).toHaveLength(2);
  expect(readdirSync(join(dataDirectory, "blobs"))).toEqual(["uploads"]);
  expect(readdirSync(join(dataDirectory, "blobs", "uploads")).filter((name) => !name.endsWith(".mark"))).toEqual([]);

  const part = async (range: string): Promise<readonly [number, string | null, Uint8Array]> => {
    const response = await get(server, blobId, { headers: { range } });
    return [response.status, response.headers.get("content-range"), new Uint8Array(await response.arrayBuffer())];
  };
  expect(await part("bytes=10-19")).toEqual([206, "bytes 10-19/45000", bytes.slice(10, 20)]);
  expect(await part("bytes=-5")).toEqual([206, "bytes 44995-44999/45000", bytes.slice(-5)]);
  expect(await part("bytes=44999-99999")).toEqual([206, "bytes 44999-44999/45000", bytes.slice(-1)]);
  expect(await part("bytes=45000-")).toEqual([416, "bytes */45000", new Uint8Array()]);
  expect((await part("bytes=0-1,4-5"))[0]).toBe(200);
  const head = await get(server, blobId, { method: "HEAD" });
  expect([head.status, head.headers.get("content-length"), head.headers.get("cache-control")]).toEqual([
    200,
    "45000",
    "private, max-age=31536000, immutable",
  ]);
  const empty = random(32);
  expect((await put(server, empty, new Uint8Array())).status).toBe(201);
  expect([await readBlob(server, empty), await readBlob(server, random(32))]).toEqual([new Uint8Array(), 404]);
  expect(await reasonsOf(server)).toEqual([]);
});

describe("a bucket that", () => {
  test.each([
    ["fails", 500],
    ["refuses", 403],
    ["is not there", 404],
    ["hangs up", "hang up"],
    ["is silent", "silence"],
  ] as const)(
    "%s is waited for: what comes is refused as passing, an upload stays as it is, messages go on; afterwards all is well",
    async (_, fault) => {
      const bucket = await startTestBucket();
      const server = await serve(bucket);
      const [known, bytes] = [random(32), random(25_000)];
      expect((await put(server, known, bytes)).status).toBe(201);
      const [inParts, parts] = [random(32), random(30_000)];
      const { path } = await createUpload(server, inParts, parts.length);
      bucket.fake.fault = (seen) => (isBytes(seen) ? fault : undefined);
      if (fault === 404)
        bucket.fake.respond = (seen, response) => {
          if (isBytes(seen)) response.writeHead(404).end("<Error><Code>NoSuchBucket</Code></Error>");
          return isBytes(seen);
        };

      const [putting, patching, reading] = await Promise.all([
        put(server, random(32), random(100)),
        sendPart(server, path, 0, parts),
        get(server, known),
      ]);
      for (const { status, headers } of [putting, patching, reading]) {
        expect([status, headers.get("retry-after"), headers.get("cache-control"), headers.get("content-range")]).toEqual([
          503,
          "15",
          null,
          null,
        ]);
      }
      expect([await putting.json(), patching.code, await reading.json()]).toEqual([
        { code: "unavailable", retryAfterMs: 15_000 },
        "unavailable",
        { code: "unavailable", retryAfterMs: 15_000 },
      ]);
      // What the bucket did not take is not acknowledged.
      expect(await offsetOf(server, path)).toBe(0);
      const reasons = await reasonsOf(server);
      expect(reasons).toEqual([{ code: "blobs", message: expect.stringContaining(bucket.at) as string }]);
      expect(JSON.stringify(reasons)).not.toContain(bucket.blobs.environment["AWS_SECRET_ACCESS_KEY"]);
      expect(Number(/^latchkey_bucket_failures_total (\d+)$/m.exec(await readMetrics(server))?.[1])).toBeGreaterThanOrEqual(3);
      const client = await TestClient.connect(server.url, "log");
      const log = createTestLog();
      await createLog(client, log);
      const naming = entryBytes(512, [{ blobId: known, hash: sha256(bytes), sizeBytes: bytes.length }]);
      expect(await client.outcome({ kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob: naming })).toBe("accepted");

      bucket.fake.fault = undefined;
      bucket.fake.respond = undefined;
      expect((await sendPart(server, path, 0, parts)).status).toBe(204);
      expect(await offsetOf(server, path)).toBe(30_000);
      expect([await readBlob(server, inParts), await readBlob(server, known)]).toEqual([parts, bytes]);
      expect(await reasonsOf(server)).toEqual([]);
    },
  );

  test("lost a blob, or has it in another length, has it no more until the same bytes come again", async () => {
    const bucket = await startTestBucket();
    const server = await serve(bucket);
    const [blobId, bytes] = [random(32), random(25_000)];
    await put(server, blobId, bytes);
    const [key = ""] = bucket.keys();
    for (const left of [undefined, bytes.slice(0, 24_999), new Uint8Array(0), random(25_001)]) {
      if (left === undefined) bucket.fake.objects.delete(key);
      else bucket.fake.objects.set(key, left);
      expect(await readBlob(server, blobId)).toBe(404);
      expect((await get(server, blobId, { method: "HEAD" })).status).toBe(404);
      expect((await put(server, blobId, random(25_000))).status).toBe(409);
      expect((await put(server, blobId, bytes)).status).toBe(200);
      expect(await readBlob(server, blobId)).toEqual(bytes);
    }
    expect(await reasonsOf(server)).toEqual([]);
  });

  test("[E-144] answers something else than it was asked for is no bucket; bytes that are not those are for the readers, who know the hash", async () => {
    const bucket = await startTestBucket();
    const server = await serve(bucket);
    const [blobId, bytes] = [random(32), random(25_000)];
    await put(server, blobId, bytes);
    const there = { "content-range": "bytes 0-24999/25000" };
    // The whole in place of a range, another range, and none that is named.
    for (const headers of [undefined, { "content-range": "bytes 1-25000/25000" }, {}]) {
      answerReads(bucket, (response) => response.writeHead(headers === undefined ? 200 : 206, headers ?? {}).end(bytes));
      expect((await get(server, blobId, { headers: { range: "bytes=0-" } })).status).toBe(503);
    }
    // Too few bytes, too many, and a connection that breaks: nobody takes them for the whole.
    for (const sent of [bytes.subarray(0, 24_000), random(25_001), undefined]) {
      answerReads(bucket, (response) => {
        response.writeHead(206, there);
        if (sent === undefined) response.write(bytes.subarray(0, 20_000), () => response.destroy());
        else response.end(sent);
      });
      await expect(
        get(server, blobId).then(async (response) => {
          if (!response.ok) throw new Error(String(response.status));
          await response.arrayBuffer();
        }),
      ).rejects.toThrow();
      expect((await reasonsOf(server)).map(({ code }) => code)).toEqual(["blobs"]);
    }
    const others = random(25_000);
    answerReads(bucket, (response) => response.writeHead(206, there).end(others));
    expect(await readBlob(server, blobId)).toEqual(others);
    expect(await reasonsOf(server)).toEqual([]);
  });

  test("[E-144] falls silent in the middle, or drips, ends the answer and holds nobody up", async () => {
    const bucket = await startTestBucket();
    const server = await serve(bucket);
    const [blobId, bytes] = [random(32), random(25_000)];
    await put(server, blobId, bytes);
    for (const isDripping of [false, true]) {
      answerReads(bucket, (response) => {
        response.writeHead(206, { "content-range": "bytes 0-24999/25000" });
        response.write(bytes.subarray(0, 10_000));
        const timer = setInterval(() => isDripping && response.write(Buffer.alloc(1)), 50);
        response.on("close", () => clearInterval(timer));
      });
      const sinceMs = performance.now();
      await expect(get(server, blobId).then((response) => response.arrayBuffer())).rejects.toThrow();
      expect(performance.now() - sinceMs).toBeLessThan(10_000);
    }
    bucket.fake.respond = undefined;
    expect(await readBlob(server, blobId)).toEqual(bytes);
  });

  test("is silent when the server stops does not keep it from that", async () => {
    const bucket = await startTestBucket();
    const server = await runServer({ host, blobs: bucket.blobs });
    const seen = Promise.withResolvers<void>();
    bucket.fake.fault = (request) => {
      if (isBytes(request)) seen.resolve();
      return "silence";
    };
    const putting = put(server, random(32), random(100)).catch(() => undefined);
    await seen.promise;
    const sinceMs = performance.now();
    await server.close();
    await putting;
    expect(performance.now() - sinceMs).toBeLessThan(5000);
  });
});

describe("a gigabyte", () => {
  const sizeBytes = 1_073_741_824;

  /** A server that knows a blob of a gigabyte, and a bucket that makes it as it is read. */
  async function withGigabyte() {
    const bucket = await startTestBucket();
    const dataDirectory = temporaryDirectory();
    await (await serve(bucket, { dataDirectory })).close();
    const blobId = random(32);
    const store = await openSqliteStore({ directory: dataDirectory });
    await store.addBlob({ blobId, sha256: random(32), sizeBytes, expiresDay: dayOf(Date.now()) + 2 });
    await store.close();
    const piece = Buffer.alloc(65_536, 7);
    const sent = { bytes: 0 };
    answerReads(bucket, (response, { range }) => {
      const [first = 0, last = 0] =
        /^bytes=(\d+)-(\d+)$/
          .exec(range ?? "")
          ?.slice(1)
          .map(Number) ?? [];
      response.writeHead(206, { "content-range": `bytes ${String(first)}-${String(last)}/${String(sizeBytes)}` });
      let left = last - first + 1;
      const send = (): void => {
        while (left > 0 && !response.destroyed) {
          const next = piece.subarray(0, Math.min(left, piece.length));
          left -= next.length;
          sent.bytes += next.length;
          if (!response.write(next)) {
            response.once("drain", send);
            return;
          }
        }
        response.end();
      };
      send();
    });
    return { server: await runServer({ host, dataDirectory, blobs: bucket.blobs }), blobId, sent };
  }

  test("is read through the server without ever being in its memory", async () => {
    const { server, blobId, sent } = await withGigabyte();
    const response = await get(server, blobId);
    let [size, peak] = [0, 0];
    for await (const part of response.body ?? []) {
      const before = size;
      size += part.length;
      if (Math.floor(before / 67_108_864) === Math.floor(size / 67_108_864)) continue;
      peak = Math.max(peak, await heldBufferBytes());
    }
    expect([size, sent.bytes]).toEqual([sizeBytes, sizeBytes]);
    expect(peak).toBeLessThan(64_000_000);
  }, 120_000);

  test("is not asked for further than somebody reads it", async () => {
    const { server, blobId, sent } = await withGigabyte();
    const socket = connect(server.port, "127.0.0.1");
    const begun = new Promise<void>((resolve) => socket.once("readable", () => resolve()));
    socket.write(`GET ${blobPath(toBase64Url(blobId))} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await begun;
    let before = -1;
    // What systems hold between the three is full.
    await expect
      .poll(
        () => {
          const isStill = sent.bytes === before;
          before = sent.bytes;
          return isStill;
        },
        { interval: 300, timeout: 20_000 },
      )
      .toBe(true);
    expect(sent.bytes).toBeLessThan(sizeBytes / 20);
    socket.destroy();
  });
});

test("a server that is killed between the object and its row has told nobody; an upload goes on after the next start, the rest is removed", async () => {
  const bucket = await startTestBucket();
  const directory = temporaryDirectory();
  const environment = { ...bucket.blobs.environment, TEST_BLOBS: bucket.at };
  const first = await startProcess(directory, undefined, environment);
  const [inParts, parts] = [random(32), random(30_000)];
  const { path } = await createUpload(first, inParts, parts.length);
  // Each is stored, and its answer never comes.
  bucket.fake.respond = (seen) => {
    if (seen.method !== "PUT" || !isBytes(seen)) return false;
    bucket.fake.objects.set(seen.key, seen.body);
    return true;
  };
  const putting = fetch(first.url + blobPath(toBase64Url(random(32))), { method: "PUT", body: new Uint8Array(100) }).catch(() => "ended");
  const patching = sendPart(first, path, 0, parts).catch(() => "ended");
  await expect.poll(() => bucket.keys().length, { timeout: 20_000 }).toBe(2);
  first.kill("SIGKILL");
  expect([await putting, await patching]).toEqual(["ended", "ended"]);
  await first.ended;
  bucket.fake.respond = undefined;

  const again = await startProcess(directory, undefined, environment);
  expect(await offsetOf(again, path)).toBe(0);
  expect((await sendPart(again, path, 0, parts)).status).toBe(204);
  expect(await readBlob(again, inParts)).toEqual(parts);
  await expect.poll(() => bucket.keys().length, { timeout: 20_000 }).toBe(1);
  expect(await readBlob(again, inParts)).toEqual(parts);
});

describe("where the blobs lie", () => {
  const refusal = (message: RegExp) => ({ name: "ServerError", message: expect.stringMatching(message) as string });

  test("is remembered: a server that would not find them does not start, and says how it does", async () => {
    const [bucket, other] = [await startTestBucket(), await startTestBucket()];
    const [inFolder, inBucket] = [temporaryDirectory(), temporaryDirectory()];
    const blobId = random(32);
    const folder = await runServer({ dataDirectory: inFolder, host });
    await put(folder, blobId, random(100));
    await folder.close();
    await expect(serve(bucket, { dataDirectory: inFolder })).rejects.toMatchObject(refusal(/start it without --blobs/));
    // Nothing was claimed by that.
    expect(bucket.fake.objects.size).toBe(0);

    const first = await serve(bucket, { dataDirectory: inBucket });
    await put(first, blobId, random(100));
    await first.close();
    await expect(runServer({ dataDirectory: inBucket, host })).rejects.toMatchObject(refusal(/start it with --blobs s3:\/\/copies\/chat/));
    const moved = { blobs: { ...other.blobs, at: "s3://copies/moved" } };
    await expect(serve(moved, { dataDirectory: inBucket })).rejects.toMatchObject(refusal(/latchkey blobs move s3:\/\/copies\/moved/));
    // Another server takes no bucket that is somebody's.
    await expect(serve(bucket)).rejects.toMatchObject(refusal(/blobs of another server/));
    for (const [key, bytes] of bucket.fake.objects) other.fake.objects.set(key.replace("chat/", "moved/"), bytes);
    const again = await serve(moved, { dataDirectory: inBucket });
    expect(await readBlob(again, blobId)).toHaveLength(100);
  });

  test("[E-144] a copy of the data that is started with the same bucket erases nothing that the server has there", async () => {
    const bucket = await startTestBucket();
    const [dataDirectory, copied] = [temporaryDirectory(), temporaryDirectory()];
    await (await serve(bucket, { dataDirectory })).close();
    cpSync(dataDirectory, copied, { recursive: true });
    const server = await serve(bucket, { dataDirectory });
    const [blobId, bytes] = [random(32), random(100)];
    await put(server, blobId, bytes);
    await server.close();
    // Its sweep comes a second after its start, and would find an object that it knows nothing of.
    const copy = await serve(bucket, { dataDirectory: copied });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await copy.close();
    expect(bucket.keys()).toHaveLength(1);
    const again = await serve(bucket, { dataDirectory });
    expect(await readBlob(again, blobId)).toEqual(bytes);
    await again.close();
    const told = await serve(bucket, { dataDirectory: copied, iKnow: ["extra-blobs"] });
    await expect.poll(() => bucket.keys(), { timeout: 10_000 }).toEqual([]);
    await told.close();
  });

  test("may be changed as long as there are none", async () => {
    const bucket = await startTestBucket();
    const dataDirectory = temporaryDirectory();
    for (const blobs of [{}, { blobs: bucket.blobs }, {}]) await (await runServer({ dataDirectory, host, ...blobs })).close();
    // Whoever comes back is not known there any more: the operator looks whose they are.
    await expect(serve(bucket, { dataDirectory })).rejects.toMatchObject(refusal(/blobs of another server/));
    const server = await serve({ blobs: { ...bucket.blobs, at: "s3://copies/fresh" } }, { dataDirectory });
    await server.close();
    await expect(serve(bucket, { dataDirectory })).rejects.toMatchObject(refusal(/blobs of another server/));
    expect(new TextDecoder().decode(bucket.fake.objects.get("chat/server"))).toMatch(/^[0-9a-f]{32}$/);
    // Killed before the bucket had it the first time, or started while the bucket fails.
    bucket.fake.objects.delete("fresh/server");
    const fresh = { blobs: { ...bucket.blobs, at: "s3://copies/fresh" } };
    for (const fault of [undefined, 500]) {
      bucket.fake.fault = () => fault;
      const again = await serve(fresh, { dataDirectory });
      if (fault === undefined) expect((await put(again, random(32), new Uint8Array())).status).toBe(201);
      await again.close();
    }
  });

  test("need not answer when the server starts: it comes by itself; what is not known to be this server's is not swept", async () => {
    const bucket = await startTestBucket();
    const dataDirectory = temporaryDirectory();
    const first = await serve(bucket, { dataDirectory });
    const [blobId, bytes] = [random(32), random(100)];
    await put(first, blobId, bytes);
    await first.close();
    bucket.fake.fault = () => 500;
    const again = await serve(bucket, { dataDirectory });
    await expect.poll(async () => (await reasonsOf(again)).map(({ code }) => code)).toEqual(["blobs"]);
    bucket.fake.fault = undefined;
    expect(await readBlob(again, blobId)).toEqual(bytes);
    await expect.poll(() => reasonsOf(again)).toEqual([]);
    await again.close();
    // Somebody gave another server the same prefix, and it was there first.
    const orphan = [...bucket.keys()][0]?.replace("/", "/A") ?? "";
    bucket.fake.objects.set(orphan, new Uint8Array(1));
    bucket.fake.objects.set("chat/server", new TextEncoder().encode("another"));
    const third = await serve(bucket, { dataDirectory });
    await expect.poll(async () => (await reasonsOf(third))[0]?.message).toMatch(/blobs of another server/);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(bucket.fake.objects.has(orphan)).toBe(true);
  });
});

test("another bucket in place of the right one, as another endpoint has, gets nothing and says of nothing that it is not there", async () => {
  const [bucket, wrong] = [await startTestBucket(), await startTestBucket()];
  const dataDirectory = temporaryDirectory();
  const first = await serve(bucket, { dataDirectory });
  const [blobId, bytes] = [random(32), random(100)];
  await put(first, blobId, bytes);
  await first.close();
  const second = await serve(wrong, { dataDirectory });
  for (const response of [await put(second, random(32), bytes), await get(second, blobId), await get(second, blobId, { method: "HEAD" })])
    expect(response.status).toBe(503);
  expect((await reasonsOf(second))[0]?.message).toMatch(/AWS_ENDPOINT_URL.*--i-know lost-blobs/);
  await second.close();
  expect(wrong.fake.objects.size).toBe(0);
  // All of it is lost, and its operator says so.
  const third = await serve(wrong, { dataDirectory, iKnow: ["lost-blobs"] });
  expect([await readBlob(third, blobId), (await put(third, blobId, bytes)).status]).toEqual([404, 200]);
  expect(await readBlob(third, blobId)).toEqual(bytes);
});

test("a bucket that fails is named once, without keys, looked at until it works, and said to work again", async () => {
  const { watch, place, fake, told, tick, counters, at, blobs } = await startTestBucket("the test");
  await watch.verify();
  const has = () => place.has({ blobId: random(32), sha256: random(32), sizeBytes: 1 });
  fake.fault = () => 503;
  for (let count = 0; count < 3; count++) await expect(has()).rejects.toMatchObject({ name: "Refusal", code: "unavailable" });
  expect([counters.bucketFailures, told.length, watch.reason]).toEqual([3, 1, told[0]]);
  expect(told[0]).toContain(at);
  for (const secret of Object.values(blobs.environment).slice(0, 2)) expect(told[0]).not.toContain(secret);
  tick();
  await expect.poll(() => counters.bucketFailures).toBe(4);
  fake.fault = ({ method }) => (method === "PUT" || method === "DELETE" ? 403 : undefined);
  tick();
  await expect.poll(() => watch.reason).toBeUndefined();
  expect(told.slice(1)).toEqual([`The bucket ${at} works again.`]);
  // What cannot be removed stays wrong until it can, whatever else works; it was told of within the minute.
  await expect(place.remove("00/x")).rejects.toMatchObject({ code: "unavailable" });
  expect(await has()).toBe(false);
  tick();
  await expect.poll(() => watch.reason).toContain(at);
  expect(told).toHaveLength(2);
  fake.fault = undefined;
  await place.remove("00/x");
  expect(watch.reason).toBeUndefined();
  // A bug is no fault of the bucket's.
  await expect(watch.ask("write", () => Promise.reject(new TypeError("a bug")))).rejects.toThrow("a bug");
  expect(watch.reason).toBeUndefined();
});
