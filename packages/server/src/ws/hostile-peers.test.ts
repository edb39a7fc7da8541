import { encode, toHex } from "@latchkey/codec";
import {
  closeCodes,
  deviceReplyCodec,
  logReplyCodec,
  logRequestCodec,
  maxClosedEpochs,
  maxFrameBytes,
  socketPath,
  subprotocol,
} from "@latchkey/protocol";
import type { LogRequest, Role } from "@latchkey/protocol";
import { isCutOff } from "@latchkey/testkit";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { defaultLimits } from "../config.ts";
import { createLog, createTestLog, entryBytes, none, openLog, random, readMetrics, runServer, zeros } from "../testing/fixtures.ts";
import { openRaw, rawFrame, upgradeRequest } from "../testing/hostile-sockets.ts";
import { TestClient } from "../testing/test-client.ts";
import { decode } from "@latchkey/codec";

const roleNames: Role[] = ["device", "log", "post", "lookup"];

/** Everything that a raw WebSocket received, and the code it was closed with. */
function collect(url: string, role: Role, send: (socket: WebSocket) => void): Promise<{ frames: Buffer[]; code: number }> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url.replace(/^http/, "ws") + socketPath(role), subprotocol);
    const frames: Buffer[] = [];
    socket.on("message", (data: Buffer) => {
      frames.push(data);
      if (frames.length === 1) send(socket);
    });
    socket.on("error", () => {});
    socket.on("close", (code) => resolve({ frames: frames.slice(1), code }));
  });
}

const append: LogRequest = { kind: "append", logId: zeros, epochId: 0, entryKind: "message", blob: entryBytes(512) };

describe("frames that are no requests", () => {
  test("get a typed error and the end of the connection, on every role; others notice nothing", async () => {
    const server = await runServer();
    const bystander = await TestClient.connect(server.url, "log");
    const log = createTestLog();
    await createLog(bystander, log);
    // Kind 1 is a request on every role.
    const request = encode(logRequestCodec, { id: 77, body: { kind: "create", logId: zeros, accessHash: zeros, token: none } });
    const hostile: Record<string, Uint8Array | string> = {
      empty: none,
      "three bytes": random(3),
      "id only": new Uint8Array([0, 0, 0, 77]),
      "trailing byte": new Uint8Array([...request, 0xff]),
      "truncated by one": request.subarray(0, -1),
      "truncated in the middle": request.subarray(0, 60),
      "id of events": encode(logRequestCodec, { id: 0, body: append }),
      "a length that lies": new Uint8Array([0, 0, 0, 77, 1, ...random(41), 0xbf, 0xff, 0xff, 0xff]),
      noise: new Uint8Array([0, 0, 0, 77, 1, ...random(5000)]),
      text: "hello",
    };
    for (const role of roleNames) {
      for (const [what, bytes] of Object.entries(hostile)) {
        const { frames, code } = await collect(server.url, role, (socket) => socket.send(bytes));
        expect([role, what, code]).toEqual([role, what, closeCodes.protocolError]);
        expect(frames).toHaveLength(1);
        // The error's encoding is the same on every role.
        const reply = decode(logReplyCodec, new Uint8Array(frames[0] ?? none));
        expect(reply.body).toEqual({ kind: "error", code: "malformed", retryAfterMs: 0 });
      }
    }
    expect(await bystander.outcome({ ...append, logId: log.logId })).toBe("accepted");
  });

  test("[E-71] a request of a kind that this server does not know is refused, and the connection goes on, on every role", async () => {
    const server = await runServer();
    for (const role of roleNames) {
      const client = await TestClient.connect(server.url, role);
      for (const unknown of [new Uint8Array([0, 0, 0, 77, 200]), new Uint8Array([0, 0, 0, 78, 255, ...random(5000)])])
        expect(await client.sendBytes(unknown, unknown[3] ?? 0)).toEqual({ kind: "error", code: "unsupported", retryAfterMs: 0 });
      // A thousand of them hold nothing back.
      const many = Array.from({ length: 1000 }, (_, at) => new Uint8Array([0, 1, at >> 8, at & 0xff, 99]));
      const answers = await Promise.all(many.map((bytes, at) => client.sendBytes(bytes, 65_536 + at)));
      expect(answers.every((answer) => answer.kind === "error" && answer.code === "unsupported")).toBe(true);
      expect(await client.outcome({ kind: "ping" })).toBe("done");
      await client.close();
    }
  });

  test("[E-75] an entry of a kind that this server does not know is refused, stores nothing, and the connection goes on", async () => {
    const server = await runServer();
    const client = await TestClient.connect(server.url, "log");
    const log = createTestLog();
    await createLog(client, log);
    expect(await client.outcome({ ...append, logId: log.logId, entryKind: "later 9" })).toBe("unsupported");
    expect(await client.ask({ ...append, logId: log.logId })).toMatchObject({ kind: "accepted", seq: 1 });
  });

  test("every truncation of a request ends its own connection only", async () => {
    const server = await runServer();
    const whole = encode(logRequestCodec, { id: 1, body: append });
    const sizes = [0, 1, 4, 5, 36, 37, 45, 46, 47, 48, 300, whole.length - 1];
    const results = await Promise.all(sizes.map((size) => collect(server.url, "log", (socket) => socket.send(whole.subarray(0, size)))));
    expect(results.map(({ code }) => code)).toEqual(sizes.map(() => closeCodes.protocolError));
    expect(await (await TestClient.connect(server.url, "log")).outcome({ kind: "ping" })).toBe("done");
  });

  test("a frame above the limit is refused, one at the limit is read", async () => {
    const server = await runServer();
    const over = await collect(server.url, "log", (socket) => socket.send(new Uint8Array(maxFrameBytes + 1)));
    expect(over.code).toBe(closeCodes.tooLarge);
    expect(decode(logReplyCodec, new Uint8Array(over.frames[0] ?? none)).body).toMatchObject({ kind: "error", code: "too_large" });
    const at = await collect(server.url, "log", (socket) => socket.send(new Uint8Array(maxFrameBytes)));
    expect(at.code).toBe(closeCodes.protocolError);
    const huge = await collect(server.url, "log", (socket) => socket.send(new Uint8Array(8 * maxFrameBytes)));
    expect([1009, 1006]).toContain(huge.code);
  });

  test("a replayed frame changes nothing: an entry gets its first result, a created log is the same", async () => {
    const server = await runServer();
    const client = await TestClient.connect(server.url, "log");
    const log = createTestLog();
    await createLog(client, log);
    const bytes = encode(logRequestCodec, { id: 500, body: { ...append, logId: log.logId } });
    const first = await client.sendBytes(bytes, 500);
    const second = await client.sendBytes(bytes, 500);
    expect(second).toEqual(first);
    await client.settle();
    expect(client.events).toHaveLength(1);
  });

  test("a request of one role is malformed on another", async () => {
    const server = await runServer();
    const create = encode(logRequestCodec, { id: 9, body: { kind: "create", logId: random(32), accessHash: zeros, token: none } });
    for (const role of ["device", "post", "lookup"] as const) {
      expect((await collect(server.url, role, (socket) => socket.send(create))).code).toBe(closeCodes.protocolError);
    }
  });
});

