import type { BlobReference } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { ClientError } from "../errors.ts";
import { PictureFetches } from "./picture-fetches.ts";
import type { FetchOutcome } from "./picture-fetches.ts";

const reference = (fill: number, key = 1): BlobReference => ({
  blobId: new Uint8Array(32).fill(fill),
  key: new Uint8Array(32).fill(key),
  hash: new Uint8Array(32).fill(fill),
  sizeBytes: 512,
});
const missing = new ClientError("server_refused", "not there");
const offline = new ClientError("offline", "not reached", { canRetry: true });

/** Fetches by a clock of their own; `answer` says what becomes of each. */
function scene(answer: (fill: number) => Promise<FetchOutcome>) {
  let nowMs = 0;
  let timer: { readonly atMs: number; readonly run: () => void } | undefined;
  const asked: number[] = [];
  const platform = {
    nowMs: () => nowMs,
    setTimer(delayMs: number, run: () => void) {
      const mine = { atMs: nowMs + delayMs, run };
      timer = mine;
      return () => {
        if (timer === mine) timer = undefined;
      };
    },
  };
  const fetches = new PictureFetches(platform, async ({ blobId }) => {
    const fill = blobId[0] ?? 0;
    asked.push(fill);
    return await answer(fill);
  });
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  };
  return {
    fetches,
    asked,
    settle,
    /** The clock is set to so much later, or earlier; no timer notices. */
    setClock(byMs: number): void {
      nowMs += byMs;
      if (timer !== undefined) timer = { ...timer, atMs: timer.atMs + byMs };
    },
    /** The next timer goes off; how long that took. */
    async wait(): Promise<number | undefined> {
      const due = timer;
      if (due === undefined) return undefined;
      const tookMs = due.atMs - nowMs;
      nowMs = due.atMs;
      timer = undefined;
      due.run();
      await settle();
      return tookMs;
    },
  };
}

describe("[X-21] [E-106] fetching pictures", () => {
  test("is one at a time, what was asked for last first, each once; of more than 200 the first are let go of", async () => {
    let open = 0;
    let most = 0;
    const { fetches, asked, settle } = scene(async () => {
      open += 1;
      most = Math.max(most, open);
      await Promise.resolve();
      open -= 1;
      return "kept";
    });
    for (const fill of [1, 2, 3, 2]) fetches.ask(reference(fill));
    await settle();
    expect([asked, most]).toEqual([[1, 2, 3], 1]);
    for (let key = 0; key < 250; key++) fetches.ask(reference(9, key));
    for (let turn = 0; turn < 30; turn++) await settle();
    expect(asked.filter((fill) => fill === 9)).toHaveLength(201);
  });

  test("what is not there is asked for later and later, ten times, and then only when it is shown again", async () => {
    const { fetches, asked, settle, wait } = scene(() => Promise.reject(missing));
    fetches.ask(reference(1));
    await settle();
    fetches.ask(reference(1));
    await settle();
    expect(asked).toEqual([1]);
    const waits: number[] = [];
    for (let tookMs = await wait(); tookMs !== undefined; tookMs = await wait()) waits.push(tookMs);
    expect(waits).toEqual([60_000, 240_000, 960_000, 3_840_000, 15_360_000, 21_600_000, 21_600_000, 21_600_000, 21_600_000]);
    expect(asked).toHaveLength(10);
  });

  test("a server that is not reached is asked again within minutes, and what came is not asked for again", async () => {
    let tries = 0;
    const { fetches, asked, settle, wait } = scene(async () => {
      tries += 1;
      if (tries < 7) throw offline;
      return "kept";
    });
    fetches.ask(reference(1));
    await settle();
    const waits: number[] = [];
    for (let tookMs = await wait(); tookMs !== undefined; tookMs = await wait()) waits.push(tookMs);
    expect(waits).toEqual([15_000, 30_000, 60_000, 120_000, 240_000, 300_000]);
    expect(asked).toHaveLength(7);
  });

  test("a clock that is set, ahead or back, by minutes or by years, neither stops that nor makes it many", async () => {
    const years = 10 * 365 * 86_400_000;
    const { fetches, asked, settle, setClock, wait } = scene(() => Promise.reject(missing));
    fetches.ask(reference(1));
    await settle();
    for (const byMs of [-years, years, -30_000, 30_000, -years]) {
      const before = asked.length;
      setClock(byMs);
      for (let at = 0; at < 100; at++) {
        fetches.ask(reference(1));
        await settle();
      }
      // Once at most for the setting; and it is tried on by itself, after no more than twice the longest pause.
      expect(asked.length - before).toBeLessThanOrEqual(1);
      let waitedMs = 0;
      while (asked.length === before) waitedMs += (await wait()) ?? Number.POSITIVE_INFINITY;
      expect(waitedMs).toBeLessThanOrEqual(43_200_000);
    }
  });

  test("bytes that are no picture are fetched once; who names the same blob under another key spoils nobody's, and one that fails holds up no other", async () => {
    const { fetches, asked, settle } = scene(async (fill) => {
      if (fill === 2) throw missing;
      return fill === 1 ? "never" : "kept";
    });
    fetches.ask(reference(1));
    await settle();
    fetches.ask(reference(1));
    await settle();
    expect(asked).toEqual([1]);
    fetches.ask(reference(1, 2));
    fetches.ask(reference(2));
    fetches.ask(reference(3));
    await settle();
    expect(asked).toEqual([1, 1, 3, 2]);
    fetches.close();
    fetches.ask(reference(4));
    await settle();
    expect(asked).toHaveLength(4);
  });
});
