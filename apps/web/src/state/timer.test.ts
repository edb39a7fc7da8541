import "../testing/english.ts";
import { describe, expect, test } from "vitest";
import { formatLeftShort, leftIn, nextLookMs, unitName } from "./timer.ts";

const nowMs = 1_790_000_000_000;
const left = (seconds: number, of?: number): number =>
  leftIn({ goesAtMs: nowMs + seconds * 1000, isRunning: true, ...(of === undefined ? {} : { seconds: of }) }, nowMs);

describe("[X-7] how long a message stays still", () => {
  test.each([
    [604_800, "1w"],
    [604_799, "1w"],
    [1_300_000, "3w"],
    [90_000, "25h"],
    [7200, "2h"],
    [7199, "2h"],
    [119, "119s"],
    [30, "30s"],
    [0.2, "1s"],
    [-5, "1s"],
  ])("%d seconds are %s", (seconds, words) => {
    expect(formatLeftShort(left(seconds))).toBe(words);
  });

  test("is never more than all of it, and that while nobody has seen it", () => {
    expect(left(604_802, 604_800)).toBe(604_800);
    expect(leftIn({ goesAtMs: nowMs, isRunning: false, seconds: 300 }, nowMs)).toBe(300);
  });

  test("is looked at again in time, and a unit has its name", () => {
    expect([nextLookMs(500), nextLookMs(60_000), nextLookMs(10 ** 12)]).toEqual([1000, 3000, 3_600_000]);
    expect([unitName("minute"), unitName("week")]).toEqual(["minute", "week"]);
  });
});
