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
  // The person sets it right.
  expect(clock.latest(nowMs + 2 * day + hour)).toBe(nowMs + 2 * day + hour);
  expect(clock.latest(nowMs + 2 * day + 2 * hour)).toBe(nowMs + 2 * day + 2 * hour);
});
