import { toBase64Url } from "@latchkey/codec";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { expect, test } from "vitest";
import { defaultLimits } from "../config.ts";
import { random, runServer } from "../testing/fixtures.ts";
import { startBounded } from "../testing/server-process.ts";
import { TestClient } from "../testing/test-client.ts";

/** A socket that has sent so much and takes nothing; settles when it has ended. */
function stuck(port: number, text: string, localAddress = "127.0.0.1"): { socket: Socket; ended: Promise<void> } {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  socket.on("error", () => undefined);
  const ended = new Promise<void>((resolve) => {
    socket.once("close", () => resolve());
  });
  socket.write(text);
  return { socket, ended };
}

test("one address has so many sockets that are no WebSockets; others, and WebSockets, are not counted with them", async () => {
  const server = await runServer({ limits: { maxHttpSocketsPerAddress: 20 } });
  const held = Array.from({ length: 60 }, () => stuck(server.port, "GET / HTTP/1.1\r\n", "127.0.0.9"));
  let ended = 0;
  for (const each of held) void each.ended.then(() => (ended += 1));
  await expect.poll(() => ended).toBe(40);
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  const clients = await Promise.all(Array.from({ length: 40 }, () => TestClient.connect(server.url, "log")));
  expect(clients).toHaveLength(40);
  for (const { socket } of held) socket.destroy();
});

test("downloads that nobody reads, uploads that stand still and requests that do not end are ended, open WebSockets are not", async () => {
  const server = await runServer({ limits: { httpIdleMs: 300 } });
  const client = await TestClient.connect(server.url, "log");
  const path = `/v1/blobs/${toBase64Url(random(32))}`;
  expect((await fetch(server.url + path, { method: "PUT", body: random(20_000_000).slice() })).status).toBe(201);
  const download = stuck(server.port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  download.socket.pause();
  const upload = stuck(server.port, `PUT /v1/blobs/${toBase64Url(random(32))} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx`);
  const half = stuck(server.port, "GET /healthz HTTP/1.1\r\nHost: loc");
  await Promise.all([upload.ended, half.ended]);
  // Its end is seen by who reads.
  download.socket.resume();
  await download.ended;
  expect(await client.outcome({ kind: "ping" })).toBe("done");
});

test("bytes of blobs are limited by address, announced or not", async () => {
  const rates = { ...defaultLimits.rates, blobBytes: { burst: 100_000, perSecond: 0.001 } };
  const server = await runServer({ limits: { rates } });
  const put = async (body: Uint8Array<ArrayBuffer> | ReadableStream, duplex?: "half"): Promise<number> => {
    const url = `${server.url}/v1/blobs/${toBase64Url(random(32))}`;
    return (await fetch(url, { method: "PUT", body, ...(duplex === undefined ? {} : { duplex }) })).status;
  };
  expect(await put(random(60_000).slice())).toBe(201);
  expect(await put(new Blob([random(60_000).slice()]).stream(), "half")).toBe(201);
  expect(await put(random(10).slice())).toBe(429);
});

test("an upload that breaks off is nobody's bug", async () => {
  const server = await startBounded({ heapMegabytes: 128 });
  for (let at = 0; at < 5; at++) {
    const broken = stuck(
      server.port,
      `PUT /v1/blobs/${toBase64Url(random(32))} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nx`,
    );
    await once(broken.socket, "connect");
    // The server has begun to read it when it answers the next one.
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    broken.socket.resetAndDestroy();
    await broken.ended;
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  }
  await server.peakBytes();
  expect(server.log()).toBe("");
});
