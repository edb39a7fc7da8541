import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAccount } from "../directory/accounts.ts";
import { connectDevice } from "../directory/peer.ts";
import type { Figure, Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import type { ServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";
import { appendFrame, connectPeer, createLog, entryBytes, frameId, frameKind, randomBytes, replyKinds, sha256 } from "../wire.ts";
import type { BenchLog, Peer } from "../wire.ts";

const host = "latchkey.example";
const fillConnections = 16;
const fillInFlight = 32;
const blobBytes = 256;
/** Between two messages of somebody who writes meanwhile. */
const everyMs = 4;

/** The heads of many active logs published (spec L-11), and what others notice of it. `LATCHKEY_BENCH_LOGS` sets how many. */
export const heads: Scenario = {
  name: "server-heads",
  summary: "heads of 100,000 active logs published after a start, while somebody writes messages",
  async run({ isQuick }) {
    const logs = Number(process.env["LATCHKEY_BENCH_LOGS"] ?? (isQuick ? 2000 : 100_000));
    const directory = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
    try {
      {
        await using server = await startServerProcess({ directory, serverOptions: { host, limits: { headsIntervalMs: 1e15 } } });
        await fill(server, logs);
      }
      await using server = await startServerProcess({ directory, serverOptions: { host } });
      return { parameters: { logs, everyMs, blobBytes }, figures: await measure(server) };
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
};

/** Logs with one message each. */
async function fill(server: ServerProcess, count: number): Promise<void> {
  let next = 0;
  const access = randomBytes(32);
  const accessHash = sha256(access);
  const work = async (peer: Peer): Promise<void> => {
    for (let at = next++; at < count; at = next++) {
      const logId = randomBytes(32);
      await peer.ask({ kind: "create", logId, accessHash, token: new Uint8Array() });
      await peer.ask({ kind: "open", logId, epochId: 0, access, afterSeq: 0, closed: [] });
      await peer.ask({ kind: "append", logId, epochId: 0, entryKind: "message", blob: entryBytes(blobBytes) });
      await peer.ask({ kind: "close", logId });
    }
  };
  const peers = await Promise.all(Array.from({ length: fillConnections }, () => connectPeer(server.url, "log")));
  await Promise.all(peers.flatMap((peer) => Array.from({ length: fillInFlight }, () => work(peer))));
  await Promise.all(peers.map((peer) => peer.close()));
}

async function measure(server: ServerProcess): Promise<Figure[]> {
  const peer = await connectPeer(server.url, "log");
  const log = await createLog(peer);
  const quiet = await writeUntil(peer, log, async () => {
    await pause(2000);
  });
  const cpuBefore = server.cpuSeconds();
  const startedMs = performance.now();
  const busy = await writeUntil(peer, log, async () => {
    const device = await connectDevice(server.url);
    const account = await createAccount("alice", host);
    await device.ask({ kind: "reserve", username: account.username, invitation: "", token: new Uint8Array() });
    await device.ask({ kind: "publish", ...account });
    device.close();
    // The log has been written to before the heads were collected: it is among them.
    for (;;) {
      const reply = await peer.ask({ kind: "head_proof", logId: log.logId, knownSize: 0 });
      if (reply.kind === "head_proof" && reply.proof.length > 0) return;
      await pause(20);
    }
  });
  const seconds = (performance.now() - startedMs) / 1000;
  const cpu = server.cpuSeconds() - cpuBefore;
  await peer.close();
  return [
    { name: "message acknowledged, before", unit: "ms", ...summarize(quiet) },
    { name: "message acknowledged, meanwhile", unit: "ms", ...summarize(busy) },
    { name: "longest wait, before", unit: "ms", ...summarize([Math.max(...quiet)]) },
    { name: "longest wait, meanwhile", unit: "ms", target: 50, ...summarize([Math.max(...busy)]) },
    { name: "until the heads are published", unit: "s", ...summarize([seconds]) },
    { name: "server CPU of it, messages included", unit: "CPU s", ...summarize([cpu]) },
    { name: "most memory that the server ever had", unit: "MB", ...summarize([server.peakBytes() / 1e6]) },
  ];
}

/** Writes messages at a steady pace until `work` is done. Answers how long each waited for its acknowledgement. */
async function writeUntil(peer: Peer, log: BenchLog, work: () => Promise<void>): Promise<number[]> {
  const waits: number[] = [];
  const sentAt = new Map<number, number>();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let isOver = false;
  let id = 0;
  peer.onFrame = (frame) => {
    const sent = sentAt.get(frameId(frame));
    if (sent === undefined) return;
    if (frameKind(frame) !== replyKinds.accepted) reject(new Error("a message was refused"));
    waits.push(performance.now() - sent);
    sentAt.delete(frameId(frame));
    if (isOver && sentAt.size === 0) resolve();
  };
  const timer = setInterval(() => {
    sentAt.set(++id, performance.now());
    peer.send(appendFrame(log, { id, blob: entryBytes(blobBytes) }));
  }, everyMs);
  await work();
  clearInterval(timer);
  isOver = true;
  if (sentAt.size === 0) resolve();
  await promise;
  return waits;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
