import { describe, expect, test } from "vitest";
import type { Connection as ConnectionState } from "../api.ts";
import { ClientError } from "../errors.ts";
import { backoffMs } from "./backoff.ts";
import { createConnections } from "./connection-manager.ts";
import { expectAnswer, openConnection } from "./connection.ts";
import type { CloseReason, EventOf, RoleConnection } from "./connection.ts";
import { readBody } from "./fetch-within.ts";
import { createFakeServer, settle } from "./fake-server.testing.ts";
import type { FakeBody, FakeServer } from "./fake-server.testing.ts";
import { createHostUrls, hostOfUrl } from "./hosts.ts";
import type { Session } from "./kept-connection.ts";
import { parseServerInfo } from "./server-info.ts";

const logId = new Uint8Array(32).fill(7);

/** An event of that log. */
function sealed(seq: number): FakeBody {
  const none = new Uint8Array(32);
  return { kind: "sealed", logId, seq, epochId: 0, entryKind: "message", nextAccessHash: none, blobHash: none };
}

interface Opened {
  readonly server: FakeServer;
  readonly events: EventOf<"log">[];
  readonly closes: CloseReason[];
  readonly connecting: Promise<RoleConnection<"log">>;
}

function start(change: (server: FakeServer) => void = () => undefined): Opened {
  const server = createFakeServer("transport");
  change(server);
  const events: EventOf<"log">[] = [];
  const closes: CloseReason[] = [];
  const connecting = openConnection({
    platform: server.platform,
    url: "wss://chat.example/v1/log",
    role: "log",
    host: "chat.example",
    onEvent: (event) => events.push(event),
    onClose: (reason) => closes.push(reason),
  });
  connecting.catch(() => undefined);
  return { server, events, closes, connecting };
}