describe("peers that break the rules below", () => {
  /** A raw TCP connection that got as far as the given request, and what it received until the end. */
  function raw(port: number, request: string, after?: (socket: Socket) => void): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1");
      let received = "";
      socket.on("data", (data) => {
        const isFirst = received === "";
        received += data.toString("latin1");
        if (isFirst) after?.(socket);
      });
      socket.on("error", () => {});
      socket.on("close", () => resolve(received));
      socket.write(request);
    });
  }

  const upgrade = (path: string, protocol = "latchkey.1"): string =>
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
    `Sec-WebSocket-Key: ${Buffer.from(random(16)).toString("base64")}\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`;

  test("[E-74] a client of other versions alone is told which side is too old, in a frame that all versions read", async () => {
    const server = await runServer();
    const offer = (subprotocols: string[]): Promise<{ frames: Buffer[]; code: number; protocol: string }> =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(server.url.replace(/^http/, "ws") + socketPath("device"), subprotocols);
        const frames: Buffer[] = [];
        let protocol = "";
        socket.on("message", (data: Buffer) => {
          ({ protocol } = socket);
          frames.push(data);
          if (decode(deviceReplyCodec, new Uint8Array(data)).body.kind === "hello") socket.close();
        });
        socket.on("error", reject);
        socket.on("close", (code) => resolve({ frames, code, protocol }));
      });
    const later = await offer(["latchkey.9", "latchkey.8"]);
    expect(later.code).toBe(closeCodes.outdated);
    // Id 0, kind 1, code 30, no time to wait: frozen for all versions to come.
    expect(later.frames.map((frame) => frame.toString("hex"))).toEqual(["0000000001001e00000000"]);
    const both = await offer(["latchkey.3", "latchkey.2", "latchkey.1"]);
    expect(both.protocol).toBe("latchkey.1");
    expect(both.frames).toHaveLength(1);
  });

  test("upgrades to unknown paths or without our subprotocol are refused", async () => {
    const server = await runServer();
    expect(await raw(server.port, upgrade("/v1/other"))).toMatch(/^HTTP\/1\.1 404 /);
    expect(await raw(server.port, upgrade("/v1/log", "chat"))).toMatch(/^HTTP\/1\.1 400 /);
    expect(await raw(server.port, "GARBAGE\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /);
  });

  test("unmasked, reserved-bit and half frames, and sockets cut in the middle, end their own connection only", async () => {
    const server = await runServer();
    const log = createTestLog();
    const bystander = await TestClient.connect(server.url, "log");
    await createLog(bystander, log);
    const path = socketPath("log");
    await raw(server.port, upgrade(path), (socket) => socket.write(Buffer.from("8205hello", "latin1")));
    await raw(server.port, upgrade(path), (socket) => socket.write(Buffer.from([0xf2, 0x81, 0, 0, 0, 0, 1])));
    await raw(server.port, upgrade(path), (socket) => {
      socket.write(Buffer.from([0x82, 0xfe, 0x10, 0x00, 1, 2, 3, 4, 5]));
      socket.destroy();
    });
    await raw(server.port, upgrade(path), (socket) => socket.resetAndDestroy());
    expect(await bystander.outcome({ ...append, logId: log.logId })).toBe("accepted");
  });

  test("a connection that gives no sign of life is closed, others are not", async () => {
    const server = await runServer({ limits: { pingIntervalMs: 100 } });
    const lively = await TestClient.connect(server.url, "log");
    const silent = await raw(server.port, upgrade(socketPath("log")));
    expect(silent).toMatch(/^HTTP\/1\.1 101 /);
    expect(await lively.outcome({ kind: "ping" })).toBe("done");
  });

  test("a reader that never reads is closed as too slow and frees its memory", async () => {
    const server = await runServer({ limits: { pingIntervalMs: 300, maxBytesWaiting: 65_536 } });
    const writer = await TestClient.connect(server.url, "log");
    const log = createTestLog();
    await createLog(writer, log);
    const slow = await TestClient.connect(server.url, "log");
    await openLog(slow, log);
    slow.socket.pause();
    for (let i = 0; i < 200; i++) await writer.ask({ ...append, logId: log.logId, blob: random(65_000) });
    // Its ping goes unread as well: the server ends it either way.
    await expect
      .poll(async () => /latchkey_connections\{role="log"\} 1\b/.test(await readMetrics(server)), {
        timeout: 5000,
      })
      .toBe(true);
    slow.socket.terminate();
  });

  describe.each([
    ["its own goodbye", Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8])],
    ["a breach of the protocol", rawFrame(random(125), { opcode: 3 })],
    ["the end of the connection by the server", rawFrame(random(3))],
  ])("who goes on after %s", (_, goodbye) => {
    test("[E-313] is read no further than an honest peer has under way, and is cut off", async () => {
      const server = await runServer();
      const { socket } = await openRaw(server.port, "log");
      // What says that the other side has ended is not read either.
      socket.pause();
      socket.write(goodbye);
      expect(await isCutOff(socket)).toBe(true);
      expect(await (await TestClient.connect(server.url, "log")).outcome({ kind: "ping" })).toBe("done");
    });
  });

  test("[E-313] who speaks no version of the server's, and goes on, is cut off too", async () => {
    const server = await runServer();
    const socket = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
    socket.write(upgradeRequest(socketPath("log"), "latchkey.99"));
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString("latin1")).toMatch(/^HTTP\/1\.1 101 /);
    socket.pause();
    expect(await isCutOff(socket)).toBe(true);
  });

  test("who had much under way when the server said goodbye hears why", async () => {
    const server = await runServer();
    const { code } = await collect(server.url, "log", (socket) => {
      socket.send(none);
      for (let at = 0; at < 20; at++) socket.send(random(10_000));
    });
    expect(code).toBe(closeCodes.protocolError);
  });

  test("the number of connections from one address has a limit", async () => {
    const server = await runServer({ limits: { maxConnectionsPerAddress: 2 } });
    const first = await TestClient.connect(server.url, "log");
    await TestClient.connect(server.url, "log");
    await expect(TestClient.connect(server.url, "log")).rejects.toThrow("429");
    await first.close();
    await expect
      .poll(() =>
        TestClient.connect(server.url, "log").then(
          () => "open",
          () => "refused",
        ),
      )
      .toBe("open");
  });
});

