import { expect, test } from "vitest";
import { inputOf, momentOfInput, momentsFrom } from "./moments.ts";

const at = (text: string): number => new Date(text).getTime();
const offered = (text: string): string[] => momentsFrom(at(text)).map(({ name, atMs }) => `${name} ${inputOf(atMs)}`);

test("[X-15] the times that are offered are to come, in order, and each once", () => {
  // A Wednesday.
  expect(offered("2026-12-02T10:15")).toEqual([
    "hour 2026-12-02T11:15",
    "evening 2026-12-02T18:00",
    "tomorrow 2026-12-03T08:00",
    "monday 2026-12-07T08:00",
  ]);
  expect(offered("2026-12-02T17:45")).toEqual(["hour 2026-12-02T18:45", "tomorrow 2026-12-03T08:00", "monday 2026-12-07T08:00"]);
  // Of a Sunday tomorrow is Monday; of a Monday the next one is meant.
  expect(offered("2026-12-06T21:00")).toEqual(["hour 2026-12-06T22:00", "tomorrow 2026-12-07T08:00"]);
  expect(offered("2026-12-07T06:00")).toEqual([
    "hour 2026-12-07T07:00",
    "evening 2026-12-07T18:00",
    "tomorrow 2026-12-08T08:00",
    "monday 2026-12-14T08:00",
  ]);
});

test("[X-15] a time of one's own is to come and within a year", () => {
  const nowMs = at("2026-12-02T10:15");
  expect(momentOfInput("2026-12-02T10:16", nowMs)).toBe(nowMs + 60_000);
  for (const value of ["", "2026-12-02T10:15", "2029-01-01T00:00", "2026-12-03", "soon"])
    expect(momentOfInput(value, nowMs)).toBe(undefined);
});
