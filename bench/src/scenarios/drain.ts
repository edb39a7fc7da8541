import { checkEntries } from "../check.ts";
import type { Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";
import { appendFrame, connectPeer, createLog, entryOf, openLog, entryBytes, replyKinds, frameKind } from "../wire.ts";
import type { BenchLog, Peer } from "../wire.ts";

const inFlight = 256;
const blobBytes = 512;

/** Messages for somebody who is away, then fetched in one go. */
export const drain: Scenario = {
  name: "server-drain-10k",
  summary: "10,000 messages stored for an absent device, then drained by it",
  async run({ isQuick }) {
    const messages = isQuick ? 1000 : 10_000;
    const rounds = isQuick ? 2 : 7;
    await using server = await startServerProcess();
    const stored: number[] = [];
    const drained: number[] = [];
    const drainCpu: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const sender = await connectPeer(server.url, "log");
      const log = await createLog(sender);
      const blobs = Array.from({ length: messages }, () => entryBytes(blobBytes));
      const storeMs = await store(sender, log, blobs);
      await sender.close();
      const cpuBefore = server.cpuSeconds();
      const { drainMs, frames } = await fetchAll(server.url, log, messages);
      const cpu = server.cpuSeconds() - cpuBefore;
      checkEntries(log.logId, frames.map(entryOf), blobs);
      if (round === 0) continue;
      stored.push(storeMs / 1000);
      drained.push(drainMs / 1000);
      drainCpu.push((cpu / messages) * 10_000);
    }
    return {
      parameters: { messages, inFlight, blobBytes },
      figures: [
        { name: "stored", unit: "s", target: 0.6, ...summarize(stored) },
        { name: "drained", unit: "s", target: 0.3, ...summarize(drained) },
        { name: "server CPU to drain", unit: "CPU s / 10,000 messages", ...summarize(drainCpu) },
      ],
    };
  },
};

async function store(sender: Peer, log: BenchLog, blobs: readonly Uint8Array[]): Promise<number> {
  const frames = blobs.map((blob, index) => appendFrame(log, { id: index + 1, blob }));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let sent = 0;
  let accepted = 0;
  const sendNext = (): void => {
    const frame = frames[sent++];
    if (frame !== undefined) sender.send(frame);
  };
  sender.onFrame = (frame) => {
    const kind = frameKind(frame);
    if (kind === replyKinds.entry) return;
    if (kind !== replyKinds.accepted) {
      reject(new Error(`a frame of kind ${String(kind)} arrived`));
      return;
    }
    if (++accepted === frames.length) resolve();
    else sendNext();
  };
  const startedMs = performance.now();
  for (let count = 0; count < inFlight; count++) sendNext();
  await promise;
  return performance.now() - startedMs;
}

/** The time includes connecting and opening the log, as a device that comes back must. */
async function fetchAll(url: string, log: BenchLog, messages: number): Promise<{ drainMs: number; frames: Buffer[] }> {
  const frames: Buffer[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const startedMs = performance.now();
  const peer = await connectPeer(url, "log");
  peer.onFrame = (frame) => {
    frames.push(frame);
    if (frames.length === messages) resolve();
  };
  await openLog(peer, log);
  await promise;
  const drainMs = performance.now() - startedMs;
  await peer.close();
  return { drainMs, frames };
}
