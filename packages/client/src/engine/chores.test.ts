import { describe, expect, it, vi } from "vitest";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import { orderSegment } from "../store/store.ts";
import { reportableMs } from "../timeline/erasure.ts";
import { openableMs } from "../timeline/once.ts";
import { bytes, change, conversationId, dayMs, said, startMs } from "../timeline/saying.testing.ts";
import { startChores } from "./chores.ts";
import { putEvidence } from "./evidence.ts";
import { SureClock } from "./sure-clock.ts";

const hourMs = 3_600_000;
const file = { blobId: bytes(7), key: bytes(8), prefix: new Uint8Array(7), hash: bytes(9), sizeBytes: 10, name: "a.webp" };
const once = { ...file, kind: "picture", host: "chat.example", mediaType: "image/webp", description: "" } as const;

/** A device to which something came that is to be seen once, by a clock that can be set. */
async function device(): Promise<{ readonly gone: () => Promise<number>; readonly clock: SureClock; at(nowMs: number): Promise<void> }> {
  const store = createMemoryStore();
  const clock = new SureClock();
  const found = vi.fn();
  let nowMs = startMs;
  let next: (() => void) | undefined;
  await change(store, (timeline) => timeline.take(said(1, bytes(1002), { kind: "text", text: "", files: [once], isOnce: true })), {
    nowMs,
  });
  const platform = {
    nowMs: () => nowMs,
    setTimer(_: number, run: () => void) {
      next = run;
      return () => undefined;
    },
  };
  const files = { gone: found };
  startChores({ store, clock, platform, files } as unknown as Parameters<typeof startChores>[0], () => Promise.resolve());
  const settled = async (): Promise<void> => await store.transact("read", async () => undefined);
  return {
    clock,
    async gone() {
      await settled();
      return found.mock.calls.length;
    },
    async at(time) {
      nowMs = time;
      next?.();
      await settled();
    },
  };
}

describe("[E-142] what is erased for good when its time is over", () => {
  it("is erased by no clock that is ahead, before the server said what time it is and after", async () => {
    const { at, gone, clock } = await device();
    await at(startMs + 40 * dayMs);
    clock.heard({ hello: { timeMs: startMs }, helloAtMs: startMs + 40 * dayMs });
    await at(startMs + 40 * dayMs + hourMs);
    expect(await gone()).toBe(0);
  });

  it("is erased two weeks after it was known what time it is, at the next time at which that is known", async () => {
    const { at, gone, clock } = await device();
    const hello = async (atMs: number): Promise<void> => {
      await at(atMs);
      clock.heard({ hello: { timeMs: atMs + hourMs }, helloAtMs: atMs });
    };
    await hello(startMs + hourMs);
    // It jumps ahead in the middle of a connection, or the device slept: nobody has said what time it is.
    await at(startMs + openableMs + dayMs);
    expect(await gone()).toBe(0);
    await hello(startMs + openableMs + hourMs - 1);
    expect(await gone()).toBe(0);
    await at(startMs + openableMs + hourMs + 1);
    expect(await gone()).toBe(1);
  });
});

describe("[E-142] a clock", () => {
  it("is sure from a hello on, hour by hour, not where it jumps either way or the server says another time", () => {
    const clock = new SureClock();
    const sure = vi.fn();
    clock.onHeard(sure);
    const hear = (aheadMs: number): void => clock.heard({ hello: { timeMs: startMs - aheadMs }, helloAtMs: startMs });
    expect(clock.isSure(startMs)).toBe(false);
    hear(hourMs);
    expect([0, 1, 2, 3, 5].map((hours) => clock.isSure(startMs + hours * hourMs))).toEqual([true, true, true, true, true]);
    expect([8, 8].map((hours) => clock.isSure(startMs + hours * hourMs))).toEqual([false, false]);
    hear(0);
    expect([clock.isSure(startMs), clock.isSure(startMs - 60_001), clock.isSure(startMs)]).toEqual([true, false, false]);
    hear(-13 * hourMs);
    expect([clock.isSure(startMs), sure.mock.calls.length]).toEqual([false, 3]);
  });
});

