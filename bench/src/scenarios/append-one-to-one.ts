import { equalBytes, decode } from "@latchkey/codec";
import { logReplyCodec } from "@latchkey/protocol";
import { checkEntries } from "../check.ts";
import type { Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import type { ServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";
import { appendFrame, connectPeer, createLog, entryOf, openLog, entryBytes, replyKinds, frameId, frameKind } from "../wire.ts";
import type { BenchLog, Peer } from "../wire.ts";

/** How many talk. */
export const pairs = 100;
/** Messages of one sender that wait for their acknowledgement at a time. */
const inFlight = 4;
const blobBytes = 512;

/** Two who talk, over a connection each. */
export interface Pair {
  readonly log: BenchLog;
  readonly sender: Peer;
  readonly receiver: Peer;
  /** All blobs sent so far, in order, and all frames of entries received. */
  readonly blobs: Uint8Array[];
  readonly received: Buffer[];
  lastHead: Uint8Array;
}

/** Appends per second with fsync, and the server's CPU time for each, message by message from one person to another. */
export const appendOneToOne: Scenario = {
  name: "server-append-1to1",
  summary: `${String(pairs)} pairs talk one to one: append, fsync, acknowledgement, delivery to both`,
  async run({ isQuick }) {
    const rounds = isQuick ? 2 : 7;
    const perPair = isQuick ? 20 : 200;
    await using server = await startServerProcess();
    const all = await Promise.all(Array.from({ length: pairs }, () => openPair(server)));
    const rates: number[] = [];
    const cpu: number[] = [];
    const latencies: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const measured = await runRound(server, all, perPair);
      // The first round warms the compiler on both sides.
      if (round === 0) continue;
      rates.push(measured.perSecond);
      cpu.push(measured.cpuSecondsPer10k);
      latencies.push(...measured.latenciesMs);
    }
    for (const pair of all) checkPair(pair);
    await Promise.all(all.flatMap(({ sender, receiver }) => [sender.close(), receiver.close()]));
    return {
      parameters: { pairs, inFlightPerSender: inFlight, blobBytes, messagesPerRound: pairs * perPair },
      figures: [
        { name: "server CPU", unit: "CPU s / 10,000 durable messages", target: 0.5, ...summarize(cpu) },
        { name: "durable messages", unit: "messages / s", ...summarize(rates) },
        { name: "time to acknowledgement", unit: "ms", ...summarize(latencies) },
      ],
    };
  },
};

/** What tokens cost a conversation: the same with tokens off and on, in turns. A message costs none; what is about them does. */
export const appendOneToOneTokens: Scenario = {
  name: "server-append-1to1-tokens",
  summary: `the CPU of server-append-1to1 with tokens off and on, in turns`,
  async run({ isQuick }) {
    const rounds = isQuick ? 2 : 6;
    const perPair = isQuick ? 20 : 100;
    await using off = await startServerProcess({ serverOptions: { limits: { tokensPerDay: 0 } } });
    await using on = await startServerProcess({ serverOptions: { limits: { tokensPerDay: 1000 } } });
    const sides = await Promise.all(
      [off, on].map(async (server) => ({
        server,
        all: await Promise.all(Array.from({ length: pairs }, () => openPair(server))),
        cpu: new Array<number>(),
      })),
    );
    for (let round = 0; round <= rounds; round++) {
      for (const { server, all, cpu } of sides) {
        const { cpuSecondsPer10k } = await runRound(server, all, perPair);
        // The first round warms the compiler on both sides.
        if (round > 0) cpu.push(cpuSecondsPer10k);
      }
    }
    for (const { all } of sides) {
      for (const pair of all) checkPair(pair);
      await Promise.all(all.flatMap(({ sender, receiver }) => [sender.close(), receiver.close()]));
    }
    const unit = "CPU s / 10,000 durable messages";
    const [without, withTokens] = sides.map(({ cpu }) => summarize(cpu));
    if (without === undefined || withTokens === undefined) throw new Error("both were measured");
    return {
      parameters: { pairs, messagesPerRound: pairs * perPair, rounds },
      figures: [
        { name: "tokens off", unit, ...without },
        { name: "tokens on", unit, target: without.median * 1.1, ...withTokens },
      ],
    };
  },
};

/** Two who can talk, by one server or by two that share a database. */
export async function openPair(server: ServerProcess, ofReceiver: ServerProcess = server): Promise<Pair> {
  const [sender, receiver] = await Promise.all([connectPeer(server.url, "log"), connectPeer(ofReceiver.url, "log")]);
  const log = await createLog(sender);
  await openLog(receiver, log);
  return { log, sender, receiver, blobs: [], received: [], lastHead: new Uint8Array() };
}

/** All talk at once, so many messages each: messages a second, the CPU that `server` counts for them, and how long each waited for its acknowledgement. */
export async function runRound(
  server: Pick<ServerProcess, "cpuSeconds">,
  all: readonly Pair[],
  perPair: number,
): Promise<{ readonly perSecond: number; readonly cpuSecondsPer10k: number; readonly latenciesMs: readonly number[] }> {
  const plans = all.map((pair) => {
    const blobs = Array.from({ length: perPair }, () => entryBytes(blobBytes));
    const frames = blobs.map((blob, index) => appendFrame(pair.log, { id: pair.blobs.length + index + 1, blob }));
    pair.blobs.push(...blobs);
    return { pair, frames };
  });
  const latenciesMs: number[] = [];
  const cpuBefore = server.cpuSeconds();
  const startedMs = performance.now();
  await Promise.all(plans.map(({ pair, frames }) => talk(pair, frames, latenciesMs)));
  const seconds = (performance.now() - startedMs) / 1000;
  const messages = all.length * perPair;
  return {
    perSecond: messages / seconds,
    cpuSecondsPer10k: ((server.cpuSeconds() - cpuBefore) / messages) * 10_000,
    latenciesMs,
  };
}

/** Sends the frames, a few at a time, and resolves when all are acknowledged and delivered to the other person. */
async function talk(pair: Pair, frames: readonly Uint8Array[], latenciesMs: number[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const firstId = pair.blobs.length - frames.length + 1;
  const sentAt: number[] = [];
  let sent = 0;
  let acknowledged = 0;
  let delivered = 0;
  const sendNext = (): void => {
    const frame = frames[sent];
    if (frame === undefined) return;
    sentAt[sent++] = performance.now();
    pair.sender.send(frame);
  };
  const finishIfDone = (): void => {
    if (acknowledged === frames.length && delivered === frames.length) resolve();
  };
  pair.sender.onFrame = (frame) => {
    const kind = frameKind(frame);
    if (kind === replyKinds.entry) return;
    if (kind !== replyKinds.accepted) {
      reject(unexpected(frame));
      return;
    }
    latenciesMs.push(performance.now() - (sentAt[frameId(frame) - firstId] ?? Number.NaN));
    acknowledged += 1;
    if (acknowledged === frames.length) pair.lastHead = headOf(frame);
    sendNext();
    finishIfDone();
  };
  pair.receiver.onFrame = (frame) => {
    if (frameKind(frame) !== replyKinds.entry) {
      reject(unexpected(frame));
      return;
    }
    pair.received.push(frame);
    delivered += 1;
    finishIfDone();
  };
  for (let count = 0; count < inFlight; count++) sendNext();
  await promise;
}

function headOf(frame: Buffer): Uint8Array {
  const { body } = decode(logReplyCodec, frame);
  return body.kind === "accepted" ? body.head : new Uint8Array();
}

function unexpected(frame: Buffer): Error {
  const { body } = decode(logReplyCodec, frame);
  return new Error(`the server answered ${body.kind === "error" ? body.code : body.kind}`);
}

/** Every message arrived once and in order, and the head that the server acknowledged is the one of exactly these. @throws Error */
export function checkPair(pair: Pair): void {
  const head = checkEntries(pair.log.logId, pair.received.map(entryOf), pair.blobs);
  if (!equalBytes(head, pair.lastHead)) throw new Error("the acknowledged head is not that of the messages sent");
}
