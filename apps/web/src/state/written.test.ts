import { describe, expect, test } from "vitest";
import { afterChange, askedAt, markdownOf, withMention, writtenOf } from "./written.ts";
import type { Written } from "./written.ts";

const ben = "mimi://chat.example/u/BEN";
const everybody = "mimi://chat.example/r/ROOM";
const names: Readonly<Record<string, string>> = { [ben]: "@Ben Smith" };
const read = (markdown: string): Written => writtenOf(markdown, (uri) => names[uri]);
const hello = `Hello [@ben](${ben}), and [@all](${everybody})!`;

describe("[X-1] mentions in what is being written", () => {
  test("stand as people are known here, and go out as addresses with the words that they came with", () => {
    const written = read(hello);
    expect(written.text).toBe("Hello @Ben Smith, and @all!");
    expect(written.mentions.map(({ start, end }) => written.text.slice(start, end))).toEqual(["@Ben Smith", "@all"]);
    expect(markdownOf(written)).toBe(hello);
  });

  test.each(["", "plain", "[a](https://b.example)", "[@a](mimi://)", "a ](mimi://x/u/y", "[[@a](mimi://h/u/x)](mimi://h/u/y)"])(
    "a text without them, or that only looks so, is sent as it was written: %j",
    (text) => {
      expect(markdownOf(read(text))).toBe(text);
    },
  );

  test("move with what is written before them", () => {
    const { written } = afterChange(read(hello), "Oh. Hello @Ben Smith, and @all!", 4);
    expect(markdownOf(written)).toBe(`Oh. ${hello}`);
  });

  test("what is written right before or behind one leaves it", () => {
    const one = read(`[@ben](${ben})`);
    expect(markdownOf(afterChange(one, "@@Ben Smith", 1).written)).toBe(`@[@ben](${ben})`);
    expect(markdownOf(afterChange(one, "@Ben Smithh", 11).written)).toBe(`[@ben](${ben})h`);
  });

  test("one whose letters are changed names nobody", () => {
    const { written } = afterChange(read(hello), "Hello @Bert Smith, and @all!", 11);
    expect(markdownOf(written)).toBe(`Hello @Bert Smith, and [@all](${everybody})!`);
  });

  test("one whose last letter is deleted goes whole, and nothing else does", () => {
    const { written, caret } = afterChange(read(hello), "Hello @Ben Smit, and @all!", 15);
    expect([markdownOf(written), caret]).toEqual([`Hello , and [@all](${everybody})!`, 6]);
  });

  test("what is selected over them goes with them", () => {
    const { written } = afterChange(read(hello), "Hello!", 5);
    expect(written).toEqual({ text: "Hello!", mentions: [] });
  });

  test("a change that does not end at the caret, as one that was undone, moves them as well", () => {
    const { written } = afterChange(read(hello), "Well, Hello @Ben Smith, and @all!", 33);
    expect(markdownOf(written)).toBe(`Well, ${hello}`);
  });

  test("letters that stand there become one", () => {
    const typed = { text: "Hi @Ben Smith ", mentions: [] };
    const written = withMention(typed, { start: 3, end: 13, uri: ben, hint: "@ben" });
    expect(markdownOf(written)).toBe(`Hi [@ben](${ben}) `);
  });
});

describe("a name that is being written", () => {
  const asked = (text: string): string | undefined => askedAt({ text, mentions: [] }, text.length, "@")?.query;

  test.each([
    ["@", ""],
    ["Hello @be", "be"],
    ["(@be", "be"],
    ["ask @Ben Sm", "Ben Sm"],
    ["line\n@ben", "ben"],
    ["سلام @بن", "بن"],
  ])("in %j", (text, query) => {
    expect(asked(text)).toBe(query);
  });

  test.each(["", "ben@host", "a.b@", "@ ben", "@ben\nmore", `@${"x".repeat(60)}`, "1@2"])("not in %j", (text) => {
    expect(asked(text)).toBeUndefined();
  });

  test.each([
    ["hi :smi", "smi"],
    [":لبخ", "لبخ"],
    ["at 12:30", undefined],
    ["https://a", undefined],
    [":s", undefined],
    ["so: this", undefined],
  ])("of an emoji in %j", (text, query) => {
    expect(askedAt({ text, mentions: [] }, text.length, ":")?.query).toBe(query);
  });

  test("not within a mention that stands there", () => {
    expect(askedAt(read(`[@ben](${ben})`), 4, "@")).toBeUndefined();
    expect(askedAt(read(`[@ben](${ben})`), 10, "@")).toBeUndefined();
  });
});
