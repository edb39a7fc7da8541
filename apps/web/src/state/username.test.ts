import { describe, expect, it } from "vitest";
import { checkUsernameRule, normalizeUsername } from "./username.ts";

describe("[C-3] usernames as typed", () => {
  it("forgives capitals, space around and a leading @", () => {
    expect(normalizeUsername("  @Ben.O ")).toBe("ben.o");
  });

  it.each([
    ["ben", { kind: "none" }],
    ["a_-.9", { kind: "none" }],
    ["ab", { kind: "too_short", missing: 1 }],
    ["", { kind: "too_short", missing: 3 }],
    ["x".repeat(32), { kind: "none" }],
    ["x".repeat(33), { kind: "too_long" }],
    ["a b c", { kind: "space" }],
    ["bén", { kind: "bad_character", character: "é" }],
    ["ben😀", { kind: "bad_character", character: "😀" }],
  ])("judges %s", (username, problem) => {
    expect(checkUsernameRule(username)).toEqual(problem);
  });
});
