import fc from "fast-check";
import { expect, test } from "vitest";
import { addDatedBack, keptFromDay, maxDatedBack } from "./dated-back.ts";

test("what has a day of a doubt is kept as of its end, everything else by its own day", () => {
  const doubts = fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 30 })), { maxLength: 10 }).map((steps) => {
    let day = 100;
    return steps.map(([gap, length]) => {
      const fromDay = day + gap;
      day = fromDay + length;
      return { fromDay, untilDay: day };
    });
  });
  fc.assert(
    fc.property(doubts, fc.integer({ min: 90, max: 900 }), fc.integer({ min: 90, max: 900 }), (all, storedDay, beforeDay) => {
      const { untilDay } = all.find(({ fromDay, untilDay: end }) => fromDay <= storedDay && storedDay < end) ?? { untilDay: storedDay };
      expect(storedDay < keptFromDay(beforeDay, all)).toBe(untilDay < beforeDay);
    }),
  );
});

test("doubts that are long over are forgotten, and of very many the oldest are taken for one", () => {
  const weekly = Array.from({ length: 100 }, (_, week) => ({ fromDay: 7 * week, untilDay: 7 * week + 5 }));
  const all = weekly.reduce<ReturnType<typeof addDatedBack>>((known, one) => addDatedBack(known, one, 0), []);
  expect(all).toHaveLength(maxDatedBack);
  expect(all[0]).toEqual({ fromDay: 0, untilDay: weekly[100 - maxDatedBack]?.untilDay });
  expect(addDatedBack(all, { fromDay: 700, untilDay: 700 }, 690)).toEqual(
    [weekly[98], weekly[99]].filter((one) => (one?.untilDay ?? 0) >= 690),
  );
});