describe("a connection", () => {
  test("is up after the hello and tells what the server said", async () => {
    const { server, connecting } = start();
    const connection = await connecting;
    expect(connection.hello).toMatchObject({ host: "chat.example", retentionDays: 30 });
    expect(server.last()).toMatchObject({ url: "wss://chat.example/v1/log", protocols: ["latchkey.1"] });
    expect(connection.closed).toBe(false);
  });

  test("answers go to their requests whatever their order; events come in order; refusals are answers", async () => {
    const { server, events, connecting } = start();
    const connection = await connecting;
    const first = connection.request({ kind: "close", logId });
    const second = connection.request({ kind: "close", logId });
    const third = connection.request({ kind: "ping" });
    server.respond = () => undefined;
    await settle();
    const [a, b, c] = server.last().received.map(({ id }) => id);
    expect(new Set([a, b, c]).size).toBe(3);
    for (const seq of [1, 2]) server.last().send(0, sealed(seq));
    server.last().send(b ?? 0, { kind: "accepted", seq: 5, head: new Uint8Array(32) });
    server.last().send(a ?? 0, { kind: "error", code: "stale", retryAfterMs: 7 });
    expect(await first).toEqual({ kind: "error", code: "stale", retryAfterMs: 7 });
    expect(await second).toMatchObject({ kind: "accepted", seq: 5 });
    expect(await third).toEqual({ kind: "done" });
    expect(events.map((event) => (event.kind === "signal" ? 0 : event.seq))).toEqual([1, 2]);
    expect(() => expectAnswer({ kind: "error", code: "stale", retryAfterMs: 7 }, "error")).not.toThrow();
    const answer = await first;
    expect(() => expectAnswer(answer, "accepted")).toThrow(
      expect.objectContaining({ code: "change_waits", retryAfterMs: 7, canRetry: true }),
    );
    expect(() => expectAnswer<{ kind: "done" } | { kind: "opened" }, "opened">({ kind: "done" }, "opened")).toThrow(ClientError);
  });

  test("a server that is not there, silent, or another host", async () => {
    await expect(start((server) => (server.unreachable = true)).connecting).rejects.toMatchObject({ code: "offline", canRetry: true });
    const silent = start((server) => (server.autoHello = false));
    await settle();
    silent.server.clock.advance(15_000);
    await expect(silent.connecting).rejects.toMatchObject({ code: "offline" });
    expect(silent.server.last().closedByClient).toBeDefined();
    const other = start((server) => (server.autoHello = false));
    await settle();
    other.server.last().hello({ host: "evil.example" });
    await expect(other.connecting).rejects.toMatchObject({ code: "server_lied" });
    const full = start((server) => (server.autoHello = false));
    await settle();
    full.server.last().send(0, { kind: "error", code: "rate_limited", retryAfterMs: 900 });
    await expect(full.connecting).rejects.toMatchObject({ code: "rate_limited", retryAfterMs: 900 });
  });

  test.each<[string, (server: FakeServer) => void]>([
    ["bytes that do not decode", (server) => server.last().raw(new Uint8Array([1, 2, 3]))],
    ["a text frame", (server) => server.last().raw(undefined)],
    ["a frame above the limit", (server) => server.last().raw(new Uint8Array(262_145))],
    ["an answer to nothing", (server) => server.last().send(99, { kind: "done" })],
    ["a second hello", (server) => server.last().hello()],
    ["an answer without an id", (server) => server.last().send(0, { kind: "done" })],
    ["an event with an id", (server) => server.last().send(1, sealed(1))],
  ])("%s ends it with a protocol error, and what waits fails", async (_, misbehave) => {
    const { server, closes, events, connecting } = start();
    const connection = await connecting;
    const waiting = connection.request({ kind: "close", logId });
    misbehave(server);
    await expect(waiting).rejects.toMatchObject({ code: "offline" });
    expect(server.last().closedByClient).toBe(4400);
    await settle();
    expect(closes).toEqual(["protocol"]);
    expect(connection.closed).toBe(true);
    server.last().send(0, sealed(1));
    expect(events).toEqual([]);
    await expect(connection.request({ kind: "ping" })).rejects.toMatchObject({ code: "offline" });
  });

  test("[E-71] an event of a kind that this version does not know is skipped, an answer of one is a refusal, and the connection goes on", async () => {
    const { server, events, closes, connecting } = start();
    const connection = await connecting;
    const waiting = connection.request({ kind: "close", logId });
    await settle();
    const id = server.last().received[0]?.id ?? 0;
    server.last().raw(new Uint8Array([0, 0, 0, 0, 200, 1, 2, 3]));
    server.last().raw(new Uint8Array([0, 0, 0, id, 201]));
    const answer = await waiting;
    expect(answer).toEqual({ kind: "error", code: "unknown", number: 201, retryAfterMs: 0 });
    expect(() => expectAnswer(answer, "done")).toThrow(expect.objectContaining({ code: "server_refused", canRetry: false }));
    server.last().send(0, sealed(1));
    expect(events).toHaveLength(1);
    expect(closes).toEqual([]);
    // One that answers nothing is a fault as of any other kind.
    server.last().raw(new Uint8Array([0, 0, 1, 0, 201]));
    expect(server.last().closedByClient).toBe(4400);
  });

  test("[E-70] a refusal with a code that this version does not know ends the request and nothing else", async () => {
    const { server, closes, connecting } = start();
    const connection = await connecting;
    const waiting = connection.request({ kind: "close", logId });
    await settle();
    server.last().raw(new Uint8Array([0, 0, 0, server.last().received[0]?.id ?? 0, 1, 0x7f, 0xff, 0, 0, 0, 0]));
    expect(await waiting).toEqual({ kind: "error", code: "unknown", number: 0x7fff, retryAfterMs: 0 });
    expect(closes).toEqual([]);
  });

  test("[E-74] with no version in common it is said which side is to be updated, and it is not tried again every minute", async () => {
    const older = start((server) => (server.autoHello = false));
    await settle();
    older.server.last().send(0, { kind: "error", code: "client_outdated", retryAfterMs: 0 });
    await expect(older.connecting).rejects.toMatchObject({ code: "app_outdated", canRetry: true });
    const newer = start((server) => (server.autoHello = false));
    await settle();
    // A server that does not refuse by itself, but says so in its hello.
    newer.server.last().hello({ versions: { min: 2, max: 4 } });
    await expect(newer.connecting).rejects.toMatchObject({ code: "app_outdated" });
    expect(newer.server.last().closedByClient).toBe(4426);
    const both = start((server) => (server.autoHello = false));
    await settle();
    both.server.last().hello({ versions: { min: 1, max: 4 } });
    expect((await both.connecting).closed).toBe(false);

    const server = createFakeServer("versions");
    server.autoHello = false;
    const connections = createConnections({ platform: server.platform, serverUrl: "https://chat.example", ownHost: "chat.example" });
    const session: Session<"log"> = { onOpen: () => undefined, onEvent: () => undefined, onClose: () => undefined };
    connections.keep("log", "chat.example", session);
    await settle();
    server.last().send(0, { kind: "error", code: "server_outdated", retryAfterMs: 0 });
    await settle();
    expect(connections.state()).toMatchObject({ kind: "offline", cause: { code: "server_outdated", canRetry: true } });
    server.clock.advance(440_000);
    await settle();
    expect(server.connections).toHaveLength(1);
    // The person may try at once, and what was wrong is forgotten with the first hello.
    connections.wake();
    await settle();
    server.last().hello();
    await settle();
    expect(connections.state()).toEqual({ kind: "online" });
    await connections.close();
  });

  test("[E-74] a server that says that it is another one, or asks to slow down, is named as the cause", async () => {
    const server = createFakeServer("causes");
    server.autoHello = false;
    const connections = createConnections({ platform: server.platform, serverUrl: "https://chat.example", ownHost: "chat.example" });
    connections.keep("log", "chat.example", { onOpen: () => undefined, onEvent: () => undefined, onClose: () => undefined });
    await settle();
    server.last().hello({ host: "evil.example" });
    await settle();
    expect(connections.state()).toMatchObject({ kind: "offline", cause: { code: "server_lied" } });
    server.clock.advance(10_000);
    await settle();
    server.last().send(0, { kind: "error", code: "rate_limited", retryAfterMs: 300_000 });
    await settle();
    expect(connections.state()).toMatchObject({
      kind: "offline",
      cause: { code: "rate_limited" },
      nextTryMs: server.clock.now() + 300_000,
    });
    await connections.close();
  });

  test("[E-72] however long a server asks to wait, it is asked again within ten minutes", async () => {
    const { server, connecting } = start();
    const connection = await connecting;
    server.respond = () => ({ kind: "error", code: "rate_limited", retryAfterMs: 0xffff_ffff });
    expect(await connection.request({ kind: "close", logId })).toEqual({ kind: "error", code: "rate_limited", retryAfterMs: 600_000 });
  });

  test("a request without an answer ends it, and a silent server is found out by a ping", async () => {
    const slow = start();
    const connection = await slow.connecting;
    const waiting = connection.request({ kind: "close", logId }, { timeoutMs: 100 });
    slow.server.clock.advance(100);
    await expect(waiting).rejects.toMatchObject({ code: "offline" });
    expect(slow.closes).toEqual(["lost"]);

    const quiet = start();
    await quiet.connecting;
    quiet.server.clock.advance(30_000);
    await settle();
    expect(quiet.server.last().received.map(({ body }) => body.kind)).toEqual(["ping"]);
    expect(quiet.closes).toEqual([]);
    quiet.server.autoHello = false;
    quiet.server.clock.advance(30_000);
    await settle();
    quiet.server.clock.advance(10_000);
    expect(quiet.closes).toEqual(["lost"]);
    expect(quiet.server.clock.pending).toBe(0);
  });

  test("the server's close codes become reasons; closing leaves no timer behind", async () => {
    const reasons: [number, CloseReason][] = [
      [4400, "protocol"],
      [4403, "removed"],
      [4408, "too_slow"],
      [4409, "replaced"],
      [4413, "protocol"],
      [4429, "rate_limited"],
      [4503, "shutting_down"],
      [1006, "lost"],
      [1001, "lost"],
    ];
    for (const [code, reason] of reasons) {
      const { server, closes, connecting } = start();
      await connecting;
      server.last().end(code);
      await settle();
      expect(closes).toEqual([reason]);
      expect(server.clock.pending).toBe(0);
    }
  });

  test("a frame that the server would refuse for its size is not sent", async () => {
    const { server, connecting } = start((fake) => (fake.autoHello = false));
    await settle();
    server.last().hello({ maxFrameBytes: 200 });
    const connection = await connecting;
    const append = { kind: "append" as const, logId, epochId: 0, entryKind: "message" as const, blob: new Uint8Array(200) };
    await expect(connection.request(append)).rejects.toMatchObject({ code: "message_too_large" });
    expect(server.last().received).toEqual([]);
    expect(connection.closed).toBe(false);
  });
});

