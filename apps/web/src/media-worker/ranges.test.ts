import { expect, test } from "vitest";
import { parseRange } from "./ranges.ts";

test.each([
  [null, undefined],
  ["bytes=0-", { from: 0, to: 1000 }],
  ["bytes=0-0", { from: 0, to: 1 }],
  ["bytes=500-599", { from: 500, to: 600 }],
  ["bytes=900-5000", { from: 900, to: 1000 }],
  ["bytes=-100", { from: 900, to: 1000 }],
  ["bytes=-5000", { from: 0, to: 1000 }],
  ["bytes=-0", "unsatisfiable"],
  ["bytes=1000-", "unsatisfiable"],
  ["bytes=999999999999999-", "unsatisfiable"],
  // What is not understood is as if it were not there (RFC 9110 §14.2).
  ["bytes=5-4", undefined],
  ["bytes=-", undefined],
  ["bytes=0-1,5-6", undefined],
  ["bytes=99999999999999999-", undefined],
  ["chapters=1-2", undefined],
  ["bytes=a-b", undefined],
])("%s of a thousand bytes", (header, expected) => {
  expect(parseRange(header, 1000)).toEqual(expected);
});

test("of nothing there is no part", () => {
  expect(parseRange("bytes=0-", 0)).toBe("unsatisfiable");
  expect(parseRange("bytes=-1", 0)).toBe("unsatisfiable");
  expect(parseRange(null, 0)).toBeUndefined();
});
