import { checkEntries } from "../check.ts";
import type { Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";
import { appendFrame, connectPeer, createLog, entryOf, openLog, entryBytes, replyKinds, frameKind } from "../wire.ts";
import type { Peer } from "../wire.ts";

const members = 500;
const inFlight = 4;
const blobBytes = 512;

/** One log, 500 members online, each message to all of them. */
export const fanout: Scenario = {
  name: "server-fanout-500",
  summary: `one group of ${String(members)} members online: append, fsync, delivery to all`,
  async run({ isQuick }) {
    const rounds = isQuick ? 2 : 7;
    const perRound = isQuick ? 20 : 200;
    await using server = await startServerProcess();
    const peers = await Promise.all(Array.from({ length: members }, () => connectPeer(server.url, "log")));
    const [sender] = peers;
    if (sender === undefined) throw new Error("no members");
    const log = await createLog(sender);
    await Promise.all(peers.slice(1).map((peer) => openLog(peer, log)));

    const blobs: Uint8Array[] = [];
    const received = peers.map((): Buffer[] => []);
    const cpu: number[] = [];
    const rates: number[] = [];
    const latencies: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const newBlobs = Array.from({ length: perRound }, () => entryBytes(blobBytes));
      const frames = newBlobs.map((blob, index) => appendFrame(log, { id: blobs.length + index + 1, blob }));
      blobs.push(...newBlobs);
      const cpuBefore = server.cpuSeconds();
      const startedMs = performance.now();
      const roundLatencies = await sendToAll({ peers, sender, frames, received });
      const seconds = (performance.now() - startedMs) / 1000;
      if (round === 0) continue;
      const deliveries = members * perRound;
      cpu.push(((server.cpuSeconds() - cpuBefore) / deliveries) * 10_000);
      rates.push(deliveries / seconds);
      latencies.push(...roundLatencies);
    }
    for (const [index, frames] of received.entries()) checkMember(log.logId, { index, frames, blobs, reference: received[0] ?? [] });
    await Promise.all(peers.map((peer) => peer.close()));
    return {
      parameters: { members, inFlight, blobBytes, messagesPerRound: perRound },
      figures: [
        { name: "server CPU", unit: "CPU s / 10,000 deliveries", target: 0.12, ...summarize(cpu) },
        { name: "deliveries", unit: "deliveries / s", ...summarize(rates) },
        { name: "time until the last member has it", unit: "ms", ...summarize(latencies) },
      ],
    };
  },
};

/** Sends the frames, a few at a time, each new one when an old one has reached everybody. Resolves to the time that each took. */
async function sendToAll(params: {
  peers: readonly Peer[];
  sender: Peer;
  frames: readonly Uint8Array[];
  received: readonly Buffer[][];
}): Promise<number[]> {
  const { peers, sender, frames, received } = params;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const base = received[0]?.length ?? 0;
  const arrivals = frames.map(() => 0);
  const sentAt: number[] = [];
  const latencies: number[] = [];
  let sent = 0;
  const sendNext = (): void => {
    const frame = frames[sent];
    if (frame === undefined) return;
    sentAt[sent++] = performance.now();
    sender.send(frame);
  };
  for (const [index, peer] of peers.entries()) {
    const own = received[index] ?? [];
    peer.onFrame = (frame) => {
      const kind = frameKind(frame);
      if (kind === replyKinds.accepted) return;
      if (kind !== replyKinds.entry) {
        reject(new Error(`a frame of kind ${String(kind)} arrived`));
        return;
      }
      const message = own.length - base;
      own.push(frame);
      const count = (arrivals[message] ?? 0) + 1;
      arrivals[message] = count;
      if (count < peers.length) return;
      latencies.push(performance.now() - (sentAt[message] ?? Number.NaN));
      if (latencies.length === frames.length) resolve();
      else sendNext();
    };
  }
  for (let count = 0; count < inFlight; count++) sendNext();
  await promise;
  return latencies;
}

/** Decodes all that the first member got; the others must have got the same bytes in the same order. */
function checkMember(logId: Uint8Array, params: { index: number; frames: Buffer[]; blobs: Uint8Array[]; reference: Buffer[] }): void {
  const { index, frames, blobs, reference } = params;
  if (index === 0) {
    checkEntries(logId, frames.map(entryOf), blobs);
    return;
  }
  if (frames.length !== reference.length || !frames.every((frame, place) => reference[place]?.equals(frame) === true))
    throw new Error(`member ${String(index)} got something else than the first one`);
}
