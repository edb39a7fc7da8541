import { encode, decode } from "@latchkey/codec";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { storedLineCodec } from "./codec.ts";
import type { Line } from "./line.ts";
import type { Said, SaidBody } from "./said.ts";
import { ada, ben, change, linesOf, said, startMs, takeAll } from "./saying.testing.ts";
import { isFolded } from "./slow-mode.ts";

const text: SaidBody = { kind: "text", text: "hello" };

/** Something that Ada or another says in a slow mode of ten seconds, dated so many seconds from the start, and read at once. */
const at = (order: number, second: number, over: Partial<Said> = {}): Said => {
  const claimedAtMs = startMs + second * 1000;
  return said(order, ada, text, { claimedAtMs, arrivedAtMs: claimedAtMs, slowModeS: 10, ...over });
};

async function paces(all: readonly Said[]): Promise<(string | undefined)[]> {
  const store = createMemoryStore();
  await takeAll(store, all);
  return (await linesOf(store)).map(({ message }) => message?.pace);
}

describe("[X-20] what comes sooner than slow mode allows", () => {
  test("is marked by its author's own stamps, and the next one waits after what was kept", async () => {
    expect(await paces([at(1, 0), at(2, 9), at(3, 10), at(4, 19), at(5, 25)])).toEqual(["kept", "early", "kept", "early", "kept"]);
  });

  test("is each account's own affair, and nobody's where nobody waits", async () => {
    expect(await paces([at(1, 0), at(2, 1, { author: ben }), at(3, 2, { slowModeS: 0 }), at(4, 3, { slowModeS: undefined })])).toEqual([
      "kept",
      "kept",
      undefined,
      undefined,
    ]);
  });

  test("[E-104] a stamp that goes back, or none, has not waited: a clock that lies only spaces messages out", async () => {
    expect(await paces([at(1, 100), at(2, 50), at(3, 10), at(4, 110), at(5, 0, { claimedAtMs: undefined })])).toEqual([
      "kept",
      "early",
      "early",
      "kept",
      "early",
    ]);
    // Whatever stamps somebody chooses, so many are kept as fit between the first and the newest.
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 40 }), async (seconds) => {
        const kept = (await paces(seconds.map((second, index) => at(index + 1, second)))).filter((pace) => pace === "kept");
        expect(kept.length).toBeLessThanOrEqual(Math.floor((Math.max(0, ...seconds) - (seconds[0] ?? 0)) / 10) + 1);
      }),
      { numRuns: 50 },
    );
  });

  test("another slow mode begins anew: who was once dated a year ahead is not folded for a year", async () => {
    expect(await paces([at(1, 31_536_000), at(2, 20), at(3, 30, { slowModeS: 30 }), at(4, 59, { slowModeS: 30 })])).toEqual([
      "kept",
      "early",
      "kept",
      "early",
    ]);
  });

  test("[E-104] a device that may not be the account's makes the account wait for nothing", async () => {
    const device = { deviceId: new Uint8Array(16), signaturePublicKey: new Uint8Array(32), isDeparted: false };
    expect(await paces([at(1, 5, { device }), at(2, 6)])).toEqual(["kept", "kept"]);
  });

  test("is the same in one transaction or in many, and when entries come again", async () => {
    const all = [at(1, 0), at(2, 3), at(3, 12), at(4, 15), at(5, 30)];
    const store = createMemoryStore();
    await change(store, async (timeline) => {
      for (const one of [...all, ...all]) await timeline.take(one);
    });
    expect((await linesOf(store)).map(({ message }) => message?.pace)).toEqual(await paces(all));
  });

  test("is shown folded; so is what is dated more than five minutes ahead of when it came, as each reader has it", () => {
    const come = { pace: "kept", claimedAtMs: startMs + 300_001, arrivedAtMs: startMs } as const;
    expect(isFolded(come)).toBe(true);
    expect(isFolded({ ...come, claimedAtMs: startMs + 300_000 })).toBe(false);
    expect(isFolded({ ...come, arrivedAtMs: startMs + 60_000 })).toBe(false);
    expect(isFolded({ ...come, pace: "early", claimedAtMs: startMs })).toBe(true);
    expect(isFolded({ ...come, pace: undefined })).toBe(false);
  });

  test("stands with the line as it is stored, and lines from before there was slow mode are read as they were", async () => {
    const store = createMemoryStore();
    await takeAll(store, [at(1, 0), at(2, 1), at(3, 2, { slowModeS: 0 })]);
    const lines = await linesOf(store);
    const stored = (line: Line): Uint8Array => encode(storedLineCodec, line);
    expect(lines.map((line) => decode(storedLineCodec, stored(line)).message?.pace)).toEqual(["kept", "early", undefined]);
    const [, , free] = lines;
    if (free?.message === undefined) throw new Error("three lines");
    // Of an optional value a 1 says that it is there: so it was stored before.
    const without = stored({ ...free, message: undefined });
    expect(without.at(-1)).toBe(0);
    expect(stored(free)[without.length - 1]).toBe(1);
  });
});
