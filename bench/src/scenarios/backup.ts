import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { backupPlace, restoreBackup } from "@latchkey/server";
import { fillStore } from "@latchkey/server/testing";
import type { Figure, Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import type { ServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";
import { appendFrame, connectPeer, createLog, entryBytes, frameKind, randomBytes, replyKinds, sha256 } from "../wire.ts";
import type { BenchLog, Peer } from "../wire.ts";

const people = 20;
/** Somebody sends so often: all of them 400 messages a second. */
const betweenMs = 50;
const messageBytes = 512;
const filledBytes = 5000;
const aloneMs = 10_000;
const passphrase = "seven words that nobody would ever guess";

/** How long people wait while a server that they write on is copied, and how long one is away that is made again of the copy. */
export const backup: Scenario = {
  name: "server-backup",
  summary: "20 people write while a data folder of 1 GB is copied; the server made again of the copy, until it takes a message",
  async run({ isQuick }) {
    const directory = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
    const [data, copies] = [join(directory, "data"), join(directory, "copies")];
    const logs = isQuick ? 4000 : 200_000;
    try {
      await fill(data, logs);
      // What was filled in is not to be written to the disk while something is measured.
      spawnSync("sync");
      return {
        parameters: { people, betweenMs, messageBytes, logs },
        figures: [...(await copy(data, copies)), await restore(copies, join(directory, "restored"))],
      };
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
};

async function fill(directory: string, logs: number): Promise<void> {
  // A server makes the folder what it is.
  await (await startServerProcess({ directory }))[Symbol.asyncDispose]();
  const access = randomBytes(32);
  function* ids(): Generator<Uint8Array> {
    for (let number = 0; number < logs; number++) yield sha256(Buffer.from(`log ${String(number)}`));
  }
  await fillStore({ directory, logIds: ids(), access, blob: () => entryBytes(filledBytes), day: Math.floor(Date.now() / 86_400_000) });
}

async function copy(data: string, copies: string): Promise<Figure[]> {
  await using server = await startServerProcess({ directory: data, isPinned: false });
  const alone: number[] = [];
  const during: number[] = [];
  const people = await gather(server);
  people.waits = alone;
  await delay(aloneMs);
  people.waits = during;
  const fromMs = performance.now();
  await backupPlace(copies, {}).make({ dataDirectory: data, passphrase, nowMs: Date.now() });
  const seconds = (performance.now() - fromMs) / 1000;
  // What follows of it counts too: the journal that was kept for the copy is moved then.
  await delay(aloneMs / 2);
  await people.end();
  return [
    {
      name: "databases",
      unit: "MB",
      ...summarize([
        ["logs.sqlite", "accounts.sqlite"].reduce(
          (sum, name) => sum + (statSync(join(data, name), { throwIfNoEntry: false })?.size ?? 0),
          0,
        ) / 1e6,
      ]),
    },
    { name: "copied and verified in", unit: "s", ...summarize([seconds]) },
    { name: "acknowledgement before", unit: "ms", ...summarize(alone) },
    { name: "longest before", unit: "ms", ...summarize([Math.max(...alone)]) },
    { name: "acknowledgement meanwhile", unit: "ms", ...summarize(during) },
    { name: "longest meanwhile", unit: "ms", target: 200, ...summarize([Math.max(...during)]) },
  ];
}

interface Writers {
  /** Where the times to the acknowledgements go. */
  waits: number[];
  end(): Promise<void>;
}

async function gather(server: ServerProcess): Promise<Writers> {
  const writers: Writers & { isOver: boolean } = { waits: [], isOver: false, end };
  const all = Array.from({ length: people }, () => write());
  function end(): Promise<void> {
    writers.isOver = true;
    return Promise.all(all).then(() => undefined);
  }
  async function write(): Promise<void> {
    const peer = await connectPeer(server.url, "log");
    const log = await createLog(peer);
    await delay(Math.random() * betweenMs);
    while (!writers.isOver) {
      const sinceMs = performance.now();
      await send(peer, log);
      const waitedMs = performance.now() - sinceMs;
      writers.waits.push(waitedMs);
      await delay(Math.max(0, betweenMs - waitedMs));
    }
    await peer.close();
  }
  return writers;
}

let lastId = 0;

function send(peer: Peer, log: BenchLog): Promise<void> {
  return new Promise((resolve, reject) => {
    peer.onFrame = (frame) => {
      const kind = frameKind(frame);
      if (kind === replyKinds.entry) return;
      if (kind === replyKinds.accepted) resolve();
      else reject(new Error(`a frame of kind ${String(kind)} came`));
    };
    peer.send(appendFrame(log, { id: ++lastId, blob: entryBytes(messageBytes) }));
  });
}

/** The drill: the server is lost, and one made of the copy takes a message. */
async function restore(copies: string, data: string): Promise<Figure> {
  const fromMs = performance.now();
  await restoreBackup({
    from: backupPlace(copies, {}),
    dataDirectory: data,
    passphrase: () => Promise.resolve(passphrase),
    keysFolder: undefined,
    nowMs: Date.now(),
  });
  await using server = await startServerProcess({ directory: data });
  const peer = await connectPeer(server.url, "log");
  await send(peer, await createLog(peer));
  const seconds = (performance.now() - fromMs) / 1000;
  await peer.close();
  return { name: "restored, until a message is taken", unit: "s", target: 60, ...summarize([seconds]) };
}
