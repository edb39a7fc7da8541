// The client of the tus project against this server: what it makes of answers, of a server that is killed, and of connections that break.
import { setTimeout as delay } from "node:timers/promises";
import { createServer } from "node:net";
import type { Socket } from "node:net";
import { httpPaths } from "@latchkey/protocol";
import { Upload } from "tus-js-client";
import type { UploadOptions } from "tus-js-client";
import { expect, onTestFinished, test } from "vitest";
import { startProcess } from "../testing/crashing-process.ts";
import { random, runServer, temporaryDirectory } from "../testing/fixtures.ts";
import { blobMetadata, holdsBlob, offsetOf, tus } from "../testing/tus.ts";

const partBytes = 262_144;
const patience = { timeout: 20_000 };

interface Running {
  readonly upload: Upload;
  /** Settles with "whole", or with the status that ended it. */
  readonly done: Promise<string>;
  readonly accepted: () => number;
}

function start(url: string, blobId: Uint8Array, bytes: Uint8Array, options: Partial<UploadOptions> = {}): Running {
  let accepted = 0;
  const { promise: done, resolve } = Promise.withResolvers<string>();
  const upload = new Upload(Buffer.from(bytes), {
    endpoint: url + httpPaths.uploads,
    chunkSize: partBytes,
    retryDelays: Array.from({ length: 40 }, () => 50),
    headers: { "Upload-Metadata": blobMetadata(blobId) },
    onChunkComplete: (_size, whole) => {
      accepted = whole;
    },
    onSuccess: () => resolve("whole"),
    onError: (error) => {
      const answer = "originalResponse" in error ? error.originalResponse : undefined;
      resolve(`status ${String(answer?.getStatus() ?? 0)}`);
    },
    ...options,
  });
  onTestFinished(() => upload.abort());
  upload.start();
  return { upload, done, accepted: () => accepted };
}

test("an upload in parts, one in a single request, and none of nothing", async () => {
  const server = await runServer();
  for (const [size, options] of [
    [1_000_000, {}],
    [1_000_000, { chunkSize: Infinity }],
    [0, {}],
  ] as const) {
    const [blobId, bytes] = [random(32), random(size)];
    expect(await start(server.url, blobId, bytes, options).done).toBe("whole");
    expect(await holdsBlob(server, blobId, bytes)).toBe(true);
  }
});

test("goes on after the server was killed in the middle, again and again; what was told to be there is there", async () => {
  const directory = temporaryDirectory();
  const [blobId, bytes] = [random(32), random(6_000_000)];
  // The port of a server changes with each start: in front of them stands one that does not.
  let target = 0;
  const front = createServer((socket) => {
    const behind = new (socket.constructor as typeof Socket)();
    behind.connect(target, "127.0.0.1");
    socket.pipe(behind).pipe(socket);
    for (const [one, other] of [
      [socket, behind],
      [behind, socket],
    ] as const)
      one.on("error", () => other.destroy()).on("close", () => other.destroy());
  });
  await new Promise<void>((resolve) => {
    front.listen(0, "127.0.0.1", () => resolve());
  });
  onTestFinished(() => void front.close());
  const address = front.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const begin = async (): ReturnType<typeof startProcess> => {
    const server = await startProcess(directory);
    target = Number(new URL(server.url).port);
    return server;
  };
  let server = await begin();
  const running = start(`http://127.0.0.1:${String(address.port)}`, blobId, bytes, { retryDelays: Array.from({ length: 400 }, () => 50) });
  for (let round = 1; round <= 3; round++) {
    await expect.poll(() => running.accepted(), { interval: 1, timeout: 20_000 }).toBeGreaterThan(round * 1_000_000);
    server.kill("SIGKILL");
    await server.ended;
    const told = running.accepted();
    server = await begin();
    const path = new URL(running.upload.url ?? "").pathname;
    expect(Number(await offsetOf(server, path))).toBeGreaterThanOrEqual(told);
  }
  expect(await running.done).toBe("whole");
  expect(await holdsBlob(server, blobId, bytes)).toBe(true);
});

test("goes on after it was stopped, with its address alone, where it had come", async () => {
  const server = await runServer();
  const [blobId, bytes] = [random(32), random(3_000_000)];
  for (let round = 0; round < 3; round++) {
    const first = start(server.url, blobId, bytes, { chunkSize: Infinity });
    await expect.poll(() => first.upload.url, patience).not.toBeNull();
    await delay(round * 3);
    await first.upload.abort();
    const uploadUrl = first.upload.url ?? "";
    expect(await start(server.url, blobId, bytes, { uploadUrl }).done).toBe("whole");
    expect(await holdsBlob(server, blobId, bytes)).toBe(true);
  }
});

test("begins anew where its upload is gone, asks where it stands where it was wrong, and hears what is refused for good", async () => {
  const server = await runServer({ limits: { maxFileBytes: 2_000_000 } });
  const [blobId, bytes] = [random(32), random(1_000_000)];
  const uploadUrl = `${server.url}${httpPaths.uploads}/${"A".repeat(43)}`;
  expect(await start(server.url, blobId, bytes, { uploadUrl }).done).toBe("whole");
  expect(await holdsBlob(server, blobId, bytes)).toBe(true);
  expect(await start(server.url, random(32), random(2_000_001)).done).toBe("status 413");
  expect(await start(server.url, blobId, random(999)).done).toBe("status 409");
  expect(await start(server.url, random(32), bytes, { metadata: { filename: "picture.png" } }).done).toBe("status 400");
  // It is ended meanwhile, by whoever else has its address.
  const ended = start(server.url, random(32), bytes, { chunkSize: 1000, retryDelays: [] });
  await expect.poll(() => ended.accepted(), patience).toBeGreaterThan(10_000);
  const path = new URL(ended.upload.url ?? "").pathname;
  expect((await tus(server, { method: "DELETE", path })).status).toBe(204);
  expect(await ended.done).toMatch(/^status (?:404|0)$/);
});

test("one that is wrong about where it stands asks, and goes on", async () => {
  const server = await runServer();
  const [blobId, bytes] = [random(32), random(1_000_000)];
  const running = start(server.url, blobId, bytes, { chunkSize: 1000 });
  await expect.poll(() => running.accepted(), patience).toBeGreaterThan(10_000);
  // Somebody else with its address sends the same bytes.
  const uploadUrl = running.upload.url ?? "";
  const other = start(server.url, blobId, bytes, { chunkSize: 7001, uploadUrl });
  expect(await Promise.all([running.done, other.done])).toEqual(["whole", "whole"]);
  expect(await holdsBlob(server, blobId, bytes)).toBe(true);
});

test("its termination ends an upload", async () => {
  const server = await runServer();
  const running = start(server.url, random(32), random(1_000_000), { chunkSize: 1000 });
  await expect.poll(() => running.accepted(), patience).toBeGreaterThan(10_000);
  const path = new URL(running.upload.url ?? "").pathname;
  await running.upload.abort(true);
  expect(await offsetOf(server, path)).toBe("status 404");
});
