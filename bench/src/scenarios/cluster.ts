import { findPostgres, keptSettings, startPostgres } from "@latchkey/server/testing";
import { postgresCpuSeconds } from "../cpu-seconds.ts";
import type { Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";
import { checkPair, openPair, pairs, runRound } from "./append-one-to-one.ts";

/** What a message costs a server on PostgreSQL, held against one on its data folder: the same pairs, in turns, on the same machine. */
export const cluster: Scenario = {
  name: "cluster",
  summary: "server-append-1to1 on a data folder and on PostgreSQL, in turns: CPU of the server and of PostgreSQL",
  async run({ isQuick }) {
    const rounds = isQuick ? 2 : 8;
    const perPair = isQuick ? 20 : 100;
    if (findPostgres() === undefined) throw new Error("PostgreSQL is not installed");
    const postgres = await startPostgres(keptSettings);
    try {
      await using inFolder = await startServerProcess();
      await using onPostgres = await startServerProcess({ serverOptions: { database: { at: postgres.url, acceptLoss: true } } });
      const sides = await Promise.all(
        [inFolder, onPostgres].map(async (server) => ({
          server,
          all: await Promise.all(Array.from({ length: pairs }, () => openPair(server))),
          cpu: new Array<number>(),
          rates: new Array<number>(),
          latencies: new Array<number>(),
        })),
      );
      const databaseCpu: number[] = [];
      const ratios: number[] = [];
      for (let round = 0; round <= rounds; round++) {
        const totals: number[] = [];
        for (const side of sides) {
          const before = postgresCpuSeconds(postgres.data);
          const { cpuSecondsPer10k, perSecond, latenciesMs } = await runRound(side.server, side.all, perPair);
          const ofDatabase = ((postgresCpuSeconds(postgres.data) - before) / (pairs * perPair)) * 10_000;
          const isOnPostgres = side.server === onPostgres;
          totals.push(cpuSecondsPer10k + (isOnPostgres ? ofDatabase : 0));
          // The first round warms the compiler on both sides.
          if (round === 0) continue;
          side.cpu.push(cpuSecondsPer10k);
          side.rates.push(perSecond);
          side.latencies.push(...latenciesMs);
          if (isOnPostgres) databaseCpu.push(ofDatabase);
        }
        const [folder = Number.NaN, database = Number.NaN] = totals;
        if (round > 0) ratios.push(database / folder);
      }
      for (const { all } of sides) {
        for (const pair of all) checkPair(pair);
        await Promise.all(all.flatMap(({ sender, receiver }) => [sender.close(), receiver.close()]));
      }
      const [folder, database] = sides;
      if (folder === undefined || database === undefined) throw new Error("both were measured");
      const unit = "CPU s / 10,000 durable messages";
      return {
        parameters: { pairs, messagesPerRound: pairs * perPair, rounds },
        figures: [
          { name: "server CPU, data folder", unit, ...summarize(folder.cpu) },
          { name: "server CPU, PostgreSQL", unit, ...summarize(database.cpu) },
          { name: "CPU of PostgreSQL", unit, ...summarize(databaseCpu) },
          { name: "both, to the data folder's, round by round", unit: "times", target: 1.3, ...summarize(ratios) },
          { name: "durable messages, data folder", unit: "messages / s", ...summarize(folder.rates) },
          { name: "durable messages, PostgreSQL", unit: "messages / s", ...summarize(database.rates) },
          { name: "time to acknowledgement, data folder", unit: "ms", ...summarize(folder.latencies) },
          { name: "time to acknowledgement, PostgreSQL", unit: "ms", ...summarize(database.latencies) },
        ],
      };
    } finally {
      await postgres.stop();
    }
  },
};
