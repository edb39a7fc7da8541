import { pino } from "pino";
import { expect, test } from "vitest";
import { Refusal } from "../errors.ts";
import { Chores } from "./chores.ts";
import type { ChoresParts } from "./chores.ts";

const hourMs = 3_600_000;
const orphan = { key: "a key", blobId: new Uint8Array(32) };

/** Chores of a node whose timers the test lets run, and what they did; the rest of the server does nothing. */
function nodeWith(parts: { isShared: boolean; isTurn: () => boolean; find?: () => Promise<(typeof orphan)[]> }) {
  const done: string[] = [];
  const timers = new Map<() => void, number>();
  const idle = async (): Promise<void> => undefined;
  const chores = new Chores({
    isShared: parts.isShared,
    house: {
      turn: { take: async () => parts.isTurn(), giveBack: async () => void done.push("gave back") },
      blobs: {
        removeOrphans: async () => done.push("swept"),
        findOrphans: parts.find ?? (async () => [orphan]),
        removeFound: async (found: (typeof orphan)[]) => done.push(`removed ${found.map(({ key }) => key).join()}`),
      },
      clock: { trial: () => undefined, nowMs: () => 0 },
      clockFile: { trial: undefined, record: () => undefined },
      recordClock: { recorded: () => undefined },
    },
    publisher: { tick: idle },
    journal: { tick: idle },
    tokens: { tend: idle },
    suspensions: { tend: idle },
    health: { sample: () => undefined },
    log: pino({ level: "silent" }),
    setTimer(delayMs: number, run: () => void) {
      timers.set(run, delayMs);
      return () => timers.delete(run);
    },
    tickDesk: async () => 0,
    reportBug: (error: unknown) => done.push(String(error)),
    // Of each part this is what they ask for.
  } as unknown as ChoresParts);
  /** Runs what waits for so long. */
  const pass = async (delayMs: number): Promise<void> => {
    const due = [...timers].filter(([, after]) => after === delayMs);
    for (const [run] of due) {
      timers.delete(run);
      run();
    }
    await new Promise(setImmediate);
  };
  chores.start();
  return { chores, done, pass };
}

test("what a crash left beside the blobs goes at once where this server alone has them, else what is there an hour later too", async () => {
  const alone = nodeWith({ isShared: false, isTurn: () => true });
  await alone.pass(1000);
  expect(alone.done).toEqual(["swept"]);
  const node = nodeWith({ isShared: true, isTurn: () => true });
  await node.pass(1000);
  expect(node.done).toEqual([]);
  // Hourly housekeeping has the same pause: nothing of it is asked for here.
  await node.pass(hourMs);
  expect(node.done.filter((what) => what.startsWith("removed"))).toEqual(["removed a key"]);
});

test("of several nodes the one whose turn it is looks for it, and another one once that has ended", async () => {
  let isTurn = false;
  const node = nodeWith({ isShared: true, isTurn: () => isTurn });
  await node.pass(1000);
  await node.pass(hourMs);
  isTurn = true;
  await node.pass(hourMs);
  expect(node.done.filter((what) => what.startsWith("removed"))).toEqual([]);
  await node.pass(hourMs);
  expect(node.done.filter((what) => what.startsWith("removed"))).toEqual(["removed a key"]);
});

test("where the place of the blobs cannot be reached it is tried again; a node that stops leaves its turn to the others", async () => {
  let isAway = true;
  const find = async (): Promise<(typeof orphan)[]> => {
    if (isAway) throw new Refusal("unavailable");
    return [orphan];
  };
  const node = nodeWith({ isShared: true, isTurn: () => true, find });
  await node.pass(1000);
  isAway = false;
  await node.pass(600_000);
  await node.pass(hourMs);
  expect(node.done.filter((what) => what.startsWith("removed"))).toEqual(["removed a key"]);
  await node.chores.stop();
  expect(node.done.at(-1)).toBe("gave back");
});
