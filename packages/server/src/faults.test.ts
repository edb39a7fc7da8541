import { closeCodes } from "@latchkey/protocol";
import { expect, test } from "vitest";
import { ServerError, StoreError, StoreFault } from "./errors.ts";
import { sha256 } from "./hash.ts";
import { openSqliteStore, openStore } from "./store/sqlite/sqlite-store.ts";
import type { Channel } from "./store/sqlite/sqlite-store.ts";
import type { FromWorker } from "./store/sqlite/calls.ts";
import type { Store } from "./store/store.ts";
import {
  createLog,
  createTestLog,
  entryBytes,
  none,
  random,
  readMetrics,
  register,
  runServer,
  signCard,
  zeros,
} from "./testing/fixtures.ts";
import { newEntry } from "./testing/store-inputs.ts";
import { TestClient } from "./testing/test-client.ts";
import { inProcessChannel } from "./testing/in-process-channel.ts";

const append = (logId: Uint8Array, size: number = 512): { kind: "append" } & Parameters<TestClient<"log">["ask"]>[0] => ({
  kind: "append",
  logId,
  epochId: 0,
  entryKind: "message",
  blob: entryBytes(size),
});

test("a full disk: the caller is told, readers go on, other connections too, and nothing acknowledged is lost", async () => {
  const server = await runServer({ limits: { maxDatabasePages: 150 } });
  const client = await TestClient.connect(server.url, "log");
  const log = createTestLog();
  await createLog(client, log);
  const outcomes = await Promise.all(Array.from({ length: 60 }, () => client.outcome(append(log.logId, 16_384))));
  const accepted = outcomes.filter((outcome) => outcome === "accepted").length;
  expect(accepted).toBeGreaterThan(5);
  expect(new Set(outcomes)).toEqual(new Set(["accepted", "storage_full"]));
  expect(await client.take(accepted)).toHaveLength(accepted);
  const reader = await TestClient.connect(server.url, "log");
  expect(await reader.ask({ kind: "open", logId: log.logId, epochId: 0, access: log.access, afterSeq: 0, closed: [] })).toMatchObject({
    lastSeq: accepted,
  });
  expect(await reader.take(accepted)).toHaveLength(accepted);
  const health = await fetch(`${server.url}/healthz`);
  expect(health.status).toBe(503);
  expect(await health.json()).toMatchObject({ status: "failed", reasons: [{ code: "disk_full" }] });
});

test("a store that fails now and then: the caller may retry, the connection and the server stay", async () => {
  const disk = { isBroken: false };
  const faults = {
    beforeCommit: (): void => {
      if (disk.isBroken) throw new Error("disk I/O error");
    },
  };
  const server = await runServer({}, { openStore: (directory) => openStore(inProcessChannel({ directory }, faults)) });
  const { account, client } = await register(server, "alice");
  const inboxId = random(32);
  await client.outcome({ kind: "card", card: await signCard(account.device, inboxId) });
  const logs = await TestClient.connect(server.url, "log");
  const log = createTestLog();
  await createLog(logs, log);
  const post = await TestClient.connect(server.url, "post");
  const lookup = await TestClient.connect(server.url, "lookup");
  const everything = (): Promise<string[]> =>
    Promise.all([
      logs.outcome(append(log.logId)),
      logs.outcome({ kind: "open", logId: log.logId, epochId: 0, access: log.access, afterSeq: 0, closed: [] }),
      post.outcome({ kind: "post", inboxId, capability: zeros, blob: random(99), token: none }),
      lookup.outcome({ kind: "lookup_username", username: "alice", fromVersion: 0, knownSize: 0 }),
      lookup.outcome({ kind: "check_username", username: "alice" }),
      client.outcome({ kind: "count_key_packages" }),
    ]);
  disk.isBroken = true;
  expect(new Set(await everything())).toEqual(new Set(["internal"]));
  disk.isBroken = false;
  expect(await everything()).toEqual(["accepted", "opened", "done", "account", "availability", "key_packages"]);
});

