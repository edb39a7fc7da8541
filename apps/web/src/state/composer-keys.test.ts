import { describe, expect, test } from "vitest";
import { isSendKey, marking, markOfKey } from "./composer-keys.ts";
import type { ComposerKey } from "./composer-keys.ts";

const none: ComposerKey = { key: "Enter", shiftKey: false, altKey: false, ctrlKey: false, metaKey: false, isComposing: false, keyCode: 13 };

describe("the key that sends", () => {
  test.each([
    ["Enter", {}, true, false],
    ["Shift Enter", { shiftKey: true }, false, true],
    ["Ctrl Enter", { ctrlKey: true }, true, true],
    ["Cmd Enter", { metaKey: true }, true, true],
    ["Alt Enter", { altKey: true }, false, false],
    ["an Enter within a composition", { isComposing: true, ctrlKey: true }, false, false],
    ["the Enter that ends one in Safari", { keyCode: 229 }, false, false],
    ["a letter", { key: "a", ctrlKey: true }, false, false],
  ] as const)("%s", (_name, parts, whereEnterSends, whereItBreaks) => {
    expect([isSendKey({ ...none, ...parts }, true), isSendKey({ ...none, ...parts }, false)]).toEqual([whereEnterSends, whereItBreaks]);
  });
});

describe("keys that mark", () => {
  test.each([
    ["b", "**"],
    ["I", "*"],
    ["e", "`"],
    ["k", undefined],
  ])("Ctrl %s", (key, mark) => {
    expect(markOfKey({ ...none, key, ctrlKey: true })).toBe(mark);
    expect(markOfKey({ ...none, key, metaKey: true })).toBe(mark);
    expect(markOfKey({ ...none, key })).toBeUndefined();
    expect(markOfKey({ ...none, key, ctrlKey: true, isComposing: true })).toBeUndefined();
  });

  const marked = (text: string, selection: readonly [number, number], mark: string): readonly [string, string] => {
    const { edits, selection: after } = marking(text, selection, mark);
    const done = edits.reduce((so, edit) => so.slice(0, edit.start) + edit.text + so.slice(edit.end), text);
    return [done, done.slice(...after)];
  };

  test("what is selected is marked, and stays selected; a second time it is not", () => {
    expect(marked("see this", [4, 8], "**")).toEqual(["see **this**", "this"]);
    expect(marked("see **this**", [6, 10], "**")).toEqual(["see this", "this"]);
    expect(marked("", [0, 0], "`")).toEqual(["``", ""]);
  });

  test("bold words become slanted as well, and back", () => {
    expect(marked("**a**", [2, 3], "*")).toEqual(["***a***", "a"]);
    expect(marked("***a***", [3, 4], "*")).toEqual(["**a**", "a"]);
    expect(marked("***a***", [3, 4], "**")).toEqual(["*a*", "a"]);
  });
});
