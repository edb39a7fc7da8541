import { expect, test } from "vitest";
import { createRateLimit } from "../admission/rates.ts";
import { MessageOrder } from "./message-order.ts";

const message = (at: number, epochId: number = 0): { epochId: number; blob: Uint8Array } => ({ epochId, blob: Uint8Array.of(at) });

/** Messages over a limit of two at once and one a second: how long each waits. */
function setUp(): (at: number, nowMs: number, epochId?: number) => number {
  const [order, limit] = [new MessageOrder(), createRateLimit({ burst: 2, perSecond: 1 })];
  return (at, nowMs, epochId) => order.take(message(at, epochId), nowMs, () => limit.take(nowMs));
}

test("[L-13] a message that waits for a limit is not overtaken by those behind it, though there is room for them by then", () => {
  const take = setUp();
  expect([take(0, 0), take(1, 0), take(2, 0)]).toEqual([0, 0, 1000]);
  for (const at of [3, 4, 5]) expect(take(at, 1500)).toBe(1000);
  expect([take(2, 2000), take(3, 2000), take(4, 2000), take(5, 3500)]).toEqual([0, 0, 1000, 1000]);
  expect([take(4, 4000), take(5, 4000)]).toEqual([0, 0]);
});

test("[L-13] what never comes again holds up nothing for more than ten seconds, and nothing in another epoch", () => {
  const take = setUp();
  for (const at of [0, 1, 2]) take(at, 0);
  expect([take(3, 9999), take(3, 10_000)]).toEqual([1000, 0]);
  const other = setUp();
  for (const at of [0, 1, 2]) other(at, 0);
  expect([other(3, 5000), other(3, 5000, 1)]).toEqual([1000, 0]);
});

test("[L-13] what waits longer than that for its limit, as a large file may, is overtaken: nobody waits for it", () => {
  const order = new MessageOrder();
  expect(order.take(message(0), 0, () => 10_001)).toBe(10_001);
  expect(order.take(message(1), 0, () => 0)).toBe(0);
  expect(order.take(message(2), 0, () => 10_000)).toBe(10_000);
  expect(order.take(message(3), 0, () => 0)).toBe(10_000);
});
