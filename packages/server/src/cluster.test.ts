// Nodes on one database of which one is stopped or killed in its turn to publish, or anywhere else, or the database is, while accounts are registered with all of
// them: there is one tree of each size, what was acknowledged is there, and everybody is answered. LATCHKEY_CLUSTER_RUNS says how many
// times, LATCHKEY_CLUSTER_SEED from which seed.
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { defaultLimits } from "./config.ts";
import { Cluster } from "./testing/cluster.ts";
import type { ClusterNode } from "./testing/cluster.ts";
import type { TestAccount } from "./testing/fixtures.ts";
import { findPostgres, keptSettings, startPostgres } from "./testing/postgres.ts";
import type { TestPostgres } from "./testing/postgres.ts";
import { seededNumbers } from "./testing/seeded-numbers.ts";

const runs = Number(process.env["LATCHKEY_CLUSTER_RUNS"] ?? "2");
const firstSeed = Number(process.env["LATCHKEY_CLUSTER_SEED"] ?? "1");
const nodeCount = 3;
/** Longer than a turn and than the database waits for a transaction in which nobody does anything, and by how much at most. */
const stopMs = { least: 5500, more: 2000 };
/** Longest that anybody waits for a registration: for a stopped node, and then for the turn that it has. */
const maxAnswerMs = 25_000;
const runMs = 60_000;

describe.skipIf(findPostgres() === undefined)("several nodes on one database", () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres(keptSettings);
  });
  afterAll(() => postgres.stop());

  async function startCluster(): Promise<Cluster> {
    const database = { at: postgres.url, acceptLoss: true, schema: `c${String(process.hrtime.bigint())}` };
    const ample = { burst: 1_000_000, perSecond: 100_000 };
    const rates = { ...defaultLimits.rates, register: ample, withoutToken: ample };
    const cluster = await Cluster.start(nodeCount, { database, limits: { publicationIntervalMs: 50, tokensPerDay: 0, rates } });
    onTestFinished(() => cluster.stop());
    return cluster;
  }

  test(
    `[A-2] [D-1] [E-148] a node that is stopped or killed forks nothing, loses nothing and keeps nobody waiting: ${String(runs)} times`,
    async () => {
      const cluster = await startCluster();
      const registered = new Map<string, TestAccount>();
      let [isOver, slowestMs] = [false, 0];
      const write = async (writer: number): Promise<void> => {
        for (let count = 0; !isOver; count++) {
          const username = `u${String(writer)}-${String(count)}`;
          const sinceMs = performance.now();
          registered.set(username, await cluster.register(username, writer));
          slowestMs = Math.max(slowestMs, performance.now() - sinceMs);
        }
      };
      const watch = async (node: ClusterNode): Promise<void> => {
        while (!isOver) {
          await cluster.look(node);
          await pause(100);
        }
      };
      const all = Promise.all([...cluster.nodes.map(watch), ...Array.from({ length: 2 * nodeCount }, (_, writer) => write(writer))]);
      for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
        const what = await disturb(cluster, postgres, seed);
        const before = registered.size;
        // Everybody goes on, whatever became of it.
        await expect
          .poll(() => registered.size - before, { message: `seed ${String(seed)}, ${what}`, timeout: runMs })
          .toBeGreaterThan(nodeCount * 2);
        expect(cluster.forks, `seed ${String(seed)}, ${what}`).toEqual([]);
      }
      isOver = true;
      await all;
      const [first] = cluster.nodes;
      if (first === undefined) throw new Error("no node");
      const newest = Math.max(...cluster.roots.keys());
      for (const node of cluster.nodes) {
        expect(await cluster.look(node)).toBe(newest);
        for (const [username, account] of registered) expect(await cluster.find(node, username), username).toEqual(account.signedState);
        expect(node.log).not.toContain("unexpected error");
        expect(node.log).not.toContain("old copy");
      }
      expect(cluster.forks).toEqual([]);
      expect(slowestMs).toBeLessThan(maxAnswerMs);
      if (runs > 2)
        process.stdout.write(
          `${String(runs)} runs: ${String(registered.size)} registered, ${String(newest)} sizes, slowest answer ${slowestMs.toFixed(0)} ms\n`,
        );
    },
    60_000 + runs * runMs,
  );
});

/** Stops or kills a node, in its turn between what it stored and what it serves or at any moment, or kills the database; lets it go on. Answers what it did. */
async function disturb(cluster: Cluster, postgres: TestPostgres, seed: number): Promise<string> {
  const number = seededNumbers(seed);
  // Of four two are stopped in their turn, one is killed in it, and one is stopped anywhere, or the database is killed.
  const [isStopped, isInTurn] = [seed % 2 === 1 || seed % 8 === 0, seed % 4 > 0];
  const isWitnessed = number() < 0.5;
  await pause(number() * 300);
  if (seed % 8 === 4) {
    await postgres.kill();
    await postgres.start();
    return "the database was killed";
  }
  const node = isInTurn
    ? await nextInTurn(cluster, { isStopped, isWitnessed })
    : cluster.nodes[Math.floor(number() * cluster.nodes.length)];
  if (node === undefined) throw new Error("no node");
  if (isStopped) {
    node.signal("SIGSTOP");
    await pause(stopMs.least + number() * stopMs.more);
    node.signal("SIGCONT");
  } else {
    await node.kill();
    await node.start();
  }
  return `${node.name} ${isStopped ? "stopped" : "killed"} ${isInTurn ? `in its turn, ${isWitnessed ? "before" : "without"} an answer` : "anywhere"}`;
}

/** The node that asks the witness next: stopped or dead before it has an answer. */
async function nextInTurn(
  cluster: Cluster,
  { isStopped, isWitnessed }: { isStopped: boolean; isWitnessed: boolean },
): Promise<ClusterNode> {
  return await new Promise((resolve) => {
    cluster.onAsked = async (name) => {
      const node = cluster.nodes.find((one) => one.name === name);
      if (node === undefined) return;
      cluster.onAsked = () => Promise.resolve();
      if (isStopped) node.signal("SIGSTOP");
      else await node.kill();
      resolve(node);
      // A witness that has cosigned, or one that never saw it.
      if (!isWitnessed) await new Promise(() => undefined);
    };
  });
}
