import fc from "fast-check";
import { expect, test } from "vitest";
import { RecordClock } from "./record-clock.ts";
import type { RecordedTime } from "./record-clock.ts";

const hourMs = 3_600_000;
const minuteMs = 60_000;
const start = Date.UTC(2026, 10, 28, 12);

/** A machine whose clock can be set; `knownMs` is the date of the newest entry. */
function machine(params: { knownMs?: number | undefined; wallMs?: number; passedMs?: number; before?: RecordedTime } = {}) {
  const at = { wallMs: params.wallMs ?? start, passedMs: params.passedMs ?? 500 * hourMs };
  const told: boolean[] = [];
  const clock = new RecordClock({
    wallMs: () => at.wallMs,
    passedMs: () => at.passedMs,
    knownMs: params.knownMs,
    before: params.before,
    onChange: (ahead) => told.push(ahead !== undefined),
  });
  const pass = (ms: number): void => {
    for (let left = ms; left > 0; left -= hourMs) {
      at.wallMs += Math.min(left, hourMs);
      at.passedMs += Math.min(left, hourMs);
      clock.nowMs();
    }
  };
  return { at, clock, told, pass };
}

test("a record that begins, and one that goes on from a moment ago, are dated by the machine's clock", () => {
  const first = machine();
  first.pass(100 * hourMs);
  expect(first.clock.nowMs()).toBe(start + 100 * hourMs);
  const next = machine({ knownMs: start - 4 * minuteMs });
  expect(next.clock.nowMs()).toBe(start);
  expect([...first.told, ...next.told]).toEqual([]);
});

test("[E-97] a clock that is 10 hours ahead at a start dates nothing ahead, and is followed at once when it is set back", () => {
  const { at, clock, told, pass } = machine({ knownMs: start - 9 * hourMs, wallMs: start + 10 * hourMs });
  pass(70 * minuteMs);
  expect(clock.nowMs()).toBe(start - 9 * hourMs + 70 * minuteMs);
  at.wallMs -= 10 * hourMs;
  // Nine hours off and the rest by the clock: that is a step too.
  expect(clock.nowMs()).toBeLessThanOrEqual(at.wallMs);
  pass(25 * hourMs);
  expect(clock.nowMs()).toBe(at.wallMs);
  expect(told).toEqual([true, false]);
});

test("a start of the program on a machine that stayed on is no step, however long the program was off", () => {
  const first = machine();
  first.pass(hourMs);
  const before = first.clock.recorded();
  const again = machine({ before, wallMs: first.at.wallMs + 8 * hourMs, passedMs: first.at.passedMs + 8 * hourMs });
  expect(again.clock.nowMs()).toBe(again.at.wallMs);
});

test("a machine that is off every night is followed after a day of running, over its starts", () => {
  const first = machine();
  first.pass(hourMs);
  let { at, clock } = first;
  const isFollowed: boolean[] = [];
  for (let day = 0; day < 3; day++) {
    const next = machine({ before: clock.recorded(), wallMs: at.wallMs + 10 * hourMs, passedMs: 0 });
    next.pass(14 * hourMs);
    ({ at, clock } = next);
    isFollowed.push(clock.nowMs() === at.wallMs);
  }
  expect(isFollowed).toEqual([false, true, false]);
  // Each night is a step of its own: the date stays behind by a night or two.
  expect(at.wallMs - clock.nowMs()).toBeLessThanOrEqual(30 * hourMs);
});

test("[E-99] witnesses bear a step out at once; of a clock that is ahead of them the record is dated by what they say", () => {
  const right = machine({ knownMs: start - 9 * hourMs });
  right.clock.hear([{ timeMs: start - 1000, isNew: false }]);
  expect(right.clock.nowMs()).toBe(start);

  const wrong = machine({ knownMs: start - 9 * hourMs, wallMs: start + 10 * hourMs });
  wrong.clock.hear([{ timeMs: start, isNew: false }]);
  expect(wrong.clock.nowMs()).toBe(start);
  wrong.pass(hourMs);
  expect(wrong.clock.nowMs()).toBe(start + hourMs);

  const begun = machine({ wallMs: start + 10 * hourMs });
  begun.clock.hear([{ timeMs: start, isNew: false }]);
  expect(begun.clock.nowMs()).toBe(start + 10 * hourMs);
  begun.clock.hear([{ timeMs: start, isNew: true }]);
  expect(begun.clock.nowMs()).toBe(start);
});

test("whatever the machine's clock does, the date is never after it, and ahead of the time there was by no more than a tolerance until a day went evenly", () => {
  const step = fc.record({
    passMs: fc.integer({ min: 0, max: 6 * hourMs }),
    jumpMs: fc.integer({ min: -90 * 24 * hourMs, max: 90 * 24 * hourMs }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const { at, clock } = machine();
      let trueMs = start;
      let wrongMs = 0;
      for (const { passMs, jumpMs } of steps) {
        at.wallMs += jumpMs - wrongMs;
        wrongMs = jumpMs;
        for (let left = passMs; left > 0; left -= 30 * minuteMs) {
          const ms = Math.min(left, 30 * minuteMs);
          at.wallMs += ms;
          at.passedMs += ms;
          trueMs += ms;
          expect(clock.nowMs()).toBeLessThanOrEqual(at.wallMs);
          expect(clock.nowMs() - trueMs).toBeLessThanOrEqual(steps.length * 5 * minuteMs);
        }
      }
    }),
  );
});