describe("waiting times", () => {
  const half = (): Uint8Array => new Uint8Array([0x80, 0, 0, 0]);
  test("double up to a minute, with chance in half of them, and longer where the server asks", () => {
    const waits = [1, 2, 3, 8, 50].map((attempt) => backoffMs({ attempt, reason: "lost", random: half }));
    expect(waits).toEqual([375, 750, 1500, 45_000, 45_000]);
    expect(backoffMs({ attempt: 1, reason: "lost", random: () => new Uint8Array(4) })).toBe(250);
    expect(backoffMs({ attempt: 1, reason: "lost", random: () => new Uint8Array(4).fill(255) })).toBe(500);
    expect(backoffMs({ attempt: 1, reason: "rate_limited", random: half })).toBe(7500);
    expect(backoffMs({ attempt: 1, reason: "replaced", random: half })).toBe(45_000);
  });
});

describe("hosts", () => {
  test("[C-3] [E-40] one's own is where the client was told; every other is refused, by whatever name", () => {
    const urls = createHostUrls("http://192.168.1.5:8080/", (host) => host === "home.example");
    expect(urls.socket("home.example", "device")).toBe("ws://192.168.1.5:8080/v1/device");
    expect(urls.http("home.example")).toBe("http://192.168.1.5:8080");
    const others = ["chat.example:8443", "localhost:8081", "127.0.0.1:90", "192.168.1.5:8080", "169.254.169.254", "evil/path", ""];
    for (const other of others) {
      expect(() => urls.http(other)).toThrow(expect.objectContaining({ code: "other_server" }));
      expect(() => urls.socket(other, "log")).toThrow(expect.objectContaining({ code: "other_server" }));
    }
    expect(hostOfUrl("https://chat.example/")).toBe("chat.example");
    expect(hostOfUrl("http://localhost:8080")).toBe("localhost:8080");
  });

  test("what a server says of itself is checked", () => {
    const good = { host: "chat.example", name: "Chat", registration: "open", retentionDays: 30, announcement: "" };
    expect(parseServerInfo(JSON.stringify({ ...good, extra: [] }))).toEqual(good);
    for (const version of ["0.1.0", "12.0.3-rc.1"])
      expect(parseServerInfo(JSON.stringify({ ...good, version }))).toEqual({ ...good, version });
    // It is shown to people: what does not look like a version is not taken, and harms nothing else.
    for (const version of [1, "", "newest", "1.2.3 <b>", `1.${"2".repeat(100)}`, null]) {
      expect(parseServerInfo(JSON.stringify({ ...good, version }))).toEqual(good);
    }
    // An older server has none, and whatever is no text is none.
    const { announcement, ...older } = good;
    expect(announcement).toBe("");
    for (const value of [older, { ...good, announcement: 7 }, { ...good, announcement: null }])
      expect(parseServerInfo(JSON.stringify(value))).toEqual(good);
    for (const bad of ["", "null", "[]", "{}", "{"]) expect(parseServerInfo(bad)).toBeUndefined();
    for (const change of [{ host: "a b" }, { name: 5 }, { registration: "maybe" }, { retentionDays: -1 }, { retentionDays: "x" }]) {
      expect(parseServerInfo(JSON.stringify({ ...good, ...change }))).toBeUndefined();
    }
  });
});

