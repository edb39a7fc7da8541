// Nodes, the primary of their database and their NATS are killed in one run, at moments that a seed says, while people write and read at all
// nodes: what was acknowledged is there, once and in order, for whoever reads at whichever node, and hints come again. Of two runs the
// standby takes the primary's place in one. LATCHKEY_CLUSTER_RUNS says how many runs, LATCHKEY_CLUSTER_SEED from which seed.
import { toHex } from "@latchkey/codec";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { defaultLimits } from "./config.ts";
import { Cluster } from "./testing/cluster.ts";
import type { ClusterNode } from "./testing/cluster.ts";
import { createLog, createTestLog, entryBytes, openLog } from "./testing/fixtures.ts";
import type { TestLog } from "./testing/fixtures.ts";
import { findNats, startNats } from "./testing/nats.ts";
import type { TestNats } from "./testing/nats.ts";
import { askPostgres, findPostgres, keptSettings, startPostgres, startStandby } from "./testing/postgres.ts";
import type { TestPostgres } from "./testing/postgres.ts";
import { seededNumbers } from "./testing/seeded-numbers.ts";
import { startWay } from "./testing/way.ts";
import type { Way } from "./testing/way.ts";
import { TestClient } from "./testing/test-client.ts";

const runs = Number(process.env["LATCHKEY_CLUSTER_RUNS"] ?? "2");
const firstSeed = Number(process.env["LATCHKEY_CLUSTER_SEED"] ?? "1");
const nodeCount = 3;
const logCount = 4;
/** Within so long all of them are killed, and each is away for so long at most. */
const killMs = 4000;
const awayMs = 2000;
/** Everything goes on within so long, whatever was killed; one request is waited for so long. */
const againMs = 60_000;
const patienceMs = 8000;
/** Far below the time after which a node looks by itself: who hears so soon was told. */
const toldMs = 700;
const runMs = 180_000;

describe.skipIf(findPostgres() === undefined || findNats() === undefined)("nodes, their database and their NATS", () => {
  test(
    `[L-7] [L-3] killed in one run, lose nothing, say nothing twice and keep the order: ${String(runs)} times`,
    async () => {
      let acknowledged = 0;
      for (let seed = firstSeed; seed < firstSeed + runs; seed++) acknowledged += await runOnce(seed);
      expect(acknowledged).toBeGreaterThan(0);
      if (runs > 2) process.stdout.write(`seeds from ${String(firstSeed)}, ${String(runs)} runs: ${String(acknowledged)} acknowledged\n`);
    },
    60_000 + runs * runMs,
  );
});