/** A store that tells of each transaction that writes how often it read and scanned. */
function counted(store: Store): { readonly store: Store; readonly work: { reads: number; scans: number }[] } {
  const work: { reads: number; scans: number }[] = [];
  const transact: Store["transact"] = (mode, run) =>
    store.transact(mode, (tx) => {
      const done = { reads: 0, scans: 0 };
      if (mode === "write") work.push(done);
      const get: typeof tx.get = (key) => {
        done.reads += 1;
        return tx.get(key);
      };
      const scan: typeof tx.scan = (range) => {
        done.scans += 1;
        return tx.scan(range);
      };
      return run({ ...tx, get, scan });
    });
  return { store: { ...store, transact }, work };
}

/** Has everything erased that is due then; what each transaction did for it. */
async function eraseAll(store: Store, nowMs: number): Promise<readonly { reads: number; scans: number }[]> {
  const { store: watched, work } = counted(store);
  const clock = new SureClock();
  clock.heard({ hello: { timeMs: nowMs }, helloAtMs: nowMs });
  let next: (() => void) | undefined;
  const platform = {
    nowMs: () => nowMs,
    setTimer(delayMs: number, run: () => void) {
      if (delayMs < hourMs) next = run;
      return () => undefined;
    },
  };
  const world = { store: watched, clock, platform, files: { gone: () => undefined } } as unknown as Parameters<typeof startChores>[0];
  const stop = startChores(world, undefined);
  do {
    next?.();
    next = undefined;
    // Twice: the timer is set once the transaction is over.
    for (let turn = 0; turn < 2; turn++) await watched.transact("read", async () => undefined);
  } while (next !== undefined);
  stop();
  return work;
}

describe("[E-314] what a member said by the thousand, and is erased the day after", () => {
  const many = 1000;
  const evidence = { content: bytes(1), context: bytes(2), signature: bytes(3), signaturePublicKey: bytes(4) };
  const left = (store: Store): Promise<number> =>
    store.transact("read", async (tx) => {
      const all = ["erase/", "once/", `evidence/${conversationId}/`, `evidence-context/${conversationId}/`];
      return (await Promise.all(all.map((prefix) => tx.scan({ prefix })))).flat().length;
    });

  it("goes in parts, each of which does little: neither is the device held up, nor does one that is turned off begin anew", async () => {
    const store = createMemoryStore();
    await store.transact("write", async (tx) => {
      for (let order = 1; order <= many; order++) {
        await putEvidence(tx, conversationId, { order, epoch: Math.ceil(order / 400), evidence });
        // As the versions before wrote it: each by itself.
        tx.put(`erase/${orderSegment(startMs + reportableMs)}/${conversationId}/${orderSegment(order)}`, new Uint8Array(0));
      }
    });
    const work = await eraseAll(store, startMs + reportableMs);
    expect(await left(store)).toBe(0);
    expect(work.length).toBeGreaterThanOrEqual(5);
    expect(Math.max(...work.map(({ reads }) => reads))).toBeLessThanOrEqual(300);
    expect(Math.max(...work.map(({ scans }) => scans))).toBeLessThanOrEqual(10);
  });

  it("and what is to be seen once, when its two weeks are over", async () => {
    const store = createMemoryStore();
    for (let order = 1; order <= many / 4; order++) {
      await change(store, async (timeline, tx) => {
        await timeline.take(said(order, bytes(1002), { kind: "text", text: "", files: [once], isOnce: true }));
        await putEvidence(tx, conversationId, { order, epoch: 1, evidence });
      });
    }
    await eraseAll(store, startMs + dayMs);
    const work = await eraseAll(store, startMs + dayMs + openableMs);
    expect(await left(store)).toBe(0);
    expect(work.length).toBeGreaterThanOrEqual(3);
    expect(Math.max(...work.map(({ scans }) => scans))).toBeLessThanOrEqual(10);
  });
});

it("[A-15] the device is said to be in use where somebody is there, each hour, and erasing needs nobody", () => {
  const platform = { nowMs: () => startMs, setTimer: () => () => undefined };
  const clock = new SureClock();
  clock.heard({ hello: { timeMs: startMs }, helloAtMs: startMs });
  const writes = vi.fn(async () => undefined);
  const world = { store: { transact: writes }, clock, platform } as unknown as Parameters<typeof startChores>[0];
  const sayUse = vi.fn(async () => undefined);
  startChores(world, sayUse);
  startChores(world, undefined);
  expect([sayUse.mock.calls.length, writes.mock.calls.length]).toEqual([1, 2]);
});
