import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import type { CastName } from "./casts.ts";
import type { Life } from "./run.ts";

const isNightly = process.env["LATCHKEY_NIGHTLY"] === "1";
const main = fileURLToPath(new URL("main.ts", import.meta.url));

let free = availableParallelism();
const waiting: (() => void)[] = [];

/** Runs one process for each core and no more: whoever asked first is next. */
async function inTurn<T>(run: () => Promise<T>): Promise<T> {
  if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
  else free--;
  try {
    return await run();
  } finally {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next();
  }
}

/** Lives in a process of their own: nothing but the simulation may take time there. */
async function lives(cast: CastName, seeds: number, params: { from?: number; moves?: number } = {}): Promise<Life[]> {
  const { from = 1, moves = 50 } = params;
  const args = [main, "--json", "--cast", cast, "--seeds", `${seeds}`, "--from", `${from}`, "--moves", `${moves}`];
  const found = await inTurn(() => promisify(execFile)(process.execPath, args, { maxBuffer: 1 << 30 })).catch((error: unknown) => {
    // Lives that break a promise are told by their lines and by the exit status.
    if (error instanceof Error && "stdout" in error && "code" in error && error.code === 1 && error.stdout !== "") return error;
    throw error;
  });
  return (found as { stdout: string }).stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Life);
}

function broken(found: readonly Life[]): string[] {
  return found.filter((life) => life.broken.length > 0).map((life) => `seed "${life.seed}": ${life.broken.join("; ")}`);
}

/** What so many lives showed, one line for each that broke a promise; 100,000 lives in the nightly run. They are shared out. */
async function brokenIn(cast: CastName, seeds: number): Promise<string[]> {
  const count = isNightly ? 500 * seeds : seeds;
  const part = Math.min(1000, Math.ceil(count / 2));
  const parts: Promise<Life[]>[] = [];
  for (let from = 1; from <= count; from += part) parts.push(lives(cast, Math.min(part, count + 1 - from), { from }));
  const found = (await Promise.all(parts)).flat();
  return found.length === count ? broken(found) : [`${found.length} lives of ${count}`];
}

const timeout = isNightly ? 86_400_000 : 900_000;

describe.concurrent("simulated lives", { timeout }, () => {
  test("a seed gives the same life again", async ({ expect }) => {
    const [[one], [two]] = await Promise.all([lives("daily", 1, { from: 7 }), lives("daily", 1, { from: 7 })]);
    expect(one).toEqual(two);
    expect(one?.requests).toBeGreaterThan(500);
  });

  test("people whose networks, devices and server fail keep every promise to one another", async ({ expect }) => {
    expect(await brokenIn("daily", 50)).toEqual([]);
  });

  test("[R-5] people who join have what they were given as everybody has it, however networks, devices and the server fail", async ({
    expect,
  }) => {
    const found = await lives("joining", isNightly ? 1000 : 20, { moves: 80 });
    expect(broken(found)).toEqual([]);
    expect(found.reduce((sum, { given }) => sum + given, 0)).toBeGreaterThan(20);
  });

  test("[E-3] a server that lies and takes it back leaves no trace", async ({ expect }) => {
    expect(await brokenIn("moody", 40)).toEqual([]);
  });

  test("[E-2] a stranger who posts, asks and takes stops nobody", async ({ expect }) => {
    expect(await brokenIn("strange", 30)).toEqual([]);
  });

  const onceBroken: readonly (readonly [CastName, seed: number, moves: number, what: string])[] = [
    ["lying", 800_004, 24, "a direct conversation whose first change the server lost could not be gone on with"],
    ["lying", 800_340, 41, "nor could a group"],
    ["joining", 900_005, 40, "another text of a message that waited for its author's word went out without it"],
    ["moody", 1_000_033, 30, "the quote of a deleted message stayed on the screen"],
    ["lying", 800_030, 42, "who is shown another log is told so, and stops: the order of what they have is another"],
    ["lying", 1_100_144, 40, "a reaction to a message that the server altered after it acknowledged it stayed on the screen"],
  ];

  test.each(onceBroken)("%s %i of %i moves, which broke a promise once: %s", async (cast, from, moves) => {
    expect(broken(await lives(cast, 1, { from, moves }))).toEqual([]);
  });

  test("a server whose lies lose something is told of, with a way on", async ({ expect }) => {
    expect(await brokenIn("lying", 30)).toEqual([]);
  });

  test("[E-1] one member who does what no client would stops nobody", async ({ expect }) => {
    expect(await brokenIn("hostile", 50)).toEqual([]);
  });
});
