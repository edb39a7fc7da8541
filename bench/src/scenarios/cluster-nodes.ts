import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findNats, findPostgres, keptSettings, startNats, startPostgres } from "@latchkey/server/testing";
import { postgresCpuSeconds, processCpuSeconds } from "../cpu-seconds.ts";
import type { Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import type { ServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";
import { checkPair, openPair, pairs, runRound } from "./append-one-to-one.ts";
import type { Pair } from "./append-one-to-one.ts";

/** What is measured against the data folder: so many nodes, on a PostgreSQL and a NATS of their own. */
const sizes = [2, 4];
/** They warm the compiler, on all nodes of a side, of which each has its part of the messages only. */
const warmUpRounds = 2 * Math.max(...sizes);

/** Parts that add up to what a message costs. */
interface Cpu {
  readonly nodes: number;
  readonly postgres: number;
  readonly nats: number;
}

interface Side extends AsyncDisposable {
  readonly name: string;
  readonly all: readonly Pair[];
  /** CPU seconds so far. */
  cpu(): Cpu;
}

/** What a message costs where everyone's peer is at another node than they are, held against one process on its data folder. */
export const clusterNodes: Scenario = {
  name: "cluster-nodes",
  summary: "server-append-1to1 on a data folder, and on two and four nodes with PostgreSQL and NATS, each message from node to node",
  async run({ isQuick }) {
    const rounds = isQuick ? 2 : 7;
    const perPair = isQuick ? 20 : 100;
    if (findPostgres() === undefined || findNats() === undefined) throw new Error("PostgreSQL or NATS is not installed");
    await using stack = new AsyncDisposableStack();
    const sides = [stack.use(await openFolder())];
    for (const size of sizes) sides.push(stack.use(await openNodes(size)));
    const measured = sides.map(() => new Array<Cpu & { readonly total: number; readonly perSecond: number; readonly waitMs: number }>());
    for (let round = 1 - warmUpRounds; round <= rounds; round++) {
      for (const [at, side] of sides.entries()) {
        const before = side.cpu();
        const { perSecond, latenciesMs } = await runRound({ cpuSeconds: () => 0 }, side.all, perPair);
        const after = side.cpu();
        const of = (part: keyof Cpu): number => ((after[part] - before[part]) / (pairs * perPair)) * 10_000;
        const [nodes, postgres, nats] = [of("nodes"), of("postgres"), of("nats")];
        const waitMs = summarize(latenciesMs).median;
        if (round > 0) measured[at]?.push({ nodes, postgres, nats, total: nodes + postgres + nats, perSecond, waitMs });
      }
    }
    for (const { all } of sides) for (const pair of all) checkPair(pair);
    const [inFolder = [], ...onNodes] = measured;
    const unit = "CPU s / 10,000 durable messages";
    return {
      parameters: { pairs, messagesPerRound: pairs * perPair, rounds },
      figures: [
        ...sides.flatMap(({ name }, at) => {
          const of = measured[at] ?? [];
          return [
            { name: `servers' CPU, ${name}`, unit, ...summarize(of.map(({ nodes }) => nodes)) },
            ...(at === 0
              ? []
              : [
                  { name: `CPU of PostgreSQL, ${name}`, unit, ...summarize(of.map(({ postgres }) => postgres)) },
                  { name: `CPU of NATS, ${name}`, unit, ...summarize(of.map(({ nats }) => nats)) },
                ]),
            { name: `durable messages, ${name}`, unit: "messages / s", ...summarize(of.map(({ perSecond }) => perSecond)) },
            { name: `time to acknowledgement, ${name}`, unit: "ms", ...summarize(of.map(({ waitMs }) => waitMs)) },
          ];
        }),
        ...onNodes.map((of, at) => ({
          name: `all of it, ${sides[at + 1]?.name ?? ""}, to the data folder's, round by round`,
          unit: "times",
          ...(at === 0 ? { target: 2.2 } : {}),
          ...summarize(of.map(({ total }, round) => total / (inFolder[round]?.total ?? Number.NaN))),
        })),
      ],
    };
  },
};

async function openFolder(): Promise<Side> {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await startServerProcess({ isPinned: false }));
  const all = await openPairs([server], stack);
  const cpu = (): Cpu => ({ nodes: server.cpuSeconds(), postgres: 0, nats: 0 });
  return { name: "data folder", all, cpu, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function openNodes(count: number): Promise<Side> {
  const stack = new AsyncDisposableStack();
  const postgres = await startPostgres({ ...keptSettings, max_connections: "200" });
  stack.defer(() => postgres.stop());
  const nats = await startNats();
  stack.defer(() => nats.kill());
  const database = { at: postgres.url, acceptLoss: true, nats: nats.url };
  const servers: ServerProcess[] = [];
  const [first = "", ...others] = Array.from({ length: count }, () => {
    const directory = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
    stack.defer(() => rmSync(directory, { recursive: true, force: true }));
    return directory;
  });
  const start = async (directory: string): Promise<void> => {
    servers.push(
      stack.use(await startServerProcess({ isPinned: false, directory, serverOptions: { host: "nodes.example.org", database } })),
    );
  };
  await start(first);
  for (const directory of others) {
    // The first has made the keys.
    cpSync(join(first, "directory"), join(directory, "directory"), { recursive: true });
    await start(directory);
  }
  const all = await openPairs(servers, stack);
  const cpu = (): Cpu => ({
    nodes: servers.reduce((sum, server) => sum + server.cpuSeconds(), 0),
    postgres: postgresCpuSeconds(postgres.data),
    nats: processCpuSeconds(nats.pid() ?? 0),
  });
  return { name: `${String(count)} nodes`, all, cpu, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Pairs of which the second is at the node after the first's. */
async function openPairs(servers: readonly ServerProcess[], stack: AsyncDisposableStack): Promise<Pair[]> {
  const all = await Promise.all(
    Array.from({ length: pairs }, (_, at) => {
      const server = servers[at % servers.length];
      if (server === undefined) throw new Error("a server at least");
      return openPair(server, servers[(at + 1) % servers.length]);
    }),
  );
  stack.defer(async () => {
    await Promise.all(all.flatMap(({ sender, receiver }) => [sender.close(), receiver.close()]));
  });
  return all;
}
