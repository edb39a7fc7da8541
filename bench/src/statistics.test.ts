import { describe, expect, test } from "vitest";
import { summarize } from "./statistics.ts";

describe("summarize", () => {
  test("takes the middle of an odd number and the mean of the middle two of an even one", () => {
    expect(summarize([3, 1, 2]).median).toBe(2);
    expect(summarize([4, 1, 2, 3]).median).toBe(2.5);
  });
  test("takes the nearest rank as 99th percentile", () => {
    const values = Array.from({ length: 200 }, (_, index) => index + 1);
    expect(summarize(values)).toEqual({ median: 100.5, p99: 198, min: 1, max: 200, samples: 200 });
    expect(summarize([7]).p99).toBe(7);
  });
  test("refuses to summarise nothing", () => {
    expect(() => summarize([])).toThrow(RangeError);
  });
});