/** A run: answers how many entries were acknowledged. */
async function runOnce(seed: number): Promise<number> {
  const number = seededNumbers(seed);
  const [database, nats] = await Promise.all([startDatabase(), startNats()]);
  const ample = { burst: 1_000_000, perSecond: 100_000 };
  const { rates, targets } = defaultLimits;
  const cluster = await Cluster.start(nodeCount, {
    database: { at: database.way.url, acceptLoss: true, nats: nats.url },
    limits: {
      tokensPerDay: 0,
      rates: { ...rates, withoutToken: ample, openLog: ample },
      targets: { ...targets, append: ample, appendInAll: ample, appendLeast: ample },
    },
  });
  const over = new AbortController();
  const release = async (): Promise<void> => {
    over.abort();
    await cluster.stop();
    await nats.kill();
    await database.stop();
  };
  onTestFinished(release);

  const logs = await Promise.all(
    Array.from({ length: logCount }, async () => {
      const log = createTestLog();
      const client = await TestClient.connect(cluster.nodes[0]?.url ?? "", "log");
      await createLog(client, log);
      await client.close();
      return log;
    }),
  );
  /** By log: what was acknowledged, by its number. */
  const acknowledged = logs.map(() => new Map<number, string>());
  let isWriting = true;
  const writers = logs.flatMap((log, at) =>
    cluster.nodes.map(async (_, first) => {
      const writer = writerOf(cluster, log, first);
      while (isWriting) {
        const blob = entryBytes(300);
        const seq = await writer.append(blob);
        // Of one number there is one entry.
        expect(acknowledged[at]?.has(seq), `seed ${String(seed)}: ${String(seq)} twice`).toBe(false);
        acknowledged[at]?.set(seq, toHex(blob));
        await pause(30);
      }
      writer.close();
    }),
  );
  const readers = logs.flatMap((log, at) => cluster.nodes.map((node) => ({ at, node, seen: readOn(node, log, over.signal) })));

  await Promise.all(kills({ cluster, nats, database, seed, number }));
  const count = (): number => acknowledged.reduce((sum, { size }) => sum + size, 0);
  const before = count();
  await expect.poll(() => count() - before, { message: `seed ${String(seed)}`, timeout: againMs }).toBeGreaterThan(logCount * nodeCount);
  isWriting = false;
  await Promise.all(writers);

  const expected = acknowledged.map((ofLog) => [...ofLog].toSorted(([a], [b]) => a - b).map(([, blob]) => blob));
  for (const { at, node, seen } of readers) {
    await expect
      .poll(() => seen.length, { message: `seed ${String(seed)}, ${node.name}, live`, timeout: againMs })
      .toBeGreaterThanOrEqual(expected[at]?.length ?? 0);
    expect(seen, `seed ${String(seed)}, ${node.name}, live`).toEqual(expected[at]);
    const log = logs[at];
    if (log === undefined) throw new Error("no log");
    const client = await TestClient.connect(node.url ?? "", "log");
    await openLog(client, log);
    const anew = entriesOf(await client.take(expected[at]?.length ?? 0));
    await client.settle();
    expect([...anew, ...entriesOf(client.events)], `seed ${String(seed)}, ${node.name}, anew`).toEqual(expected[at]);
    await client.close();
  }
  await hearAgain(cluster, readers, logs[0]);
  for (const node of cluster.nodes) expect(node.log).not.toContain("unexpected error");
  await release();
  return count();
}

/** Kills two nodes, the primary and NATS, each at a moment of its own; who does not find a successor is started again. */
function kills(params: {
  cluster: Cluster;
  nats: TestNats;
  database: TestDatabase;
  seed: number;
  number: () => number;
}): readonly Promise<void>[] {
  const { cluster, nats, database, seed, number } = params;
  const spared = Math.floor(number() * nodeCount);
  const kill = async (target: { kill(): Promise<void>; start(): Promise<void> }): Promise<void> => {
    const [atMs, forMs] = [number() * killMs, number() * awayMs];
    await pause(atMs);
    await target.kill();
    await pause(forMs);
    await target.start();
  };
  const nodes = cluster.nodes.filter((_, at) => at !== spared);
  const primary = { kill: () => database.primary.kill(), start: () => (seed % 2 === 0 ? database.primary.start() : database.promote()) };
  return [...nodes.map((node) => ({ kill: () => node.kill(), start: () => startPatiently(node) })), primary, nats].map(kill);
}

/** A node that meets a database that is away ends with a line, and whoever runs it starts it again. */
async function startPatiently(node: ClusterNode): Promise<void> {
  const untilMs = performance.now() + againMs;
  for (;;) {
    try {
      await node.start();
      return;
    } catch (error) {
      if (performance.now() > untilMs) throw error;
      await pause(200);
    }
  }
}

/** Somebody who writes to a log at one node after the other, beginning with this one: the same bytes until one acknowledges them, which answers their number. */
function writerOf(cluster: Cluster, log: TestLog, firstNode: number): { append(blob: Uint8Array): Promise<number>; close(): void } {
  let [at, lastSeq] = [firstNode, 0];
  let client: TestClient<"log"> | undefined;
  return {
    async append(blob) {
      for (; ; at++) {
        if (client === undefined) {
          client = await connect(cluster.nodes[at % nodeCount]);
          if (client !== undefined) await within(openLog(client, log, 0, lastSeq));
        }
        const reply = await within(client?.ask({ kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob }));
        client?.events.splice(0);
        if (reply?.kind === "accepted") {
          lastSeq = Math.max(lastSeq, reply.seq);
          return reply.seq;
        }
        client?.socket.terminate();
        client = undefined;
        await pause(50);
      }
    },
    close: () => client?.socket.terminate(),
  };
}

