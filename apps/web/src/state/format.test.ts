import "../testing/english.ts";
import { describe, expect, it } from "vitest";
import { avatarColour, avatarColours, dayKey, formatAgo, formatBytes, formatDay, formatLeft, formatListTime, initials } from "./format.ts";

const context = { locale: "en-GB", timeZone: "UTC" };
const now = Date.UTC(2026, 10, 23, 15, 30);
const minuteMs = 60_000;
const dayMs = 86_400_000;

describe("times", () => {
  it.each([
    [now - 10_000, "now"],
    [now + 20_000, "now"],
    [now - 12 * minuteMs, "12 min"],
    [now - 5 * 60 * minuteMs, "10:30"],
    [now - dayMs, "Yesterday"],
    [now - 3 * dayMs, "Fri"],
    [now - 20 * dayMs, "3 Nov"],
    [Date.UTC(2024, 1, 29), "29 Feb 2024"],
    // A sender's clock that is ahead must not become a weekday.
    [now + 2 * dayMs, "25 Nov"],
  ])("writes %d as %s in a list", (atMs, text) => {
    expect(formatListTime(atMs, now, context)).toBe(text);
  });

  it.each([
    [now, "Today"],
    [now - dayMs, "Yesterday"],
    [now - 4 * dayMs, "Thursday 19 November"],
    [Date.UTC(2025, 5, 1), "Sunday 1 June 2025"],
  ])("writes the day of %d as %s", (atMs, text) => {
    expect(formatDay(atMs, now, context).replaceAll(",", "")).toBe(text);
  });

  it("tells days by the calendar of the zone", () => {
    const late = Date.UTC(2026, 10, 23, 23, 30);
    expect(dayKey(late, { timeZone: "UTC" })).toBe("2026-11-23");
    expect(dayKey(late, { timeZone: "Europe/Berlin" })).toBe("2026-11-24");
  });
});

describe("how long ago", () => {
  it.each([
    [now, "just now"],
    [now + 5000, "just now"],
    [now - minuteMs, "1 minute ago"],
    [now - 59 * minuteMs, "59 minutes ago"],
    [now - 3 * 60 * minuteMs, "3 hours ago"],
    [now - dayMs, "on 22 November 2026"],
  ])("is %d written as %s", (atMs, text) => {
    expect(formatAgo(atMs, now, context)).toBe(text);
  });

  it.each([
    [247_000, "4:07"],
    [59_001, "1:00"],
    [900, "0:01"],
    [-5, "0:00"],
  ])("and %d ms that are left as %s", (leftMs, text) => {
    expect(formatLeft(leftMs)).toBe(text);
  });
});

describe("initials", () => {
  it.each([
    ["Ben Okafor", "BO"],
    ["ben", "B"],
    ["dana.k", "DK"],
    ["Dr. Anneliese von Hohenstein", "DH"],
    ["ليلى حداد", "ل"],
    ["  ", ""],
    ["👩‍👩‍👧 Family", "👩‍👩‍👧F"],
    ["(hidden) name", "HN"],
  ])("of %s are %s", (name, letters) => {
    expect(initials(name)).toBe(letters);
  });
});

describe("avatarColour", () => {
  it("is the same for the same id and uses all colours", () => {
    expect(avatarColour("abc")).toBe(avatarColour("abc"));
    const colours = new Set(Array.from({ length: 200 }, (_, index) => avatarColour(`id-${index}`)));
    expect(colours.size).toBe(avatarColours);
  });
});

describe("formatBytes", () => {
  it.each([
    [0, "0 bytes"],
    [999, "999 bytes"],
    [1200, "1.2 kB"],
    [25_000_000, "25 MB"],
  ])("writes %d as %s", (size, text) => {
    expect(formatBytes(size, context)).toBe(text);
  });
});
