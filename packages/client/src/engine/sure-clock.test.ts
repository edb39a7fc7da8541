import { expect, test } from "vitest";
import { SureClock } from "./sure-clock.ts";

const hour = 3_600_000;
const day = 24 * hour;

test("[X-7] what is over by the server's clock is over; a clock that is set right meanwhile is not taken for two days ahead", () => {
  const clock = new SureClock();
  const nowMs = 20_000 * day;
  expect(clock.latest(nowMs)).toBe(nowMs);
  clock.heard({ hello: { timeMs: nowMs + 2 * day }, helloAtMs: nowMs });
  expect(clock.latest(nowMs + hour)).toBe(nowMs + 2 * day + hour);
  expect(clock.isSure(nowMs + hour)).toBe(false);
  // Somebody looked at the clock a moment before; and again later.
  expect(clock.latest(nowMs + hour - 5)).toBe(nowMs + 2 * day + hour - 5);
  expect(clock.latest(nowMs + hour)).toBe(nowMs + 2 * day + hour);
  // The person sets it right.
  expect(clock.latest(nowMs + 2 * day + hour)).toBe(nowMs + 2 * day + hour);
  expect(clock.latest(nowMs + 2 * day + 2 * hour)).toBe(nowMs + 2 * day + 2 * hour);
});

test("[E-142] who looked at the clock a moment ago, and a clock that is set a little, leave it sure; one that is set back is not", () => {
  const clock = new SureClock();
  const nowMs = 20_000 * day;
  clock.heard({ hello: { timeMs: nowMs }, helloAtMs: nowMs });
  expect([clock.isSure(nowMs + 1000), clock.isSure(nowMs + 990), clock.isSure(nowMs + hour)]).toEqual([true, true, true]);
  expect(clock.isSure(nowMs + hour - 30_000)).toBe(true);
  // A little and a little more is no little.
  expect(clock.isSure(nowMs + hour - 61_000)).toBe(false);
  expect(clock.isSure(nowMs + hour)).toBe(false);
});
