import { encode } from "@latchkey/codec";
import { logRequestCodec, maxFrameBytes } from "@latchkey/protocol";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { createLog, createTestLog, entryBytes, openLog, random } from "../testing/fixtures.ts";
import type { TestLog } from "../testing/fixtures.ts";
import { openRaw, rawFrame, upgradeRequest } from "../testing/hostile-sockets.ts";
import type { RawSocket } from "../testing/hostile-sockets.ts";
import { startBounded } from "../testing/server-process.ts";
import type { BoundedServer } from "../testing/server-process.ts";
import { TestClient } from "../testing/test-client.ts";

/** What docs/operations.md states for 1,000 hostile connections. */
const ceilingBytes = 512 * 1_048_576;
const heapMegabytes = 256;

function append(log: TestLog, blob: Uint8Array): { kind: "append"; logId: Uint8Array; epochId: 0; entryKind: "message"; blob: Uint8Array } {
  return { kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob };
}

async function openMany(server: BoundedServer, count: number, addressOf: (at: number) => string): Promise<RawSocket[]> {
  const sockets: RawSocket[] = [];
  while (sockets.length < count) {
    const size = Math.min(50, count - sockets.length);
    sockets.push(
      ...(await Promise.all(Array.from({ length: size }, (_, at) => openRaw(server.port, "log", addressOf(sockets.length + at))))),
    );
  }
  return sockets;
}

/** Resolves when everything was written, or the other side has ended. */
function write({ socket, ended }: RawSocket, bytes: Uint8Array): Promise<unknown> {
  return Promise.race([new Promise((resolve) => socket.write(bytes, resolve)), ended]);
}

test("messages that never end, whole frames and parts, of 1,000 connections: the process stays below its ceiling, and an honest one goes on", async () => {
  const server = await startBounded({ heapMegabytes });
  const honest = await TestClient.connect(server.url, "log");
  const log = createTestLog();
  await createLog(honest, log);
  // Forty networks' worth of addresses, so that no single one is above its own share.
  const hostile = await openMany(server, 1000, (at) => `127.0.1.${1 + (at % 40)}`);
  const half = rawFrame(random(120_000), { saysBytes: maxFrameBytes });
  const parts = Buffer.concat(
    Array.from({ length: 12 }, (_, at) => rawFrame(random(10_000), { opcode: at === 0 ? 2 : 0, isFinal: false })),
  );
  const one = Buffer.concat([
    rawFrame(random(1), { isFinal: false }),
    ...Array.from({ length: 250 }, () => rawFrame(random(1), { opcode: 0, isFinal: false })),
  ]);
  await Promise.all(hostile.map((each, at) => write(each, [half, parts, one][at % 3] ?? half)));
  expect(await honest.outcome(append(log, entryBytes(512)))).toBe("accepted");
  const peak = await server.peakBytes();
  expect(peak).toBeLessThan(ceilingBytes);
  expect(honest.socket.readyState).toBe(honest.socket.OPEN);
  for (const { socket } of hostile) socket.destroy();
});

test("readers that take nothing, with requests whose answers wait and pings: bounded, and an honest reader gets everything", async () => {
  const server = await startBounded({ heapMegabytes });
  const honest = await TestClient.connect(server.url, "log");
  const log = createTestLog();
  await createLog(honest, log);
  const hostile = await openMany(server, 300, (at) => `127.0.1.${1 + (at % 10)}`);
  const open = encode(logRequestCodec, {
    id: 1,
    body: { kind: "open", logId: log.logId, epochId: 0, access: log.access, afterSeq: 0, closed: [] },
  });
  const ask = encode(logRequestCodec, { id: 2, body: { kind: "ping" } });
  const ping = rawFrame(random(125), { opcode: 9 });
  for (const { socket } of hostile) socket.pause();
  await Promise.all(hostile.map((each) => write(each, rawFrame(open))));
  const flood = Buffer.concat(Array.from({ length: 400 }, () => Buffer.concat([rawFrame(ask), ping])));
  const flooding = hostile.map(async (each) => {
    for (let round = 0; round < 10; round++) if (!each.socket.destroyed) await write(each, flood);
  });
  for (let at = 0; at < 200; at++) expect(await honest.outcome(append(log, entryBytes(60_000)))).toBe("accepted");
  const events = await honest.take(200);
  expect(events).toHaveLength(200);
  expect(await server.peakBytes()).toBeLessThan(ceilingBytes);
  for (const { socket } of hostile) socket.destroy();
  await Promise.all(flooding);
});

test("1,000 small requests at once on each of 800 connections: held back unread, and an honest one waits for few of them", async () => {
  const server = await startBounded({ heapMegabytes });
  const honest = await TestClient.connect(server.url, "log");
  const log = createTestLog();
  await createLog(honest, log);
  const hostile = await openMany(server, 800, (at) => `127.0.2.${1 + (at % 3)}`);
  const made = createTestLog();
  const maker = await TestClient.connect(server.url, "log");
  await createLog(maker, made);
  const requests = (from: number): Uint8Array =>
    Buffer.concat(
      Array.from({ length: 1000 }, (_, at) => rawFrame(encode(logRequestCodec, { id: from + at, body: append(made, random(1)) }))),
    );
  let answers = 0;
  for (const { socket } of hostile) socket.on("data", (data: Buffer) => (answers += data.length));
  const frames = requests(1);
  for (const each of hostile) void write(each, frames);
  for (let at = 0; at < 20; at++) {
    await openLog(honest, log);
    expect(await honest.outcome(append(log, entryBytes(512)))).toBe("accepted");
  }
  // The honest one was answered forty times while most of the 800,000 still wait.
  const perAnswer = 11;
  expect(answers).toBeLessThan(400_000 * perAnswer);
  expect(await server.peakBytes()).toBeLessThan(ceilingBytes);
  for (const { socket } of hostile) socket.destroy();
});

test("sockets whose upgrade was refused are ended, whether the peer ends its side or not", async () => {
  const server = await startBounded({ heapMegabytes });
  const refused = Array.from(
    { length: 50 },
    () =>
      new Promise<void>((resolve) => {
        const socket = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
        socket.on("error", () => undefined);
        socket.on("close", () => resolve());
        socket.on("data", () => undefined);
        socket.write(upgradeRequest("/v1/other"));
        // It never ends its own side: only the server's end of the connection can close it.
        socket.on("end", () => {
          const write = setInterval(() => (socket.destroyed ? clearInterval(write) : socket.write("x")), 200);
        });
      }),
  );
  expect(await Promise.all(refused)).toHaveLength(50);
});