test("[E-80] an announcement is one line of bounded length, without characters that nobody sees or that turn it around", () => {
  const shown = (announcement: unknown): string | undefined =>
    parseServerInfo(JSON.stringify({ host: "chat.example", name: "Chat", registration: "open", retentionDays: 30, announcement }))
      ?.announcement;
  expect(shown("Down on Sunday\n\nfrom 8 to 9")).toBe("Down on Sunday from 8 to 9");
  expect(shown("\u202Eevil\u202C \u200Bword\u0007")).toBe("evil word");
  expect(shown("x".repeat(100_000))).toHaveLength(280);
  expect(shown(" \u200B ")).toBe("");
});

interface Kit {
  readonly server: FakeServer;
  readonly connections: ReturnType<typeof createConnections>;
  readonly states: ConnectionState["kind"][];
  readonly seen: string[];
  readonly session: Session<"log">;
}

function kit(): Kit {
  const server = createFakeServer("manager");
  const connections = createConnections({ platform: server.platform, serverUrl: "https://chat.example" });
  const states: ConnectionState["kind"][] = [];
  connections.onState((state) => states.push(state.kind));
  const seen: string[] = [];
  const session: Session<"log"> = {
    onOpen: () => void seen.push("open"),
    onEvent: (event) => void seen.push(event.kind),
    onClose: (reason) => void seen.push(reason),
  };
  return { server, connections, states, seen, session };
}

