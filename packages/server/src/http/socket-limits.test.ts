import { toBase64Url } from "@latchkey/codec";
import { EventEmitter, once } from "node:events";
import type { Server } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { PassThrough } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { noProxies } from "../addresses.ts";
import { defaultLimits } from "../config.ts";
import { random, runServer } from "../testing/fixtures.ts";
import { startBounded } from "../testing/server-process.ts";
import { SocketLimits } from "./socket-limits.ts";
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

/** The first line of the answer, or what became of the socket. */
async function answerOf(port: number, text: string, localAddress: string): Promise<{ line: string; socket: Socket }> {
  const { socket, ended } = stuck(port, text, localAddress);
  const first = new Promise<string>((resolve) => {
    socket.once("data", (bytes: Buffer) => resolve(bytes.toString("latin1").split("\r\n")[0] ?? ""));
  });
  return { line: await Promise.race([first, ended.then(() => "ended")]), socket };
}

const get = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
const upgrade = [
  "GET /v1/log HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Protocol: latchkey.1\r\n\r\n",
].join("\r\n");

test.for([
  { by: "addresses of their own", trustProxy: false as const },
  { by: "a trusted proxy", trustProxy: "127.0.0.0/8" },
])("who holds all sockets, by $by, keeps out no request and no upgrade of others", async ({ trustProxy }) => {
  const server = await runServer({ trustProxy, limits: { maxHttpSockets: 40, maxHttpSocketsPerAddress: 10 } });
  const held: ReturnType<typeof stuck>[] = [];
  for (let at = 0; at < 40; at++) {
    const one = stuck(server.port, "GET / HTTP/1.1\r\n", `127.0.0.${10 + (at % 4)}`);
    held.push(one);
    await once(one.socket, "connect");
  }
  let ended = 0;
  for (const each of held) void each.ended.then(() => (ended += 1));
  const lines: string[] = [];
  for (const text of [get, upgrade, get, upgrade]) lines.push((await answerOf(server.port, text, "127.0.0.200")).line);
  expect(lines).toEqual(["HTTP/1.1 200 OK", "HTTP/1.1 101 Switching Protocols", "HTTP/1.1 200 OK", "HTTP/1.1 101 Switching Protocols"]);
  // The oldest have gone for them, no more than had to.
  await expect.poll(() => ended).toBeGreaterThan(0);
  expect(ended).toBeLessThanOrEqual(4);
  expect(held.at(-1)?.socket.closed).toBe(false);
  for (const { socket } of held) socket.destroy();
});

test("kept-alive sockets without a request keep nobody of their address out: the longest idle goes", async () => {
  const server = await runServer({ limits: { maxHttpSocketsPerAddress: 20 } });
  const idle: Socket[] = [];
  for (let at = 0; at < 20; at++) {
    const { line, socket } = await answerOf(server.port, get, "127.0.0.9");
    expect(line).toBe("HTTP/1.1 200 OK");
    idle.push(socket);
  }
  expect((await answerOf(server.port, get, "127.0.0.9")).line).toBe("HTTP/1.1 200 OK");
  expect((await answerOf(server.port, upgrade, "127.0.0.9")).line).toBe("HTTP/1.1 101 Switching Protocols");
  await expect.poll(() => idle.slice(0, 2).map(({ closed }) => closed)).toEqual([true, true]);
  expect(idle.slice(2).every(({ closed }) => !closed)).toBe(true);
});

test("behind a trusted proxy a visitor has so many requests under way, and others have theirs", async () => {
  const server = await runServer({ trustProxy: "127.0.0.0/8", limits: { maxHttpSocketsPerAddress: 5 } });
  const uploadOf = (visitor: string): string =>
    `PUT /v1/blobs/${toBase64Url(random(32))} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: ${visitor}\r\nContent-Length: 100\r\n\r\nx`;
  const getOf = async (visitor: string): Promise<number> =>
    (await fetch(`${server.url}/healthz`, { headers: { "x-forwarded-for": visitor } })).status;
  const held = Array.from({ length: 5 }, () => stuck(server.port, uploadOf("203.0.113.6")));
  await expect.poll(() => getOf("203.0.113.6")).toBe(429);
  expect(await getOf("203.0.113.7")).toBe(200);
  // Uploads that break off are under way no more.
  for (const { socket } of held) socket.destroy();
  await expect.poll(() => getOf("203.0.113.6")).toBe(200);
});

test("one site has a quarter of all sockets, whatever networks it spreads them over", () => {
  const limits = new SocketLimits({ maxSockets: 40, maxSocketsPerAddress: 4, idleMs: 60_000 }, noProxies);
  onTestFinished(() => limits.close());
  const server = new EventEmitter();
  // It listens for sockets and requests, and asks nothing else of the server.
  limits.attach(server as unknown as Server);
  const open = (remoteAddress: string, remotePort: number): void => {
    server.emit("connection", Object.assign(new PassThrough(), { remoteAddress, remotePort, bytesRead: 0 }));
  };
  for (let at = 0; at < 20; at++) open(`2001:db8:1:${(at + 1).toString(16)}00::1`, 1000 + at);
  expect(limits.size).toBe(10);
  open("2001:db8:2::1", 1000);
  expect(limits.size).toBe(11);
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

test("nor is one whose sender goes when all of it has been sent and not all been read", async () => {
  const server = await startBounded({ heapMegabytes: 128 });
  const whole = Buffer.alloc(65_536);
  await Promise.all(
    Array.from({ length: 60 }, async () => {
      const path = `/v1/blobs/${toBase64Url(random(32))}`;
      const { socket, ended } = stuck(server.port, `PUT ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${whole.length}\r\n\r\n`);
      socket.write(whole, () => socket.destroy());
      await ended;
    }),
  );
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  await server.peakBytes();
  expect(server.log()).toBe("");
});
