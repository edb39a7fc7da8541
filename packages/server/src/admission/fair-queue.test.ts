import { expect, test } from "vitest";
import { Asking } from "./asking.ts";
import { FairQueue, costOf } from "./fair-queue.ts";
import type { Lane } from "./fair-queue.ts";

/** A store that ends operations when the test says so. */
class TestStore {
  readonly queue: FairQueue;
  readonly started: string[] = [];
  readonly asking = new Asking(() => 0);
  #under: { lane: Lane; cost: number }[] = [];

  constructor(limits: { total?: number; perAddress?: number; ofMuch?: number; alone?: number } = {}) {
    this.queue = new FairQueue({ total: 8, perAddress: 4, ofMuch: 2, alone: 100, ...limits }, this.asking);
  }

  run(lane: Lane, name: string, cost = 1): void {
    this.queue.run(lane, cost, () => {
      this.started.push(name);
      this.#under.push({ lane, cost });
    });
  }

  /** Everything with the store ends, as one transaction does. */
  commit(): string[] {
    const ended = this.#under;
    const names = this.started.splice(0);
    this.#under = [];
    for (const { lane, cost } of ended) this.queue.done(lane, cost);
    return names;
  }
}

test("whoever is alone has all the room, in order", () => {
  const store = new TestStore();
  const lane = store.queue.join("a");
  const names = Array.from({ length: 150 }, (_, at) => String(at));
  for (const name of names) store.run(lane, name);
  expect(store.started).toEqual(names.slice(0, 100));
  store.commit();
  expect(store.started).toEqual(names.slice(100));
});

test("300 connections of one address with 1,000 operations each: another address is started at once, another connection within one round", () => {
  const store = new TestStore({ total: 64, perAddress: 16, alone: 1000 });
  const honest = store.queue.join("honest");
  const flood = Array.from({ length: 300 }, () => store.queue.join("flood"));
  store.run(honest, "before");
  for (const lane of flood) for (let at = 0; at < 1000; at++) store.run(lane, "flood");
  const neighbour = store.queue.join("flood");
  // Whoever was alone for long has one large portion with the store, which is waited for once.
  store.run(honest, "first");
  store.commit();
  expect(store.started).toContain("first");
  store.commit();
  store.run(honest, "honest");
  expect(store.started.at(-1)).toBe("honest");
  store.run(neighbour, "neighbour");
  let others = 0;
  while (!store.started.includes("neighbour")) others += store.commit().length;
  // One operation of each other connection, and what was with the store.
  expect(others).toBeLessThanOrEqual(300 + 2 * 16);
  let between = 0;
  for (let round = 0; round < 50; round++) {
    store.commit();
    store.run(honest, `honest ${round}`);
    between += store.started.findIndex((name) => name === `honest ${round}`);
  }
  // In each round it waits for what was with the store already, at most.
  expect(between).toBeLessThanOrEqual(50 * 16);
});

test("large operations count for more", () => {
  expect([costOf(0), costOf(4095), costOf(4096), costOf(65_536)]).toEqual([1, 1, 2, 17]);
  const store = new TestStore({ alone: 40 });
  const lane = store.queue.join("a");
  for (let at = 0; at < 4; at++) store.run(lane, String(at), costOf(65_536));
  expect(store.started).toEqual(["0", "1", "2"]);
});

test("many addresses: each has its turn before any has a second one", () => {
  const store = new TestStore({ total: 10, perAddress: 4 });
  const lanes = Array.from({ length: 50 }, (_, at) => store.queue.join(`address ${at}`));
  for (let at = 0; at < 5; at++) for (const [index, lane] of lanes.entries()) store.run(lane, String(index));
  const order: string[] = [];
  for (let round = 0; round < 200; round++) order.push(...store.commit());
  expect(order).toHaveLength(250);
  // The first to come has all the room while it is alone; of the rest each round has everybody once.
  const last = order.slice(-50);
  expect(new Set(last).size).toBeGreaterThan(45);
});

test("all networks of one IPv6 line take one turn together", () => {
  const { queue } = new TestStore();
  const [one, two, other] = ["2001:db8:0:100::/64", "2001:db8:0:1ff::/64", "2001:db8:0:200::/64"].map((address) => queue.join(address));
  expect(one?.address).toBe(two?.address);
  expect(one?.address).not.toBe(other?.address);
});

test("what ended gives back all that it took, connections that left included; a failure is the caller's", async () => {
  const { queue } = new TestStore();
  const lane = queue.join("a");
  await Promise.all(Array.from({ length: 500 }, () => queue.turn(lane, 3, () => Promise.resolve())));
  await expect(queue.turn(lane, 3, () => Promise.reject(new Error("no disk")))).rejects.toThrow("no disk");
  queue.leave(lane);
  expect(queue.units).toBe(0);
  expect(queue.join("a").address).not.toBe(lane.address);
});

test("small operations do not wait for large ones, of however many addresses, and the large ones go on beside them", () => {
  const store = new TestStore({ total: 64, perAddress: 16, alone: 1000 });
  const honest = store.queue.join("honest");
  store.run(honest, "before");
  for (let at = 0; at < 40; at++) {
    const reader = store.queue.join(`reader ${at}`);
    for (let page = 0; page < 3; page++) store.run(reader, `page ${at}`, 32);
    store.run(reader, `behind ${at}`);
  }
  store.run(honest, "small");
  expect(store.started.at(-1)).toBe("small");
  expect(store.queue.units).toBeLessThanOrEqual(2 + 2 * 32);
  let rounds = 0;
  while (store.commit().length > 0) {
    rounds += 1;
    store.run(honest, "small");
    expect(store.started).toContain("small");
    if (rounds > 200) break;
    if (store.started.length === 1) break;
  }
  // Three pages of forty, one at a time.
  expect(rounds).toBeLessThan(130);
  expect(store.queue.units).toBe(1);
});

test("of those who ask for much few operations are with the store while somebody asks for little, who is next", () => {
  const store = new TestStore({ total: 8, ofMuch: 2 });
  const [flood, more, honest] = [store.queue.join("flood"), store.queue.join("more"), store.queue.join("honest")];
  for (const key of ["flood", "more"]) store.asking.note(key, 1000);
  store.asking.note("honest", 1);
  store.run(honest, "before");
  store.run(flood, "before");
  store.commit();
  for (let at = 0; at < 10; at++) for (const lane of [flood, more]) store.run(lane, "flood");
  for (const name of ["first", "second"]) store.run(honest, name);
  expect(store.commit()).toEqual(["flood", "flood", "first", "second"]);
  expect(store.commit()).toEqual(["flood", "flood"]);
});

test("however many ask for little: who asks for much is never kept out", () => {
  const store = new TestStore({ total: 8, ofMuch: 2 });
  const flood = store.queue.join("flood");
  store.asking.note("flood", 1000);
  const crowd = Array.from({ length: 100 }, (_, at) => store.queue.join(`person ${at}`));
  for (const [at] of crowd.entries()) store.asking.note(`person ${at}`, 1);
  for (const lane of crowd) for (let at = 0; at < 4; at++) store.run(lane, "little");
  for (let at = 0; at < 10; at++) store.run(flood, "flood");
  store.commit();
  // Each time as much as the store takes of both.
  for (let round = 0; round < 4; round++) {
    const names = store.commit();
    expect([names.filter((name) => name === "flood").length, names.length]).toEqual([2, 10]);
  }
});