describe("kept connections", () => {
  test("a loss is mended at once, a second one after a wait, failures after longer and longer ones", async () => {
    const { server, connections, states, seen, session } = kit();
    const kept = connections.keep("log", "chat.example", session);
    expect(connections.state().kind).toBe("connecting");
    await settle();
    expect(kept.connection?.role).toBe("log");
    expect(connections.state().kind).toBe("online");
    server.clock.advance(20_000);
    server.last().end();
    await settle();
    expect(server.connections.length).toBe(2);
    expect(seen).toEqual(["open", "lost", "open"]);
    server.unreachable = true;
    server.last().end();
    await settle();
    expect(server.connections.length).toBe(2);
    const down = connections.state();
    expect(down).toMatchObject({ kind: "offline", sinceMs: server.clock.now() });
    const waits: number[] = [];
    for (let round = 0; round < 12; round++) {
      const state = connections.state();
      if (state.kind !== "offline") throw new Error(state.kind);
      expect(state).toMatchObject({ sinceMs: down.kind === "offline" ? down.sinceMs : 0 });
      waits.push(state.nextTryMs - server.clock.now());
      server.clock.advance(state.nextTryMs - server.clock.now());
      await settle();
      expect(server.connections.length).toBe(3 + round);
    }
    expect(waits.at(-1)).toBeGreaterThanOrEqual(30_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(60_000);
    expect(waits[0]).toBeLessThanOrEqual(1000);
    server.unreachable = false;
    connections.wake();
    await settle();
    expect(connections.state().kind).toBe("online");
    expect(states.filter((state, index) => state !== states[index - 1])).toEqual([
      "connecting",
      "online",
      "connecting",
      "online",
      "offline",
      "online",
    ]);
    await connections.close();
    await settle();
    expect(server.clock.pending).toBe(0);
    expect(seen.at(-1)).toBe("asked");
  });

  test("one that dies as soon as it is up does not spin", async () => {
    const { server, connections, session } = kit();
    connections.keep("log", "chat.example", { ...session, onOpen: () => server.last().end() });
    for (let round = 0; round < 10; round++) await settle();
    expect(server.connections.length).toBeLessThanOrEqual(2);
    await connections.close();
  });

  test("an onOpen that fails, or an onEvent that throws, closes the connection and it is tried again", async () => {
    const { server, connections, seen, session } = kit();
    let opens = 0;
    const kept = connections.keep("log", "chat.example", {
      ...session,
      async onOpen() {
        opens += 1;
        if (opens === 1) throw new ClientError("server_refused", "no");
      },
      onEvent() {
        throw new Error("bug");
      },
    });
    await settle();
    expect(kept.connection).toBeUndefined();
    expect(connections.state().kind).toBe("offline");
    server.clock.advance(1000);
    await settle();
    expect(opens).toBe(2);
    expect(kept.connection).toBeDefined();
    server.clock.advance(20_000);
    server.last().send(0, sealed(1));
    await settle();
    expect(seen).toEqual(["asked", "asked"]);
    expect(opens).toBe(3);
    await connections.close();
  });

  test("one that another process took over waits long; a restarting server is tried soon", async () => {
    for (const [code, least, most] of [
      [4409, 30_000, 60_000],
      [4503, 500, 1000],
    ] as const) {
      const { server, connections, session } = kit();
      connections.keep("log", "chat.example", session);
      await settle();
      server.clock.advance(20_000);
      server.last().end(code);
      await settle();
      const state = connections.state();
      const waitMs = state.kind === "offline" ? state.nextTryMs - server.clock.now() : -1;
      expect(waitMs).toBeGreaterThanOrEqual(least);
      expect(waitMs).toBeLessThanOrEqual(most);
      await connections.close();
    }
  });

  test("waking checks a connection that seems alive, and released ones stay away", async () => {
    const { server, connections, seen, session } = kit();
    const kept = connections.keep("log", "chat.example", session);
    await settle();
    server.autoHello = false;
    connections.wake();
    await settle();
    expect(server.last().received.map(({ body }) => body.kind)).toEqual(["ping"]);
    server.clock.advance(5000);
    await settle();
    expect(seen).toEqual(["open", "lost"]);
    server.autoHello = true;
    kept.release();
    server.clock.advance(120_000);
    await settle();
    connections.wake();
    kept.reconnect();
    await settle();
    expect(server.connections.filter((connection) => connection.closedByClient === undefined)).toEqual([]);
    expect(server.clock.pending).toBe(0);
  });

  test.each<[string, () => Response | Error, string | undefined]>([
    ["a proxy before a server that is down", () => new Response("<html>", { status: 502 }), "server_down"],
    ["a firewall that refuses", () => new Response("<html>", { status: 403 }), "way_blocked"],
    ["a network's sign-in page", () => new Response("<html>"), "way_blocked"],
    ["a proxy that passes HTTP only", () => Response.json({ status: "ok" }), "way_blocked"],
    ["a server whose store failed", () => Response.json({ status: "failed" }, { status: 503 }), "server_down"],
    ["no network", () => new TypeError("network"), undefined],
  ])("[E-79] %s is the cause of being offline, from the second try on, until it is over", async (_what, answer, code) => {
    const { server, connections, session } = kit();
    server.unreachable = true;
    server.respondHttp = answer;
    connections.keep("log", "chat.example", session);
    await settle();
    expect(connections.state()).not.toHaveProperty("cause");
    expect(server.fetched).toEqual([]);
    server.clock.advance(1000);
    await settle();
    const state = connections.state();
    expect(state).toMatchObject(code === undefined ? { kind: "offline" } : { kind: "offline", cause: { code, canRetry: true } });
    expect("cause" in state).toBe(code !== undefined);
    expect(server.fetched).toEqual(["https://chat.example/healthz"]);
    server.unreachable = false;
    server.clock.advance(5000);
    await settle();
    expect(connections.state().kind).toBe("online");
    await connections.close();
  });

  test("[E-79] a connection for one use says what stands in the way, and stays a matter of being offline", async () => {
    const { server, connections } = kit();
    server.unreachable = true;
    server.respondHttp = () => new Response("<html>", { status: 502 });
    const used = connections.once("lookup", "chat.example", async () => 1);
    await expect(used).rejects.toMatchObject({
      code: "offline",
      canRetry: true,
      message: expect.stringContaining("stands before the server"),
    });
    await expect(connections.ownHost()).rejects.toMatchObject({
      code: "offline",
      message: expect.stringContaining("stands before the server"),
    });
  });

  test("the waiting count shows while offline", async () => {
    const { server, connections, session } = kit();
    server.unreachable = true;
    connections.keep("log", "chat.example", session);
    await settle();
    connections.setWaiting(3);
    expect(connections.state()).toMatchObject({ kind: "offline", waitingCount: 3 });
    await connections.close();
  });
});

describe("short connections", () => {
  test("[C-5] each use has its own, closed behind it; unless somebody waits it starts later", async () => {
    const { server, connections } = kit();
    server.respond = () => ({ kind: "done" });
    const ping = (connection: RoleConnection<"post">): Promise<unknown> => connection.request({ kind: "ping" });
    expect(await connections.once("post", "chat.example", ping)).toEqual({ kind: "done" });
    expect(await connections.once("post", "chat.example", ping)).toEqual({ kind: "done" });
    expect(server.connections.map((connection) => connection.closedByClient)).toEqual([1000, 1000]);
    const later = connections.once("post", "chat.example", ping, { waiting: false });
    await settle();
    expect(server.connections.length).toBe(2);
    server.clock.advance(5000);
    expect(await later).toEqual({ kind: "done" });
    expect(server.connections.length).toBe(3);
    const never = connections.once("post", "chat.example", ping, { waiting: false });
    await connections.close();
    await expect(never).rejects.toMatchObject({ code: "closed" });
    expect(server.clock.pending).toBe(0);
  });

  test("without lasting connections the state follows the last try", async () => {
    const { server, connections } = kit();
    expect(connections.state().kind).toBe("connecting");
    server.unreachable = true;
    await expect(connections.once("lookup", "chat.example", async () => 1)).rejects.toMatchObject({ code: "offline" });
    expect(connections.state().kind).toBe("offline");
    server.unreachable = false;
    expect(await connections.once("lookup", "chat.example", async () => 1)).toBe(1);
    expect(connections.state().kind).toBe("online");
  });

  test("the server is asked for its name once, and remembered while it is away; another name is refused", async () => {
    const { server, connections } = kit();
    expect(await connections.ownHost()).toBe("chat.example");
    expect(await connections.ownHost()).toBe("chat.example");
    expect(server.fetched).toEqual(["https://chat.example/v1/info"]);
    server.respondHttp = () => new TypeError("network");
    expect(await connections.serverInfo()).toMatchObject({ name: "Fake", registration: "open" });
    server.respondHttp = () => Response.json({ host: "evil.example", name: "", registration: "open", retentionDays: 1 });
    await expect(connections.serverInfo()).rejects.toMatchObject({ code: "server_lied" });
    const fresh = kit();
    fresh.server.respondHttp = () => new TypeError("network");
    await expect(fresh.connections.ownHost()).rejects.toMatchObject({ code: "offline" });
    fresh.server.respondHttp = () => new Response("<html>");
    await expect(fresh.connections.ownHost()).rejects.toMatchObject({ code: "server_refused" });
    fresh.server.respondHttp = () => new Response("{}", { status: 500 });
    await expect(fresh.connections.ownHost()).rejects.toMatchObject({ code: "offline" });
  });

  test("[E-2] of an answer over HTTP that never ends no more is read than it may have", async () => {
    let pulled = 0;
    let isCancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(1000));
      },
      cancel() {
        isCancelled = true;
      },
    });
    expect(await readBody(new Response(endless), 10_000)).toBeUndefined();
    expect(pulled).toBeLessThan(15);
    expect(isCancelled).toBe(true);
    expect(await readBody(new Response("whole"), 5)).toEqual(new TextEncoder().encode("whole"));
    expect(await readBody(new Response("whole"), 4)).toBeUndefined();
    expect(await readBody(new Response(undefined), 0)).toHaveLength(0);
  });
});
