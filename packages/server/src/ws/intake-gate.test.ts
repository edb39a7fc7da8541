import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Asking } from "../admission/asking.ts";
import { IntakeGate } from "./intake-gate.ts";
import type { IntakeLimits, Waiting } from "./intake-gate.ts";

const wide: IntakeLimits = {
  maxRequests: 1_000_000,
  maxRequestsPerAddress: 1_000_000,
  maxBytes: 1_000_000_000,
  maxBytesPerAddress: 1_000_000_000,
  maxRequestsPerSecond: 1_000_000,
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setImmediate", "clearImmediate", "setTimeout", "clearTimeout", "performance"] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** Connections that take what they are given, one frame of so many bytes each time; `order` has who went on. */
class Peers {
  readonly gate: IntakeGate;
  readonly order: string[] = [];
  /** How busy the thread is. */
  busy = 0;

  constructor(limits: Partial<IntakeLimits> = {}) {
    this.gate = new IntakeGate({ ...wide, ...limits }, new Asking(), () => () => this.busy);
  }

  connect(address: string, name = address): Waiting {
    return { neighbours: this.gate.join(address), proceed: () => this.order.push(name) };
  }

  /** Everything that waits for a turn of the event loop, or for less than `ms`, has had its chance. */
  async pass(ms = 0): Promise<string[]> {
    await vi.advanceTimersByTimeAsync(ms);
    return this.order.splice(0);
  }
}

test("what is under way bounds what is looked at: of one address, then of all, by number and by bytes", async () => {
  for (const limits of [
    { maxRequestsPerAddress: 2, maxRequests: 3 },
    { maxBytesPerAddress: 200, maxBytes: 300 },
  ]) {
    const peers = new Peers(limits);
    const { gate } = peers;
    const [flood, honest, late] = ["a", "b", "c"].map((address) => peers.connect(address));
    if (flood === undefined || honest === undefined || late === undefined) throw new Error("no peers");
    for (let at = 0; at < 2; at++) gate.begin(flood.neighbours, 100);
    expect([gate.portion(flood.neighbours), gate.portion(honest.neighbours) > 0]).toEqual([0, true]);
    gate.begin(honest.neighbours, 100);
    expect([gate.portion(honest.neighbours), gate.portion(late.neighbours)]).toEqual([0, 0]);
    gate.wait(late);
    expect(await peers.pass(1000)).toEqual([]);
    // One that is answered makes room, for the address that has none under way.
    gate.end(flood.neighbours, 100);
    expect(await peers.pass()).toEqual(["c"]);
  }
});

test("so many requests a second of one address: the rest waits for the next second, and another address for nothing", async () => {
  const peers = new Peers({ maxRequestsPerSecond: 10 });
  const { gate } = peers;
  const [flood, honest] = [peers.connect("a"), peers.connect("b")];
  gate.pass(flood.neighbours, 10);
  await peers.pass();
  expect(gate.portion(flood.neighbours)).toBe(0);
  expect(gate.portion(honest.neighbours)).toBeGreaterThan(0);
  gate.wait(flood);
  gate.wait(honest);
  expect(await peers.pass(900)).toEqual(["b"]);
  expect(await peers.pass(200)).toEqual(["a"]);
});

test("who is alone gets large portions, in company small ones, and of everybody together only so many in one turn of the event loop", async () => {
  const peers = new Peers();
  const { gate } = peers;
  const first = peers.connect("a");
  gate.pass(first.neighbours, 8);
  expect(gate.portion(first.neighbours)).toBe(4096 - 8);
  const others = Array.from({ length: 5 }, (_, at) => peers.connect(`10.0.0.${String(at)}`));
  for (const { neighbours } of others) gate.pass(neighbours, 1);
  expect([gate.portion(first.neighbours), gate.portion(peers.connect("d").neighbours)]).toEqual([0, 8]);
  for (const { neighbours } of others) gate.pass(neighbours, 7);
  expect(gate.portion(peers.connect("e").neighbours)).toBe(0);
  await peers.pass();
  expect([gate.portion(first.neighbours), gate.portion(peers.connect("f").neighbours)]).toEqual([8, 8]);
});

test("who loses every connection and comes back is alone as before", () => {
  const { gate } = new Peers();
  const before = gate.join("a");
  gate.pass(before, 1);
  gate.leave({ neighbours: before, proceed: () => undefined });
  const again = gate.join("a");
  expect(again).not.toBe(before);
  gate.pass(again, 1);
  expect(gate.isShared).toBe(false);
});

test("addresses take turns, then the connections of an address; who leaves is not called", async () => {
  const peers = new Peers();
  const flood = ["a1", "a2", "a3"].map((name) => peers.connect("a", name));
  for (const each of flood) peers.gate.wait(each);
  const gone = peers.connect("b", "gone");
  peers.gate.wait(gone);
  peers.gate.leave(gone);
  peers.gate.wait(peers.connect("c"));
  expect(await peers.pass()).toEqual(["a1", "c", "a2", "a3"]);
});

test("who opens again has what is still under way of before, and is forgotten once that is answered", () => {
  const peers = new Peers({ maxRequestsPerAddress: 1 });
  const { gate } = peers;
  const before = peers.connect("a");
  gate.begin(before.neighbours, 100);
  gate.leave(before);
  const again = peers.connect("a");
  expect([again.neighbours === before.neighbours, gate.portion(again.neighbours)]).toEqual([true, 0]);
  gate.leave(again);
  gate.end(again.neighbours, 100);
  expect(gate.requests).toBe(0);
  expect(peers.connect("a").neighbours).not.toBe(before.neighbours);
});

test("all networks of one IPv6 line are one address", () => {
  const { gate } = new Peers();
  expect(gate.join("2001:db8:0:100::/64")).toBe(gate.join("2001:db8:0:1ff::/64"));
});

test("who asks for much leaves the thread mostly free while somebody asks for little, who never waits for them", async () => {
  const peers = new Peers();
  const { gate } = peers;
  const [flood, more, honest] = [peers.connect("a"), peers.connect("b"), peers.connect("c")];
  for (const { neighbours } of [flood, more]) gate.pass(neighbours, 1000);
  gate.pass(honest.neighbours, 1);
  // What was passed is more than a turn of theirs.
  await peers.pass();
  expect([gate.portion(flood.neighbours), gate.portion(more.neighbours), gate.portion(honest.neighbours)]).toEqual([0, 0, 8]);
  for (const peer of [flood, more, honest]) gate.wait(peer);
  expect(await peers.pass()).toEqual(["c"]);
  peers.busy = 1;
  expect(await peers.pass(5)).toEqual([]);
  peers.busy = 0.2;
  expect(await peers.pass(2)).toEqual(["a", "b"]);
  // However busy it is: not without end.
  gate.pass(flood.neighbours, 20);
  peers.busy = 1;
  await peers.pass();
  gate.wait(flood);
  expect(await peers.pass(8)).toEqual([]);
  expect(await peers.pass(5)).toEqual(["a"]);
  // Nobody about who asks for little: nobody to make room for.
  await peers.pass(5000);
  for (let at = 0; at < 3; at++) gate.pass(flood.neighbours, 20);
  expect(gate.isLittleAbout).toBe(false);
  await peers.pass(0);
  expect(gate.portion(flood.neighbours)).toBe(8);
});

test("however many ask for little: who asks for much has their turn in the same one", async () => {
  const { gate } = new Peers();
  const flood = gate.join("flood");
  gate.pass(flood, 1000);
  gate.pass(gate.join("person"), 1);
  // The pause after what was passed is over.
  await vi.advanceTimersByTimeAsync(3);
  const crowd = Array.from({ length: 7 }, (_, at) => gate.join(`person ${at}`));
  for (const neighbours of crowd) gate.pass(neighbours, 8);
  expect(crowd.map((neighbours) => gate.portion(neighbours))).toEqual(crowd.map(() => 0));
  expect(gate.portion(flood)).toBe(8);
});
