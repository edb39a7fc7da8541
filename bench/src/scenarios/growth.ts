import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fillStore } from "@latchkey/server/testing";
import type { Figure, Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import type { ServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";
import { appendFrame, connectPeer, entryBytes, frameKind, openLog, randomBytes, replyKinds, sha256 } from "../wire.ts";
import type { BenchLog, Peer } from "../wire.ts";

const connections = 50;
const inFlight = 4;
const blobBytes = 512;
/** With a million logs the store is of this size. */
const fullBytes = 5e9;
const mostActive = 50_000;
const dayMs = 86_400_000;
/** What is in the store is so old that it goes as soon as the retention is that of every day. */
const ageDays = 200;
/** The server that keeps them all. */
const keepDays = 400;
const longestPurgeMs = 1_200_000;

/** What a message costs with ever more logs in the store, the start of the largest, and what becomes of the room when it all expires. */
export const growth: Scenario = {
  name: "server-growth",
  summary: "a message's cost with 1,000 to 1,000,000 logs and 5 GB, the start, and the disk given back after it all expired",
  async run({ isQuick }) {
    const sizes = isQuick ? [1000, 10_000] : [1000, 10_000, 100_000, 1_000_000];
    const directory = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
    const access = randomBytes(32);
    const figures: Figure[] = [];
    try {
      let filled = 0;
      for (const logs of sizes) {
        const large = Math.ceil(fullBytes / 1e6);
        await fill({ directory, access, from: filled, to: logs, bytes: logs > 100_000 ? large : blobBytes });
        // What was filled in is not to be written to the disk while something is measured.
        spawnSync("sync");
        filled = logs;
        figures.push(...(await measure({ directory, access, logs, rounds: isQuick ? 2 : 7, perRound: isQuick ? 4000 : 20_000 })));
      }
      // A small database keeps what becomes free.
      if (!isQuick) figures.push(...(await expire(directory)));
      return { parameters: { connections, inFlight, blobBytes, mostActive, sizes: sizes.map(String) }, figures };
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
};

function idOf(number: number): Uint8Array {
  return sha256(Buffer.from(`log ${String(number)}`));
}

async function fill(params: { directory: string; access: Uint8Array; from: number; to: number; bytes: number }): Promise<void> {
  const { directory, access, from, to, bytes } = params;
  function* ids(): Generator<Uint8Array> {
    for (let number = from; number < to; number++) yield idOf(number);
  }
  const day = Math.floor(Date.now() / dayMs) - ageDays;
  await fillStore({ directory, logIds: ids(), access, blob: () => entryBytes(bytes), day });
}

const keeping = { retentionDays: keepDays, limits: { headsIntervalMs: 1e15 } };

async function measure(params: {
  directory: string;
  access: Uint8Array;
  logs: number;
  rounds: number;
  perRound: number;
}): Promise<Figure[]> {
  const { directory, access, logs, rounds, perRound } = params;
  const startedMs = performance.now();
  await using server = await startServerProcess({ directory, serverOptions: keeping });
  const startSeconds = (performance.now() - startedMs) / 1000;
  const active = Math.min(logs, mostActive);
  const peers = await Promise.all(Array.from({ length: connections }, () => connectPeer(server.url, "log")));
  const open: BenchLog[][] = peers.map(() => []);
  await Promise.all(
    peers.map(async (peer, index) => {
      for (let number = index; number < active; number += connections) {
        // Any of those that there are, spread over all.
        const log = { logId: idOf(Math.floor((number * logs) / active)), access };
        await openLog(peer, log, 1);
        open[index]?.push(log);
      }
    }),
  );
  const [cpu, waits]: [number[], number[]] = [[], []];
  for (let round = 0; round <= rounds; round++) {
    const before = server.cpuSeconds();
    const times = await Promise.all(peers.map((peer, index) => talk(peer, open[index] ?? [], perRound / connections)));
    if (round === 0) continue;
    cpu.push(((server.cpuSeconds() - before) / perRound) * 10_000);
    for (const each of times) for (const time of each) waits.push(time);
  }
  await Promise.all(peers.map((peer) => peer.close()));
  const name = `${String(logs)} logs`;
  return [
    { name: `${name}: server CPU`, unit: "CPU s / 10,000 durable messages", ...summarize(cpu) },
    { name: `${name}: acknowledgement`, unit: "ms", ...summarize(waits) },
    { name: `${name}: start`, unit: "s", target: 3, ...summarize([startSeconds]) },
    { name: `${name}: most memory of the process`, unit: "MiB", ...summarize([server.peakBytes() / 1_048_576]) },
    { name: `${name}: database`, unit: "MB", ...summarize([sizeOf(directory) / 1e6]) },
  ];
}

let lastId = 0;

/** Messages to logs drawn at random, a few at a time. */
async function talk(peer: Peer, logs: readonly BenchLog[], count: number): Promise<number[]> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const sentAt: number[] = [];
  const waits: number[] = [];
  const send = (): void => {
    const log = logs[Math.floor(Math.random() * logs.length)];
    if (log === undefined || sentAt.length >= count) return;
    sentAt.push(performance.now());
    peer.send(appendFrame(log, { id: ++lastId, blob: entryBytes(blobBytes) }));
  };
  peer.onFrame = (frame) => {
    const kind = frameKind(frame);
    if (kind === replyKinds.entry) return;
    if (kind !== replyKinds.accepted) reject(new Error(`a frame of kind ${String(kind)} came`));
    // Of one connection they are answered in their order.
    waits.push(performance.now() - (sentAt[waits.length] ?? 0));
    if (waits.length === count) resolve();
    else send();
  };
  for (let under = 0; under < inFlight; under++) send();
  await promise;
  return waits;
}

/** Everything has expired: a start with the retention of every day, somebody who writes meanwhile, and the room on disk after. */
async function expire(directory: string): Promise<Figure[]> {
  const before = sizeOf(directory);
  await using server = await startServerProcess({ directory, serverOptions: { limits: { headsIntervalMs: 1e15 } } });
  const startedMs = performance.now();
  const waits = await writeUntil(server, () => sizeOf(directory) < before / 3 || performance.now() - startedMs > longestPurgeMs);
  return [
    { name: "all expired: until two thirds are given back", unit: "s", ...summarize([(performance.now() - startedMs) / 1000]) },
    { name: "all expired: database", unit: "MB", target: before / 3e6, ...summarize([sizeOf(directory) / 1e6]) },
    { name: "all expired: acknowledgement meanwhile", unit: "ms", ...summarize(waits) },
    { name: "all expired: longest acknowledgement meanwhile", unit: "ms", ...summarize([Math.max(...waits)]) },
  ];
}

async function writeUntil(server: ServerProcess, isOver: () => boolean): Promise<number[]> {
  const peer = await connectPeer(server.url, "log");
  const log = { logId: randomBytes(32), access: randomBytes(32) };
  await peer.ask({ kind: "create", logId: log.logId, accessHash: sha256(log.access), token: new Uint8Array() });
  await openLog(peer, log);
  const waits: number[] = [];
  while (!isOver()) {
    waits.push(...(await talk(peer, [log], 1)));
    await delay(inFlight);
  }
  await peer.close();
  return waits;
}

function sizeOf(directory: string): number {
  return statSync(join(directory, "logs.sqlite")).size;
}
