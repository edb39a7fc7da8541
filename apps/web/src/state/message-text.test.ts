import { describe, expect, it } from "vitest";
import { hasMarks, isEmojiOnly, previewText, shortenText } from "./message-text.ts";

describe("hasMarks", () => {
  it.each([
    "**a**",
    "`a`",
    "> a",
    "# a",
    "- a",
    "1. a",
    "a ~~b~~",
    "see https://a.example",
    "a.example/x",
    "ben@a.example",
    "[a](b)",
    "a\\*",
    "| a |",
  ])("holds for %s", (text) => expect(hasMarks(text)).toBe(true));
  it.each(["", "Hello there", "2 + 2 = 4", "well - yes", "at 9:30.", "e.g", "ünïcode ☺️", "one\n\n  two"])("does not hold for %s", (text) =>
    expect(hasMarks(text)).toBe(false),
  );
});

describe("hasMarks of hostile input", () => {
  // By the square each of them would take minutes.
  it.each(["\n", "\r", "\u2028", " ", "1"])("takes no square of its length: %j", (part) =>
    expect(hasMarks(`a ${part.repeat(1_000_000)}`)).toBe(false),
  );
});

describe("isEmojiOnly", () => {
  it.each(["😄", "👩‍👩‍👧 ❤️", "🇩🇪🇫🇷🇳🇬"])("holds for %s", (text) => expect(isEmojiOnly(text)).toBe(true));
  it.each(["", "a", "1", "😄😄😄😄", "ok 👍"])("does not hold for %s", (text) => expect(isEmojiOnly(text)).toBe(false));
});

describe("shortenText", () => {
  it("leaves what fits, and cuts the rest", () => {
    expect(shortenText("short")).toBeUndefined();
    expect(shortenText("x\n".repeat(300))?.split("\n").length).toBeLessThan(25);
    expect(shortenText("x".repeat(10_000))?.length).toBeLessThan(2000);
  });
});

describe("previewText", () => {
  it("is one line without marks", () => {
    expect(previewText("> quoted\n```\ncode\n```\n  **the** `end` 2 ** 3")).toBe("quoted code the end 2 ** 3");
  });
});