test("a reader whose catch-up fails is closed so that it opens again", async () => {
  const disk = { isBroken: false };
  const openBroken = async (directory: string): Promise<Store> => {
    const store = await openSqliteStore({ directory });
    return new Proxy(store, {
      get(target, name) {
        if (name === "readEntries" && disk.isBroken) return () => Promise.reject(new StoreError("failed"));
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  };
  const server = await runServer({}, { openStore: openBroken });
  const writer = await TestClient.connect(server.url, "log");
  const log = createTestLog();
  await createLog(writer, log);
  await writer.ask(append(log.logId));
  const reader = await TestClient.connect(server.url, "log");
  disk.isBroken = true;
  await reader.ask({ kind: "open", logId: log.logId, epochId: 0, access: log.access, afterSeq: 0, closed: [] });
  expect(await reader.closed).toBe(closeCodes.shuttingDown);
  expect(await readMetrics(server)).toMatch(/^latchkey_slow_readers_total 0$/m);
  expect(await writer.outcome(append(log.logId))).toBe("accepted");
});

test("a store whose database is away: whoever asks is told when to ask again, connections and the server stay, and it is no bug", async () => {
  const database = { isAway: false };
  const openAway = async (directory: string): Promise<Store> => {
    const store = await openSqliteStore({ directory });
    return new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        if (!database.isAway || name === "close") return value.bind(target);
        return () =>
          Promise.reject(new StoreError("unavailable", { cause: new StoreFault({ name: "Error", code: "ECONNREFUSED", stack: "" }) }));
      },
    });
  };
  const server = await runServer({}, { openStore: openAway });
  const client = await TestClient.connect(server.url, "log");
  const log = createTestLog();
  await createLog(client, log);
  const lookup = await TestClient.connect(server.url, "lookup");
  const refused = { kind: "error", code: "unavailable", retryAfterMs: 5000 };
  database.isAway = true;
  expect(await client.ask(append(log.logId))).toEqual(refused);
  expect(await lookup.ask({ kind: "check_username", username: "alice" })).toEqual(refused);
  const blob = await fetch(`${server.url}/v1/blobs/${"A".repeat(43)}`);
  expect(blob.status).toBe(503);
  expect(blob.headers.get("retry-after")).toBe("5");
  expect(await blob.json()).toEqual({ code: "unavailable", retryAfterMs: 5000 });
  database.isAway = false;
  expect(await client.outcome(append(log.logId))).toBe("accepted");
  expect(await lookup.outcome({ kind: "check_username", username: "alice" })).toBe("availability");
});

test("a store whose thread dies: what was under way has failed, the server stops and says so", async () => {
  let stop: (error: Error) => void = () => {};
  const dying = async (directory: string): Promise<Store> => {
    const inner = inProcessChannel({ directory }, {});
    let isDead = false;
    const channel: Channel = {
      post: (message, transfer) => {
        if (!isDead) inner.post(message, transfer);
      },
      listen(onMessage, onStopped) {
        inner.listen((message: FromWorker) => {
          if (!isDead) onMessage(message);
        }, onStopped);
        stop = (error) => {
          isDead = true;
          onStopped(error);
        };
      },
    };
    return openStore(channel);
  };
  const server = await runServer({}, { openStore: dying });
  const client = await TestClient.connect(server.url, "log");
  await createLog(client, createTestLog());
  stop(new Error("out of memory"));
  expect(await client.closed).toBe(closeCodes.shuttingDown);
  expect(await server.failed).toMatchObject({ message: "out of memory" });
  await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
});

test("a store that never starts gives its reason", async () => {
  const channel = (run: (onMessage: (message: FromWorker) => void, onStopped: (error: Error) => void) => void): Channel => ({
    post: () => {},
    listen: run,
  });
  const refused = openStore(channel((onMessage) => onMessage({ kind: "refused", code: "data_newer", message: "Update." })));
  await expect(refused).rejects.toEqual(new ServerError("data_newer", "Update."));
  const crashed = openStore(channel((_onMessage, onStopped) => onStopped(new Error("no memory"))));
  await expect(crashed).rejects.toMatchObject({ code: "store_failed" });
});

test("operations under way when the thread dies are reported as failed, those waiting as never begun", async () => {
  let stop: (error: Error) => void = () => {};
  const store = await openStore({
    post: () => {},
    listen(onMessage, onStopped) {
      stop = onStopped;
      setImmediate(() => onMessage({ kind: "ready" }));
    },
  });
  const logId = sha256(random(3));
  const sent = [store.append(newEntry(logId)), store.lastItem({ inboxId: logId })];
  await new Promise(setImmediate);
  const waiting = store.append(newEntry(logId));
  stop(new Error("gone"));
  for (const one of sent) await expect(one).rejects.toMatchObject({ code: "failed" });
  await expect(waiting).rejects.toMatchObject({ code: "closed" });
  await expect(store.append(newEntry(logId))).rejects.toMatchObject({ code: "closed" });
  await store.close();
});
