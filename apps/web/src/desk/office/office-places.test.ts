import { expect, test } from "vitest";
import { caseAddress, pagesOf, placeOf, requestAddress } from "./office-places.ts";

test("each role opens its own pages, and an address leads to none of another's", () => {
  expect(pagesOf(["intake"])).toEqual(["cases", "requests", "types"]);
  expect(pagesOf(["administrator", "auditor"])).toEqual(["reasons", "types", "counting", "staff", "trail"]);
  expect(pagesOf([])).toEqual([]);
  expect(placeOf("#staff", pagesOf(["intake"]))).toEqual({ kind: "cases", number: undefined });
  expect(placeOf("", [])).toBeUndefined();
});

test.each([
  [caseAddress(12), { kind: "cases", number: 12 }],
  ["#cases", { kind: "cases", number: undefined }],
  ["#cases/new", { kind: "cases", number: undefined }],
  [requestAddress(3), { kind: "requests", number: 3 }],
  [requestAddress("new"), { kind: "requests", number: "new" }],
  ["#types/new", { kind: "types" }],
  ["#cases/x", { kind: "cases", number: undefined }],
  ["#cases/1234567890123456", { kind: "cases", number: undefined }],
  ["#staff/3", { kind: "staff" }],
  ["#constructor", { kind: "cases", number: undefined }],
] as const)("%s is %j", (hash, place) => {
  expect(placeOf(hash, pagesOf(["moderator", "administrator"]))).toEqual(place);
});
