import fc from "fast-check";
import { expect, test } from "vitest";
import { ClockGuard, clockBoundMs, clockTrialMs, describeDoubt } from "./clock-guard.ts";
import type { ClockDoubt } from "./clock-guard.ts";

const dayMs = 86_400_000;
const start = Date.UTC(2026, 10, 28, 12);

/** A machine whose clock can be set, started when `knownMs` is what is known. */
function machine(knownMs: number | undefined, setMs: number = start) {
  const at = { wallMs: setMs, passedMs: 5_000_000 };
  const told: (ClockDoubt["kind"] | "believed")[] = [];
  const clock = new ClockGuard({
    wallMs: () => at.wallMs,
    passedMs: () => at.passedMs,
    knownMs,
    onChange: (doubt) => told.push(doubt?.kind ?? "believed"),
  });
  /** Time goes by, on both clocks, and the server looks at it now and then. */
  const pass = (ms: number): void => {
    for (let left = ms; left > 0; left -= 3_600_000) {
      at.wallMs += Math.min(left, 3_600_000);
      at.passedMs += Math.min(left, 3_600_000);
      clock.nowMs();
    }
  };
  const set = (ms: number): void => {
    at.wallMs = ms;
  };
  return { at, clock, told, pass, set };
}

test("a clock that goes on from what is known is gone by, over a weekend too", () => {
  const { clock, pass, told } = machine(start - 2.5 * dayMs);
  pass(200 * dayMs);
  expect(clock.nowMs()).toBe(start + 200 * dayMs);
  expect(clock.doubt()).toBeUndefined();
  expect(told).toEqual([]);
});

test("a start 40 days ahead: time goes on from what is known, until the clock is corrected", () => {
  const { clock, pass, set, told } = machine(start - dayMs, start + 40 * dayMs);
  pass(3000);
  expect(clock.nowMs()).toBe(start - dayMs + 3000);
  expect(clock.doubt()).toMatchObject({ kind: "ahead", wallMs: start + 40 * dayMs + 3000 });
  set(start + 3000);
  expect(clock.nowMs()).toBe(start + 3000);
  expect(told).toEqual(["ahead", "believed"]);
});

test("a start with a clock that was never set: nothing is dated 1970", () => {
  const { clock, pass, told } = machine(start, 0);
  pass(dayMs / 2);
  expect(clock.nowMs()).toBe(start + dayMs / 2);
  expect(told).toEqual(["behind"]);
});

test("a jump while it runs is noticed whichever way it goes", () => {
  for (const [jump, kind] of [
    [40 * dayMs, "ahead"],
    [-40 * dayMs, "behind"],
  ] as const) {
    const { at, clock, pass, told } = machine(start);
    pass(10 * dayMs);
    at.wallMs += jump;
    pass(3 * 3_600_000);
    expect(clock.nowMs()).toBe(start + 10 * dayMs + 3 * 3_600_000);
    expect(told).toEqual([kind]);
  }
});

test("a server that really was off for 40 days is believed after a day, or at once when witnesses say so", () => {
  const off = machine(start - 40 * dayMs);
  off.pass(clockTrialMs - 3_600_000);
  expect(off.clock.doubt()?.kind).toBe("ahead");
  off.pass(2 * 3_600_000);
  expect(off.clock.doubt()).toBeUndefined();
  expect(off.clock.nowMs()).toBe(start + clockTrialMs + 3_600_000);

  const heard = machine(start - 40 * dayMs);
  heard.clock.hear([{ timeMs: start - 60_000, isNew: false }]);
  expect(heard.clock.nowMs()).toBe(start);
  expect(heard.told).toEqual(["ahead", "believed"]);
});

test("a clock that witnesses contradict is not believed after a day, and one that jumps within the day begins it again", () => {
  const { at, clock, pass } = machine(start - dayMs, start + 40 * dayMs);
  for (let round = 0; round < 10; round++) {
    pass(6 * 3_600_000);
    clock.hear([{ timeMs: at.wallMs - 40 * dayMs, isNew: false }]);
  }
  expect(clock.doubt()?.kind).toBe("ahead");

  const uneven = machine(start - dayMs, start + 40 * dayMs);
  for (let round = 0; round < 5; round++) {
    uneven.pass(dayMs / 2);
    uneven.at.wallMs += dayMs / 4;
  }
  expect(uneven.clock.doubt()?.kind).toBe("ahead");
});

test("[E-99] most witnesses against a believed clock make it doubtful; fewer than half do not, nor what one of them had said before", () => {
  const { clock, told } = machine(start);
  const right = { timeMs: start, isNew: true };
  const wrong = { timeMs: start - 30 * dayMs, isNew: true };
  clock.hear([right, right, wrong]);
  clock.hear([{ ...wrong, isNew: false }]);
  expect(clock.doubt()).toBeUndefined();
  clock.hear([wrong, right, wrong]);
  expect(clock.doubt()?.kind).toBe("witnesses");
  clock.hear([right, right]);
  expect(told).toEqual(["witnesses", "believed"]);
});

test("the line says both days and what to do", () => {
  const text = describeDoubt({ kind: "ahead", wallMs: start + 40 * dayMs, believedMs: start });
  expect(text).toContain("2027-01-07, 40 days after 2026-11-28");
  expect(text).toContain("--i-know clock");
});

test("whatever the clock does, the time gone by is never further from the truth than the bound, unless it went evenly for a day", () => {
  const step = fc.record({ passMs: fc.integer({ min: 0, max: dayMs / 4 }), jumpMs: fc.integer({ min: -90 * dayMs, max: 90 * dayMs }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const { at, clock } = machine(start);
      let trueMs = start;
      let wrongMs = 0;
      let sinceStepMs = 0;
      for (const { passMs, jumpMs } of steps) {
        // Jumps that are large enough to be one; then the clock is right again.
        const jump = Math.abs(jumpMs) > clockBoundMs ? jumpMs : 0;
        at.wallMs += jump - wrongMs;
        wrongMs = jump;
        sinceStepMs = 0;
        for (let left = passMs; left > 0; left -= 600_000) {
          const ms = Math.min(left, 600_000);
          at.wallMs += ms;
          at.passedMs += ms;
          trueMs += ms;
          sinceStepMs += ms;
          expect(Math.abs(clock.nowMs() - trueMs)).toBeLessThanOrEqual(clockBoundMs);
        }
        expect(sinceStepMs).toBeLessThan(clockTrialMs);
      }
    }),
  );
});
