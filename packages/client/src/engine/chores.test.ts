import { describe, expect, it, vi } from "vitest";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { openableMs } from "../timeline/once.ts";
import { bytes, change, dayMs, said, startMs } from "../timeline/saying.testing.ts";
import { startChores } from "./chores.ts";
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