/** Reads a log live at a node, from where it was whenever it comes back: what came, in the order of its coming. */
function readOn(node: ClusterNode, log: TestLog, over: AbortSignal): string[] {
  const seen: string[] = [];
  const read = async (): Promise<void> => {
    while (!over.aborted) {
      const client = await connect(node);
      if (client !== undefined && (await within(openLog(client, log, 0, seen.length))) === "opened") {
        const ended = client.closed;
        while (!over.aborted && client.socket.readyState === client.socket.OPEN) {
          seen.push(...entriesOf(client.events.splice(0)));
          await Promise.race([ended, pause(10)]);
        }
        seen.push(...entriesOf(client.events.splice(0)));
      }
      client?.socket.terminate();
      await pause(50);
    }
  };
  void read();
  return seen;
}

/** Once NATS is back readers at other nodes hear what is written far sooner than these look by themselves, several times in turn. */
async function hearAgain(
  cluster: Cluster,
  readers: readonly { node: ClusterNode; at: number; seen: string[] }[],
  log: TestLog | undefined,
): Promise<void> {
  const reader = readers.find(({ node, at }) => at === 0 && node === cluster.nodes[1]);
  if (log === undefined || reader === undefined) throw new Error("no reader");
  const writer = writerOf(cluster, log, 0);
  let inTurn = 0;
  for (const untilMs = performance.now() + againMs; inTurn < 4;) {
    expect(performance.now(), "hints come again").toBeLessThan(untilMs);
    const blob = entryBytes(300);
    await writer.append(blob);
    await pause(toldMs);
    inTurn = reader.seen.includes(toHex(blob)) ? inTurn + 1 : 0;
  }
  writer.close();
}

function entriesOf(events: readonly { readonly kind: string }[]): string[] {
  return events.flatMap((event) =>
    event.kind === "entry" && "blob" in event && event.blob instanceof Uint8Array ? [toHex(event.blob)] : [],
  );
}

async function connect(node: ClusterNode | undefined): Promise<TestClient<"log"> | undefined> {
  return node?.url === undefined ? undefined : await within(TestClient.connect(node.url, "log"));
}

/** What comes of it in time; `undefined` for nothing, and for an error. */
async function within<T>(work: Promise<T> | undefined): Promise<T | undefined> {
  const timer = new AbortController();
  const late = pause(patienceMs, undefined, { signal: timer.signal }).catch(() => undefined);
  return await Promise.race([work?.catch(() => undefined), late]).finally(() => timer.abort());
}

/** A primary with a synchronous standby, and what leads to whichever is the primary. */
interface TestDatabase {
  readonly primary: TestPostgres;
  readonly way: Way;
  /** The standby takes the place of a primary that is gone. */
  promote(): Promise<void>;
  stop(): Promise<void>;
}

async function startDatabase(): Promise<TestDatabase> {
  const primary = await startPostgres({ ...keptSettings, wal_level: "replica" });
  const standby = await startStandby(primary, "second", keptSettings);
  await askPostgres(primary.url, "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (second)'", "SELECT pg_reload_conf()");
  await expect.poll(() => askPostgres(primary.url, "SELECT sync_state FROM pg_stat_replication")).toEqual([{ sync_state: "quorum" }]);
  const way = await startWay(primary.url);
  return {
    primary,
    way,
    async promote() {
      await askPostgres(standby.url, "SELECT pg_promote()");
      way.lead(standby.url);
    },
    async stop() {
      way.close();
      await primary.stop();
      await standby.stop();
    },
  };
}
