import type { LogReply, LogRequest } from "@latchkey/protocol";
import { closeCodes } from "@latchkey/protocol";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { sha256 } from "../hash.ts";
import { answer } from "../testing/ask-admin.ts";
import {
  connectDevice,
  createLog,
  createTestLog,
  entryBytes,
  nextState,
  none,
  openLog,
  random,
  readMetrics,
  register,
  signBinding,
  signCard,
  zeros,
} from "../testing/fixtures.ts";
import type { TestAccount, TestLog } from "../testing/fixtures.ts";
import { findNats, startNats } from "../testing/nats.ts";
import { runNodes } from "../testing/nodes.ts";
import type { TestNode } from "../testing/nodes.ts";
import { findPostgres, keptSettings, startPostgres } from "../testing/postgres.ts";
import type { TestPostgres } from "../testing/postgres.ts";
import { TestClient } from "../testing/test-client.ts";

type LogClient = TestClient<"log">;

/** Nothing is found by the time that has passed. */
const hintsAlone = { busPatience: { lookMs: 1_000_000 } };
/** Nothing comes by a hint: none is sent before the test is over, and nobody connects. */
const looksAlone = { busPatience: { lookMs: 300, gatherMs: 1_000_000 } };

describe.skipIf(findPostgres() === undefined)("two servers on one database", () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres({ ...keptSettings, fsync: "on" });
  });
  afterAll(() => postgres.stop());

  const append = (log: TestLog, epochId = 0): LogRequest & { kind: "append" } => ({
    kind: "append",
    logId: log.logId,
    epochId,
    entryKind: "message",
    blob: entryBytes(512),
  });
  const send = async (client: LogClient, log: TestLog, count = 1): Promise<void> => {
    const outcomes = await Promise.all(Array.from({ length: count }, () => client.outcome(append(log))));
    expect(new Set(outcomes)).toEqual(new Set(["accepted"]));
  };
  const seqsOf = (events: readonly LogReply[]): number[] => events.flatMap((event) => (event.kind === "entry" ? [event.seq] : []));
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);
  const two = async (parts: Parameters<typeof runNodes>[3]): Promise<[TestNode, TestNode]> =>
    (await runNodes(postgres, 2, {}, parts)) as [TestNode, TestNode];
  /** A log with a member at each node who reads. */
  const withLog = async ([a, b]: readonly [TestNode, TestNode]): Promise<{ log: TestLog; alice: LogClient; ben: LogClient }> => {
    const log = createTestLog();
    const [alice, ben] = [await TestClient.connect(a.server.url, "log"), await TestClient.connect(b.server.url, "log")];
    await createLog(alice, log);
    expect(await openLog(ben, log)).toBe("opened");
    return { log, alice, ben };
  };
  const administrator = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: postgres.url });
    client.on("error", () => {});
    await client.connect();
    onTestFinished(() => client.end());
    return client;
  };
  /** How long it takes until so many events are there, in milliseconds. */
  const timed = async (client: LogClient, count: number): Promise<{ events: LogReply[]; ms: number }> => {
    const beganMs = performance.now();
    const events = await client.take(count);
    return { events, ms: performance.now() - beganMs };
  };

  test("[L-3] what a member writes at one is read live at the other, within a second", async () => {
    const nodes = await two(hintsAlone);
    const { log, alice, ben } = await withLog(nodes);
    await send(alice, log);
    const { events, ms } = await timed(ben, 1);
    expect(seqsOf(events)).toEqual([1]);
    expect(ms).toBeLessThan(1000);
    // A commit ends the epoch at the other one, too.
    const child = random(32);
    const commit = { logId: log.logId, epochId: 0, afterSeq: 0, nextAccessHash: sha256(child), blob: entryBytes(1024), token: none };
    expect(await alice.outcome({ kind: "commit", ...commit })).toBe("accepted");
    expect(seqsOf(await ben.take(1))).toEqual([2]);
    expect(await ben.outcome(append(log))).toBe("stale");
  });

  test.skipIf(findNats() === undefined)("[L-3] by NATS too, and once that is gone it comes by the look", async () => {
    const nats = await startNats();
    onTestFinished(() => nats.kill());
    const { log, alice, ben } = await withLog((await runNodes(postgres, 2, {}, hintsAlone, nats.url)) as [TestNode, TestNode]);
    await send(alice, log, 20);
    expect(seqsOf((await timed(ben, 20)).events)).toEqual(upTo(20));
    const looking = await withLog((await runNodes(postgres, 2, {}, { busPatience: { lookMs: 300 } }, nats.url)) as [TestNode, TestNode]);
    await nats.kill();
    await send(looking.alice, looking.log, 5);
    expect(seqsOf((await timed(looking.ben, 5)).events)).toEqual(upTo(5));
  });

  test("[L-3] both write at once, and all readers of both get everything once and in order", async () => {
    const nodes = await two(hintsAlone);
    const { log, alice, ben } = await withLog(nodes);
    const cyd = await TestClient.connect(nodes[1].server.url, "log");
    await openLog(cyd, log);
    await Promise.all([send(alice, log, 150), send(ben, log, 150)]);
    for (const reader of [alice, ben, cyd]) expect(seqsOf(await reader.take(300))).toEqual(upTo(300));
    // Whoever comes while others read leaves nobody behind.
    await send(alice, log);
    const dan = await TestClient.connect(nodes[1].server.url, "log");
    await openLog(dan, log);
    for (const reader of [alice, ben, cyd]) expect(seqsOf(await reader.take(1))).toEqual([301]);
    expect(seqsOf(await dan.take(301))).toEqual(upTo(301));
  });

  test("[L-3] with the connections of the bus ended, and every hint lost, it comes by the look", async () => {
    const nodes = await two(looksAlone);
    const { log, alice, ben } = await withLog(nodes);
    const somebody = await administrator();
    const ended = await somebody.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'latchkey bus'");
    expect(ended.rows.length).toBeGreaterThan(0);
    await send(alice, log, 20);
    const { events, ms } = await timed(ben, 20);
    expect(seqsOf(events)).toEqual(upTo(20));
    expect(ms).toBeLessThan(3000);
  });

  test("[L-3] after the database was away both go on", async () => {
    const nodes = await two({ busPatience: { lookMs: 500 } });
    const { log, alice, ben } = await withLog(nodes);
    await send(alice, log);
    await ben.take(1);
    await postgres.kill();
    await postgres.start();
    await vi.waitFor(async () => expect(await alice.outcome(append(log))).toBe("accepted"), { timeout: 10_000, interval: 200 });
    expect(seqsOf(await ben.take(1))).toEqual([2]);
  });

  test("[I-1] an item is handed at the other node to the device that waits there, also between others of that node", async () => {
    const [a, b] = await two(hintsAlone);
    const { account, client } = await register(b.server, "alice");
    const inboxId = random(32);
    expect(await client.outcome({ kind: "card", card: await signCard(account.device, inboxId) })).toBe("done");
    expect(await client.outcome({ kind: "read_inbox", afterSeq: 0 })).toBe("done");
    const posts = [await TestClient.connect(a.server.url, "post"), await TestClient.connect(b.server.url, "post")];
    const post = async (at: number): Promise<void> => {
      const item = { inboxId, capability: zeros, blob: random(100), token: none };
      expect(await posts[at % 2]?.outcome({ kind: "post", ...item })).toBe("done");
    };
    await post(0);
    expect(await client.take(1)).toMatchObject([{ kind: "item", seq: 1 }]);
    await Promise.all(upTo(20).map(post));
    expect((await client.take(20)).map((item) => (item.kind === "item" ? item.seq : 0))).toEqual(upTo(20).map((at) => at + 1));
  });

  test("[N-1] a signal is relayed to who has its epoch open at the other node, and not to its author", async () => {
    const nodes = await two(hintsAlone);
    const { log, alice, ben } = await withLog(nodes);
    // With this the two have heard of each other.
    await send(alice, log);
    await ben.take(1);
    await alice.settle();
    alice.events.splice(0);
    const bytes = random(256);
    expect(await alice.outcome({ kind: "signal", logId: log.logId, epochId: 0, bytes })).toBe("done");
    expect(await ben.take(1)).toEqual([{ kind: "signal", logId: log.logId, epochId: 0, bytes }]);
    expect(alice.events).toEqual([]);
  });

  test("[A-9] who is suspended at one is suspended at the other, and so are a name that is kept and the announcement", async () => {
    const [a, b] = await two(hintsAlone);
    const { account, client } = await register(a.server, "alice");
    const inboxId = random(32);
    expect(await client.outcome({ kind: "card", card: await signCard(account.device, inboxId) })).toBe("done");
    const post = await TestClient.connect(b.server.url, "post");
    const outcome = (): Promise<string> => post.outcome({ kind: "post", inboxId, capability: zeros, blob: random(100), token: none });
    expect(await outcome()).toBe("done");
    await answer(a.dataDirectory, "suspend", { name: "alice" });
    await vi.waitFor(async () => expect(await outcome()).toBe("inbox_full"));
    await answer(b.dataDirectory, "resume", { name: "alice" });
    expect(await outcome()).toBe("done");
    const other = await TestClient.connect(a.server.url, "post");
    const here = (): Promise<string> => other.outcome({ kind: "post", inboxId, capability: zeros, blob: random(100), token: none });
    await vi.waitFor(async () => expect(await here()).toBe("done"));
    await answer(a.dataDirectory, "reserve", { name: "kept" });
    await vi.waitFor(async () => expect(await answer(b.dataDirectory, "reserved")).toEqual({ names: ["kept"] }));
    await answer(a.dataDirectory, "announce", { text: "tomorrow" });
    await vi.waitFor(async () => expect(await answer(b.dataDirectory, "announce")).toMatchObject({ text: "tomorrow" }));
  });

  test("[A-9] also where every hint is lost", async () => {
    const [a, b] = await two(looksAlone);
    await register(a.server, "alice");
    await answer(a.dataDirectory, "announce", { text: "tomorrow" });
    await vi.waitFor(async () => expect(await answer(b.dataDirectory, "announce")).toMatchObject({ text: "tomorrow" }), {
      timeout: 3000,
    });
  });

  /** Deletes an account at a node. */
  const remove = async ({ server }: TestNode, account: TestAccount): Promise<void> => {
    const { accountId, device } = account;
    const client = await TestClient.connect(server.url, "device");
    const by = { seed: device.seed, signer: { kind: "device", deviceId: device.deviceId } } as const;
    const { signedState: state } = await nextState(account, { status: "deleted" }, by);
    const released = await signBinding({ username: "alice", host: server.host, accountId, status: "released", device });
    expect(await client.outcome({ kind: "publish", state, pops: [], bindings: [released] })).toBe("published");
  };

  test("[C-5] where every hint is lost, the connection of a device that was removed at the other node ends by the look", async () => {
    const [a, b] = await two(looksAlone);
    const { account, client } = await register(b.server, "alice");
    const other = await register(b.server, "ben");
    await remove(a, account);
    expect(await client.closed).toBe(closeCodes.deviceRemoved);
    await other.client.settle();
  });

  test("[C-5] a device that connects to the other node ends its connection here, and one that was removed there ends too", async () => {
    const [a, b] = await two(hintsAlone);
    const { account, client } = await register(a.server, "alice");
    // Of two that come within a second nobody knows which is the newer one.
    await new Promise((resolve) => {
      setTimeout(resolve, 1100);
    });
    const there = await TestClient.connect(b.server.url, "device");
    expect(await connectDevice(there, account.accountId, account.device)).toBe("done");
    expect(await client.closed).toBe(closeCodes.replaced);
    await remove(a, account);
    expect(await there.closed).toBe(closeCodes.deviceRemoved);
  });

  test("[E-147] what somebody else says on the bus, garbage, huge and without end, neither stops a node nor keeps anybody waiting", async () => {
    const nodes = await two(hintsAlone);
    const { log, alice, ben } = await withLog(nodes);
    const somebody = await administrator();
    const { rows } = await somebody.query<{ name: string }>(
      "SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE '%_logs' ORDER BY oid DESC LIMIT 1",
    );
    const channel = rows[0]?.name;
    let isOver = false;
    let said = 0;
    const flood = (async () => {
      while (!isOver) {
        await somebody.query("SELECT pg_notify($1, repeat('A', 7900) || $2 || i) FROM generate_series(1, 200) i", [channel, said]);
        said += 200;
      }
    })();
    const waits: number[] = [];
    for (let at = 0; at < 20; at++) {
      await send(alice, log);
      waits.push((await timed(ben, 1)).ms);
    }
    isOver = true;
    await flood;
    expect(said).toBeGreaterThan(1000);
    expect(Math.max(...waits)).toBeLessThan(2000);
    expect(await readMetrics(nodes[1].server)).toContain("latchkey");
  });
});
