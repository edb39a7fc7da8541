import { expect, test } from "vitest";
import { networksOf } from "../addresses.ts";
import { MemoryBudget } from "./memory-budget.ts";
import type { Holder } from "./memory-budget.ts";

class TestHolder implements Holder {
  readonly networks: Holder["networks"];
  readonly #budget: MemoryBudget;
  heldBytes = 0;
  isEvicted = false;

  constructor(budget: MemoryBudget, address: string) {
    this.#budget = budget;
    this.networks = networksOf(address);
  }

  hold(bytes: number): void {
    const by = bytes - this.heldBytes;
    this.heldBytes = bytes;
    this.#budget.change(this, by);
  }

  recount(): void {}

  evict(): void {
    this.isEvicted = true;
    this.hold(0);
  }
}

test("of an address that holds too much the connection that holds most is ended, of others none", () => {
  const budget = new MemoryBudget({ maxBytes: 1000, maxBytesPerAddress: 100 });
  const alice = new TestHolder(budget, "203.0.113.1");
  const mallory = [1, 2, 3, 4].map(() => new TestHolder(budget, "203.0.113.9"));
  alice.hold(90);
  for (const each of mallory) each.hold(20);
  expect(budget.isTight(mallory[0] ?? alice)).toBe(true);
  mallory[2]?.hold(50);
  expect([alice, ...mallory].map((each) => each.isEvicted)).toEqual([false, false, false, true, false]);
  expect(budget.totalBytes).toBe(90 + 60);
});

test("all together above the limit: one of the network that holds most is ended, however many addresses it has", () => {
  const budget = new MemoryBudget({ maxBytes: 1000, maxBytesPerAddress: 200 });
  const alice = new TestHolder(budget, "203.0.113.1");
  alice.hold(190);
  // Sixteen networks of one site: each of them holds less than Alice.
  const mallory = Array.from({ length: 16 }, (_, at) => new TestHolder(budget, `2001:db8:1:${at}00::/64`));
  for (const each of mallory) each.hold(60);
  expect(alice.isEvicted).toBe(false);
  expect(mallory.filter((each) => each.isEvicted).length).toBeGreaterThanOrEqual(3);
  expect(budget.totalBytes).toBeLessThanOrEqual(1000);
});

test("what is given back counts no more", () => {
  const budget = new MemoryBudget({ maxBytes: 1000, maxBytesPerAddress: 100 });
  const one = new TestHolder(budget, "203.0.113.1");
  for (let round = 0; round < 100; round++) {
    one.hold(99);
    one.hold(0);
  }
  expect([budget.totalBytes, one.isEvicted, budget.isTight(one)]).toEqual([0, false, false]);
});