describe("limits of one connection", () => {
  test("what costs something is limited, with the time to wait; the connection stays", async () => {
    const rates = { ...defaultLimits.rates, createLog: { burst: 2, perSecond: 0.5 } };
    const server = await runServer({ limits: { rates } });
    const client = await TestClient.connect(server.url, "log");
    await createLog(client, createTestLog());
    await createLog(client, createTestLog());
    const refused = await client.ask({ kind: "create", logId: random(32), accessHash: zeros, token: none });
    expect(refused).toMatchObject({ kind: "error", code: "rate_limited" });
    expect(refused.kind === "error" ? refused.retryAfterMs : 0).toBeGreaterThan(500);
    expect(await client.outcome({ kind: "ping" })).toBe("done");
  });

  test("a connection may have so many logs open and no more", async () => {
    const server = await runServer({ limits: { maxLogsPerConnection: 1 } });
    const client = await TestClient.connect(server.url, "log");
    const log = createTestLog();
    await createLog(client, log);
    expect(await client.outcome({ kind: "create", logId: random(32), accessHash: zeros, token: none })).toBe("rate_limited");
    expect(await openLog(client, log)).toBe("opened");
  });

  test("[E-76] openings of logs and published heads are limited for each connection; another connection notices nothing", async () => {
    const server = await runServer({ limits: { openRate: { burst: 3, perSecond: 0.001 } } });
    const [mallory, alice] = [await TestClient.connect(server.url, "log"), await TestClient.connect(server.url, "log")];
    const log = createTestLog();
    await createLog(alice, log);
    const open: LogRequest = { kind: "open", logId: log.logId, epochId: 0, access: log.access, afterSeq: 0, closed: [] };
    const outcomes: string[] = [];
    for (let at = 0; at < 4; at++) {
      outcomes.push(await mallory.outcome(at === 1 ? { kind: "head_proof", logId: log.logId, knownSize: 0 } : open));
      if (at !== 1) await mallory.outcome({ kind: "close", logId: log.logId });
      if (at === 0) expect(await mallory.outcome(open)).toBe("opened");
    }
    expect(outcomes).toEqual(["opened", "head_proof", "rate_limited", "rate_limited"]);
    expect(await alice.outcome({ ...append, logId: log.logId })).toBe("accepted");
  });

  test("[E-76] [L-3] closed epochs that are opened along cost, eight as much as one opening, known or made up", async () => {
    const server = await runServer({ limits: { openRate: { burst: 20, perSecond: 0.001 } } });
    const [mallory, alice] = [await TestClient.connect(server.url, "log"), await TestClient.connect(server.url, "log")];
    const log = createTestLog();
    await createLog(alice, log);
    const closed = Array.from({ length: maxClosedEpochs }, (_, at) => ({ epochId: at, access: at === 0 ? log.access : zeros }));
    const open: LogRequest = { kind: "open", logId: log.logId, epochId: 0, access: log.access, afterSeq: 0, closed };
    // The second begins with three of twenty left, and is still carried out.
    expect([await mallory.outcome(open), await mallory.outcome(open)]).toEqual(["opened", "opened"]);
    expect(await mallory.outcome({ ...open, closed: [] })).toBe("rate_limited");
    expect(await alice.outcome({ ...append, logId: log.logId })).toBe("accepted");
  });

  test("a flood is answered in full, by reading it no faster than it is handled", async () => {
    const appendRate = { burst: 3000, perSecond: 1 };
    const targets = { ...defaultLimits.targets, append: appendRate };
    const server = await runServer({
      limits: { maxRequestsInFlight: 8, maxBytesInFlight: 20_000, maxRequestsPerSecond: 2000, appendRate, targets },
    });
    const client = await TestClient.connect(server.url, "log");
    const log = createTestLog();
    await createLog(client, log);
    const seqs = await Promise.all(
      Array.from({ length: 2500 }, async () => {
        const reply = await client.ask({ ...append, logId: log.logId, blob: random(32) });
        return reply.kind === "accepted" ? reply.seq : 0;
      }),
    );
    expect(seqs).toEqual(Array.from({ length: 2500 }, (_, index) => index + 1));
  });

  test("random frames never make an answer that is not typed", async () => {
    const server = await runServer();
    const results = await Promise.all(
      Array.from({ length: 60 }, (_, index) => {
        const bytes = random(4 + (index % 30) * 11);
        bytes[4] = 1 + (index % 10);
        return collect(server.url, roleNames[index % 4] ?? "log", (socket) => {
          socket.send(bytes);
          socket.send(bytes);
          setTimeout(() => socket.close(), 300);
        }).then(({ frames, code }) => ({ frames: frames.map((frame) => frame[4]), code, hex: toHex(bytes) }));
      }),
    );
    for (const { frames, code, hex } of results) {
      // Tag 1 is `error` on every role; requests without fields may be valid.
      expect([closeCodes.protocolError, 1000, 1005], hex).toContain(code);
      if (code === closeCodes.protocolError) expect(frames.at(-1), hex).toBe(1);
    }
  });
});
