import { describe, expect, test } from "vitest";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import { ada, change, conversationId, linesOf, said, takeAll } from "../timeline/saying.testing.ts";
import { IndexBuilding } from "./building.ts";
import { indexVersion } from "./index-version.ts";
import { segmentsBefore } from "./search-index.ts";

const count = 450;

/** A profile of a version that had no index. */
async function olderProfile(): Promise<{ store: Store; records: Map<string, Uint8Array>; index: string }> {
  const records = new Map<string, Uint8Array>();
  const store = createMemoryStore(records);
  await takeAll(
    store,
    Array.from({ length: count }, (_, at) => said(16 * (at + 1), ada, { kind: "text", text: `message number ${String(at)}` })),
  );
  const index = await indexOf(store);
  for (const key of records.keys()) if (key.startsWith("search/")) records.delete(key);
  return { store, records, index };
}

async function indexOf(store: Store): Promise<string> {
  const segments = await store.transact("read", (tx) => segmentsBefore(tx, conversationId, { limit: 1000 }));
  return segments
    .toReversed()
    .map(({ text }) => text)
    .join("");
}

/** Timers that go when they are told. */
function timers(): { platform: { setTimer(delayMs: number, run: () => void): () => void }; next(): void; readonly waiting: number } {
  const waiting = new Set<() => void>();
  return {
    platform: {
      setTimer(_, run) {
        waiting.add(run);
        return () => void waiting.delete(run);
      },
    },
    next() {
      const [run] = waiting;
      if (run === undefined) throw new Error("nothing waits");
      waiting.delete(run);
      run();
    },
    get waiting() {
      return waiting.size;
    },
  };
}

function building(store: Store, clock = timers()): { index: IndexBuilding; step(): Promise<void>; readonly isWaiting: boolean } {
  const index = new IndexBuilding({ store, platform: clock.platform, onSegment: () => undefined });
  return {
    index,
    async step() {
      clock.next();
      await index.settled();
    },
    get isWaiting() {
      return clock.waiting > 0;
    },
  };
}

async function finish(one: ReturnType<typeof building>): Promise<void> {
  await one.index.settled();
  while (one.isWaiting) await one.step();
}

describe("a profile that has messages from before there was an index", () => {
  test("takes them in slice by slice, and tells how far it is", async () => {
    const { store, index } = await olderProfile();
    const one = building(store);
    await one.index.start();
    expect(one.index.progress).toEqual({ done: 0, of: count });
    await one.index.settled();
    await one.step();
    expect(one.index.progress).toEqual({ done: 200, of: count });
    await finish(one);
    expect(one.index.progress).toBeUndefined();
    expect(await indexOf(store)).toBe(index);
  });

  test("goes on after a crash where it was, with what came and went meanwhile", async () => {
    const { store } = await olderProfile();
    const one = building(store);
    await one.index.start();
    await one.index.settled();
    await one.step();
    // The process is gone; its timer never comes.
    await takeAll(store, [said(16 * (count + 1), ada, { kind: "text", text: "came between" })]);
    await change(store, async (timeline) => {
      for (const order of [16, 16 * 300]) timeline.erase(order);
    });
    const other = building(store);
    await other.index.start();
    expect(other.index.progress?.done).toBe(200);
    await finish(other);
    const index = await indexOf(store);
    expect(index.split("\n")).toHaveLength(count);
    expect(index).toContain("came between");
    expect(index).not.toMatch(/message number (?:0|299)\n/);
    expect(index.match(/message number 10\n/g)).toHaveLength(1);
  });

  test("a profile without messages is done at once, and one that is done does nothing", async () => {
    const store = createMemoryStore();
    const one = building(store);
    await one.index.start();
    expect(one.index.progress).toBeUndefined();
    expect(one.isWaiting).toBe(false);
    await takeAll(store, [said(16, ada, { kind: "text", text: "later" })]);
    const other = building(store);
    await other.index.start();
    expect(other.index.progress).toBeUndefined();
    expect(await linesOf(store)).toHaveLength(1);
    expect(await indexOf(store)).toContain("later");
  });

  test("an index of another version is made again, and nothing of it stays", async () => {
    const { store, records, index } = await olderProfile();
    const one = building(store);
    await one.index.start();
    await finish(one);
    expect(records.get("search-done")).toEqual(new Uint8Array([indexVersion]));
    records.set("search-done", new Uint8Array([indexVersion - 1]));
    records.set(`search/elsewhere/#00000000000010`, new TextEncoder().encode("B\tB\tB\tA\tgone long ago\n"));
    const other = building(store);
    await other.index.start();
    expect(other.index.progress).toEqual({ done: 0, of: count });
    await finish(other);
    expect(await indexOf(store)).toBe(index);
    expect([...records.keys()].filter((key) => key.startsWith("search/elsewhere"))).toEqual([]);
  });

  test("a store that cannot be written is tried again", async () => {
    const { store, index } = await olderProfile();
    let isFull = true;
    const failing: Store = {
      ...store,
      transact: async (mode, run) => {
        if (mode === "write" && isFull) throw new Error("full");
        return await store.transact(mode, run);
      },
    };
    const one = building(failing);
    await one.index.start();
    await one.index.settled();
    await one.step();
    expect(one.index.progress).toEqual({ done: 0, of: count });
    isFull = false;
    await finish(one);
    expect(await indexOf(store)).toBe(index);
  });

  test("closing ends it", async () => {
    const { store } = await olderProfile();
    const one = building(store);
    await one.index.start();
    await one.index.close();
    expect(one.isWaiting).toBe(false);
  });
});
