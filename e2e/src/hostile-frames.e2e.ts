import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { concatBytes, toBase64Url } from "@latchkey/codec";
import { blobPath, closeCodes, entryHead, joinEntry, maxFrameBytes, roles } from "@latchkey/protocol";
import type { Role } from "@latchkey/protocol";
import { seededRandom } from "@latchkey/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";
import { openRawSocket, randomBytes, requestBytes, sha256 } from "./testing/raw-socket.ts";
import type { RawSocket } from "./testing/raw-socket.ts";

let folder: TemporaryFolder;
let server: ServerProcess;
let bystander: Bystander;

/** Two people who talk all the while: whatever is done to the server, each message must arrive, once and in order. */
interface Bystander {
  readonly logId: Uint8Array;
  readonly access: Uint8Array;
  readonly sender: RawSocket<"log">;
  readonly receiver: RawSocket<"log">;
  readonly sent: Uint8Array[];
}

beforeAll(async () => {
  folder = createFolder();
  // What strangers get without a token is not what this is about.
  const args = ["--log-level", "info", "--limit", "rates.withoutToken=10000/1000"];
  server = await startServerProcess({ data: folder.at("data"), args });
  bystander = await openBystander();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function openBystander(): Promise<Bystander> {
  const [logId, access] = [randomBytes(32), randomBytes(32)];
  const sender = await openRawSocket(server.url, "log");
  expect(await sender.ask({ kind: "create", logId, accessHash: sha256(access), token: new Uint8Array() })).toMatchObject({
    kind: "opened",
  });
  const receiver = await openRawSocket(server.url, "log");
  expect(await receiver.ask({ kind: "open", logId, epochId: 0, access, afterSeq: 0, closed: [] })).toMatchObject({
    kind: "opened",
    lastSeq: 0,
  });
  return { logId, access, sender, receiver, sent: [] };
}

/** An entry that names no blob and that nobody reads. */
function entryBytes(): Uint8Array {
  return joinEntry(entryHead([]), randomBytes(511));
}

/** One message of the bystanders; fails unless all of theirs so far arrived once and in order. */
async function expectOthersUnaffected(): Promise<void> {
  const blob = entryBytes();
  bystander.sent.push(blob);
  const { logId, sender, receiver, sent } = bystander;
  const answer = await sender.ask({ kind: "append", logId, epochId: 0, entryKind: "message", blob });
  expect(answer).toMatchObject({ kind: "accepted", seq: sent.length });
  await receiver.until((frames) => frames.filter(({ body }) => body.kind === "entry").length >= sent.length);
  const entries = receiver.frames.flatMap(({ body }) => (body.kind === "entry" ? [body] : []));
  expect(entries.map(({ seq }) => seq)).toEqual(sent.map((_, index) => index + 1));
  expect(entries.map((entry) => toBase64Url(entry.blob))).toEqual(sent.map(toBase64Url));
}

/** Well-formed requests of each role, to be damaged. */
function validFrames(): { role: Role; bytes: Uint8Array }[] {
  const { logId, access } = bystander;
  const [id32, id16, empty] = [randomBytes(32), randomBytes(16), new Uint8Array()];
  const log = [
    { kind: "create", logId: id32, accessHash: id32, token: empty },
    { kind: "open", logId, epochId: 0, access, afterSeq: 0, closed: [] },
    { kind: "append", logId, epochId: 0, entryKind: "message", blob: randomBytes(40) },
    { kind: "commit", logId, epochId: 0, afterSeq: 0, nextAccessHash: id32, blob: randomBytes(40), token: empty },
    { kind: "close", logId },
  ] as const;
  const device = [
    { kind: "reserve", username: "somebody", invitation: "", token: empty },
    { kind: "publish", state: randomBytes(50), pops: [randomBytes(20)], bindings: [randomBytes(20)] },
    { kind: "connect", accountId: id32, deviceId: id16, signature: randomBytes(64) },
    { kind: "card", card: randomBytes(60) },
    { kind: "publish_key_packages", lastResort: false, notAfterMs: 5, keyPackages: [randomBytes(60)] },
    { kind: "read_inbox", afterSeq: 0 },
  ] as const;
  return [
    ...log.map((body) => ({ role: "log" as const, bytes: requestBytes("log", { id: 7, body }) })),
    ...device.map((body) => ({ role: "device" as const, bytes: requestBytes("device", { id: 7, body }) })),
    {
      role: "post",
      bytes: requestBytes("post", { id: 7, body: { kind: "post", inboxId: id32, capability: id32, blob: randomBytes(40), token: empty } }),
    },
    {
      role: "lookup",
      bytes: requestBytes("lookup", { id: 7, body: { kind: "lookup_username", username: "somebody", fromVersion: 0, knownSize: 0 } }),
    },
    {
      role: "lookup",
      bytes: requestBytes("lookup", { id: 7, body: { kind: "take_key_package", accountId: id32, deviceId: id16, token: empty } }),
    },
  ];
}

/** Sends bytes that are no frame of this role: the answer is `malformed` and the connection ends. */
async function expectRefusedAsMalformed(role: Role, data: Uint8Array | string): Promise<void> {
  const socket = await openRawSocket(server.url, role);
  socket.sendRaw(data);
  expect(await socket.closed).toBe(closeCodes.protocolError);
  const answers = socket.frames.slice(1).map(({ body }) => body);
  expect(answers).toMatchObject([{ kind: "error", code: "malformed" }]);
}

describe("hostile frames", () => {
  test.each(roles)("on %s: nothing, noise, text and half a frame end that connection only", async (role) => {
    const frame = validFrames().find((candidate) => candidate.role === role)?.bytes ?? new Uint8Array();
    for (const data of [
      new Uint8Array(),
      randomBytes(1),
      // An id, and the first kind without its content.
      new Uint8Array([0, 0, 0, 7, 1]),
      "hello",
      frame.subarray(0, -1),
      concatBytes(frame, new Uint8Array(1)),
    ])
      await expectRefusedAsMalformed(role, data);
    await expectOthersUnaffected();
  });

  test("every frame cut at every byte is refused", async () => {
    for (const { role, bytes } of validFrames()) {
      const cuts = Array.from({ length: bytes.length }, (_, length) => length);
      for (let from = 0; from < cuts.length; from += 25)
        await Promise.all(cuts.slice(from, from + 25).map((length) => expectRefusedAsMalformed(role, bytes.slice(0, length))));
    }
    await expectOthersUnaffected();
  });

  test("frames of one role on another are refused (C-5)", async () => {
    // A kind of a later version ends its request and nothing else (E-71).
    const unknownKind = new Uint8Array([0, 0, 0, 7, 200]);
    for (const role of roles) {
      const socket = await openRawSocket(server.url, role);
      socket.sendRaw(unknownKind);
      await socket.until((frames) => frames.length > 1);
      expect(socket.frames.slice(1)).toMatchObject([{ id: 7, body: { kind: "error", code: "unsupported" } }]);
      socket.close();
    }
    for (const { role, bytes } of validFrames()) {
      for (const other of roles.filter((candidate) => candidate !== role)) {
        const socket = await openRawSocket(server.url, other);
        socket.sendRaw(bytes);
        // A few bytes may happen to mean something else there: never a success.
        await Promise.race([socket.closed, socket.until((frames) => frames.length > 1)]);
        const kinds = socket.frames.slice(1).map(({ body }) => body.kind);
        expect(kinds.filter((kind) => kind !== "error")).toEqual([]);
        socket.close();
      }
    }
    await expectOthersUnaffected();
  });

  test("a frame above the limit ends the connection as too large", async () => {
    for (const role of roles) {
      const socket = await openRawSocket(server.url, role);
      socket.sendRaw(new Uint8Array(maxFrameBytes + 1));
      expect([closeCodes.tooLarge, 1009]).toContain(await socket.closed);
    }
    await expectOthersUnaffected();
  });

  test("lengths that lie about what follows are refused without being allocated", async () => {
    // An append whose blob claims to have 2^30 - 1 bytes.
    const lie = concatBytes(
      new Uint8Array([0, 0, 0, 7, 3]),
      randomBytes(32),
      new Uint8Array(8),
      new Uint8Array([1, 0xbf, 0xff, 0xff, 0xff]),
    );
    await expectRefusedAsMalformed("log", lie);
    await expectOthersUnaffected();
  });

  test("damaged frames, a thousand at random, crash nothing", async () => {
    const random = seededRandom("hostile frames");
    const originals = validFrames();
    const attempt = async (index: number): Promise<void> => {
      const original = originals[index % originals.length];
      if (original === undefined) return;
      const bytes = original.bytes.slice();
      const [changes = 1, ...choices] = random(24);
      for (let change = 0; change <= changes % 6; change++) {
        const place = ((choices[change * 3] ?? 0) * 256 + (choices[change * 3 + 1] ?? 0)) % bytes.length;
        bytes[place] = choices[change * 3 + 2] ?? 0;
      }
      const socket = await openRawSocket(server.url, original.role);
      socket.sendRaw(bytes);
      await Promise.race([socket.closed, socket.until((frames) => frames.length > 1)]);
      socket.close();
    };
    for (let batch = 0; batch < 1000; batch += 50) await Promise.all(Array.from({ length: 50 }, (_, index) => attempt(batch + index)));
    await expectOthersUnaffected();
  });

  test("[L-6] an append that is sent again gets its first answer and is stored once", async () => {
    const { logId, access } = bystander;
    const own = await openRawSocket(server.url, "log");
    expect(await own.ask({ kind: "open", logId, epochId: 0, access, afterSeq: bystander.sent.length, closed: [] })).toMatchObject({
      kind: "opened",
    });
    const blob = entryBytes();
    bystander.sent.push(blob);
    const append = { kind: "append", logId, epochId: 0, entryKind: "message", blob } as const;
    const first = await own.ask(append);
    for (let retry = 0; retry < 5; retry++) expect(await own.ask(append)).toEqual(first);
    own.close();
    await expectOthersUnaffected();
  });

  test("a recorded connection proves nothing later: another's signature, or one's own of another connection", async () => {
    const socket = await openRawSocket(server.url, "device");
    const connect = { kind: "connect", accountId: randomBytes(32), deviceId: randomBytes(16), signature: randomBytes(64) } as const;
    expect(await socket.ask(connect)).toMatchObject({ kind: "error", code: "unauthenticated" });
    const nonces = new Set<string>();
    for (let count = 0; count < 5; count++) {
      const { frames } = await openRawSocket(server.url, "device");
      const hello = frames[0]?.body;
      if (hello?.kind === "hello") nonces.add(toBase64Url(hello.nonce));
    }
    expect(nonces.size).toBe(5);
  });

  test("[L-3] [L-4] [L-5] what is well-formed but wrong gets a typed refusal, and the connection lives on", async () => {
    const socket = await openRawSocket(server.url, "log");
    const [logId, access, childAccess] = [randomBytes(32), randomBytes(32), randomBytes(32)];
    const refusal = (code: string): object => ({ kind: "error", code });
    const message = { kind: "append", logId, epochId: 0, entryKind: "message" } as const;
    const open = { kind: "open", logId, epochId: 0, afterSeq: 0, closed: [] } as const;
    expect(await socket.ask({ ...open, access })).toMatchObject(refusal("unknown_log"));
    expect(await socket.ask({ kind: "create", logId, accessHash: sha256(access), token: new Uint8Array() })).toMatchObject({
      kind: "opened",
    });
    const stranger = await openRawSocket(server.url, "log");
    expect(await stranger.ask({ kind: "create", logId, accessHash: sha256(randomBytes(32)), token: new Uint8Array() })).toMatchObject(
      refusal("log_exists"),
    );
    expect(await stranger.ask({ ...open, access: randomBytes(32) })).toMatchObject(refusal("wrong_access_key"));
    expect(await stranger.ask({ ...open, access, epochId: 99 })).toMatchObject(refusal("unknown_epoch"));
    expect(await stranger.ask({ ...message, blob: entryBytes() })).toMatchObject({ kind: "error" });

    const commit = {
      kind: "commit",
      logId,
      epochId: 0,
      afterSeq: 0,
      nextAccessHash: sha256(childAccess),
      token: new Uint8Array(),
    } as const;
    expect(await socket.ask({ ...open, access })).toMatchObject({ kind: "opened" });
    expect(await socket.ask({ ...commit, blob: entryBytes() })).toMatchObject({ kind: "accepted", seq: 1 });
    // On a connection of its own: a second one of the same connection waits (L-13).
    const rival = await openRawSocket(server.url, "log");
    expect(await rival.ask({ ...open, access })).toMatchObject({ kind: "opened" });
    expect(await rival.ask({ ...commit, blob: entryBytes() })).toMatchObject(refusal("conflict"));
    expect(await socket.ask({ ...message, blob: entryBytes() })).toMatchObject(refusal("stale"));
    expect(await socket.ask({ ...open, epochId: 1, access: childAccess })).toMatchObject({ kind: "opened", currentEpochId: 1 });
    expect(await socket.ask({ ...message, epochId: 1, blob: entryBytes() })).toMatchObject({ kind: "accepted", seq: 2 });
    // Who was in the first epoch only gets the commit that ended it, and nothing after (spec L-3).
    expect(await stranger.ask({ ...open, access })).toMatchObject({ kind: "opened", lastSeq: 2 });
    await stranger.until((frames) => frames.some(({ body }) => body.kind === "entry"));
    expect(await stranger.ask({ kind: "ping" })).toMatchObject({ kind: "done" });
    expect(stranger.frames.flatMap(({ body }) => (body.kind === "entry" ? [body.seq] : []))).toEqual([1]);
    await expectOthersUnaffected();
  });

  test("bytes that are no WebSocket and no HTTP disturb nobody", async () => {
    const upgrade = `GET /v1/log HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString("base64")}\r\nSec-WebSocket-Protocol: latchkey.1\r\n\r\n`;
    const attempts: (string | Uint8Array)[] = [
      randomBytes(2000),
      "GET / HTTP/9.9\r\n\r\n",
      `GET /${"a".repeat(100_000)} HTTP/1.1\r\n\r\n`,
      // After a good handshake: an unmasked frame, reserved bits, a length of 2^63, half of a frame.
      concatBytes(Buffer.from(upgrade), new Uint8Array([0x82, 0x01, 0x00])),
      concatBytes(Buffer.from(upgrade), new Uint8Array([0xf2, 0x81, 0, 0, 0, 0, 0])),
      concatBytes(Buffer.from(upgrade), new Uint8Array([0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
      concatBytes(Buffer.from(upgrade), new Uint8Array([0x82, 0xfe])),
    ];
    for (const attempt of attempts) {
      const socket = connectTcp(server.port, "127.0.0.1");
      await once(socket, "connect");
      socket.on("error", () => undefined);
      socket.end(attempt);
      socket.resume();
      // Not by once(): that rejects when the server resets the connection, which it may.
      await new Promise((resolve) => socket.once("close", resolve));
    }
    await expectOthersUnaffected();
  });

  test("handshakes for what is not there are refused", async () => {
    const status = (path: string, protocol: string): Promise<number | undefined> =>
      new Promise((resolve) => {
        const socket = new WebSocket(`${server.url.replace("http", "ws")}${path}`, protocol);
        socket.on("unexpected-response", (_request, response) => {
          resolve(response.statusCode);
          socket.terminate();
        });
        socket.on("open", () => {
          resolve(undefined);
          socket.close();
        });
        socket.on("error", () => undefined);
      });
    for (const [path, protocol] of [
      ["/v1/nothing", "latchkey.1"],
      ["/", "latchkey.1"],
      ["/v1/log", "other.1"],
    ] as const)
      expect(await status(path, protocol)).toBeGreaterThanOrEqual(400);
    await expectOthersUnaffected();
  });

  test("HTTP gives codes, never a stack trace or a file that is not the app's", async () => {
    const requests: [string, RequestInit][] = [
      ["/v1/blobs/not-an-id", {}],
      ["/v1/blobs/not-an-id", { method: "PUT", body: "x" }],
      [blobPath(toBase64Url(randomBytes(32))), {}],
      ["/v1/blobs/..%2f..%2f..%2fetc%2fpasswd", {}],
      ["/..%2f..%2flatchkey.db", {}],
      ["/%00", {}],
      ["/%ff%fe", {}],
      ["/v1/info", { method: "POST", body: "{" }],
      ["/v1/nothing", {}],
    ];
    for (const [path, init] of requests) {
      const response = await fetch(`${server.url}${path}`, init);
      const body = await response.text();
      expect(body).not.toMatch(/ at .*\.(ts|js):\d+|node_modules|root:|SQLite format/);
      if (path.startsWith("/v1/") && path !== "/v1/info") expect(response.status).toBeGreaterThanOrEqual(400);
    }
    await expectOthersUnaffected();
  });

  test("the server is the same process in good health, and its log holds no stack trace", async () => {
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect(() => process.kill(server.pid, 0)).not.toThrow();
    expect(server.output()).not.toMatch(/ at .*\.(ts|js):\d+/);
    expect(await server.stop()).toBe(0);
    expect(await bystander.receiver.closed).toBe(closeCodes.shuttingDown);
  });
});
