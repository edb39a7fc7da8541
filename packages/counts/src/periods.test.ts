import { describe, expect, test } from "vitest";
import {
  batchDueMs,
  batchesIn,
  defaultPolicy,
  nextBatch,
  openingDueMs,
  parsePeriod,
  periodOf,
  periodStartMs,
  periodText,
} from "./index.ts";

describe("half-years", () => {
  const daily = defaultPolicy({ period: 4053, firstBatch: 0 });

  test("[K-1] they are of UTC, follow one another, and are read as they are written", () => {
    expect(periodText(periodOf(Date.UTC(2026, 6, 1)))).toBe("2026-2");
    expect(periodText(periodOf(Date.UTC(2026, 6, 1) - 1))).toBe("2026-1");
    expect(parsePeriod("2026-2")).toBe(periodOf(Date.UTC(2026, 11, 31)));
    expect(["2026-3", "2026", "26-1", "2026-2 ", ""].map(parsePeriod)).toEqual(Array.from({ length: 5 }, () => undefined));
    expect(periodStartMs(4054)).toBe(Date.UTC(2027, 0));
  });

  test("[K-1] a batch is due at its hour, daily or weekly, as many as fit into the half-year", () => {
    expect(batchesIn(daily, 4053)).toBe(184);
    expect(batchesIn({ ...daily, everyDays: 7 }, 4053)).toBe(27);
    expect(batchesIn(daily, 4056)).toBe(182);
    expect(new Date(batchDueMs(daily, 4053, 1)).toISOString()).toBe("2026-07-02T04:00:00.000Z");
    expect(batchDueMs(daily, 4053, 183)).toBeLessThan(periodStartMs(4054));
    expect(nextBatch(daily, 4053, Date.UTC(2026, 6, 1, 3))).toBe(0);
    expect(nextBatch(daily, 4053, Date.UTC(2026, 6, 1, 4))).toBe(1);
    expect(nextBatch(daily, 4053, Date.UTC(2026, 6, 3, 12))).toBe(3);
  });

  test("[K-4] a half-year is opened the days after its end that the policy says, and half a year later again", () => {
    expect(new Date(openingDueMs(daily, 4053)).toISOString()).toBe("2027-01-31T00:00:00.000Z");
    expect(new Date(openingDueMs(daily, 4053, 2)).toISOString()).toBe("2027-07-31T00:00:00.000Z");
    expect(new Date(openingDueMs({ ...daily, delayPeriods: 2 }, 4053)).toISOString()).toBe("2028-01-31T00:00:00.000Z");
  });
});
