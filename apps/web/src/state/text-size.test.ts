import { describe, expect, test } from "vitest";
import { maxTextBytes } from "@latchkey/client/limits";
import { directionOf, fillsField, fitting, fullnessOf, hasManyLines, isTooLongToHold } from "./text-size.ts";

describe("how full a message is", () => {
  test("is told from nine tenths on, by bytes of UTF-8", () => {
    expect(fullnessOf("a".repeat(58_000))).toMatchObject({ isNear: false, isOver: false });
    expect(fullnessOf("a".repeat(60_000))).toEqual({ percent: 91, isNear: true, isOver: false });
    expect(fullnessOf("ب".repeat(30_000))).toEqual({ percent: 91, isNear: true, isOver: false });
  });

  test("says of what fits never that it is full, and of what does not always that it is", () => {
    expect(fullnessOf("a".repeat(maxTextBytes))).toMatchObject({ percent: 100, isOver: false });
    expect(fullnessOf("a".repeat(maxTextBytes - 1))).toMatchObject({ percent: 99, isOver: false });
    expect(fullnessOf("a".repeat(maxTextBytes + 1))).toEqual({ percent: 101, isNear: true, isOver: true });
  });

  test("of what is pasted the beginning goes in, and no half of a character", () => {
    expect(fitting("a".repeat(1_000_000), "")).toHaveLength(maxTextBytes);
    expect(fitting("👍".repeat(maxTextBytes), "abc")).toBe("👍".repeat((maxTextBytes - 4) / 4));
    expect(fitting("abc", "a".repeat(maxTextBytes))).toBe("");
    expect(fitting("abc", "d")).toBe("abc");
  });

  test("a text that no message holds, or of thousands of lines, does not go into the field; its beginning does", () => {
    expect([isTooLongToHold("a".repeat(maxTextBytes), ""), isTooLongToHold("a".repeat(maxTextBytes), "b")]).toEqual([false, true]);
    expect([isTooLongToHold("\n".repeat(2999), ""), isTooLongToHold("\n".repeat(3000), "")]).toEqual([false, true]);
    expect(isTooLongToHold("\n".repeat(2000), "\n".repeat(1001))).toBe(true);
    expect(fitting("a\n".repeat(4000), "")).toBe(`${"a\n".repeat(2999)}a`);
    expect(fitting("a\n".repeat(4000), "\n".repeat(2999))).toBe("a");
    expect(isTooLongToHold(fitting("\n".repeat(65_000), "b\n"), "b\n")).toBe(false);
  });

  test("a hundred lines are many", () => {
    expect([hasManyLines("a\n".repeat(99)), hasManyLines("a\n".repeat(101))]).toEqual([false, true]);
  });

  test.each([
    ["", undefined],
    ["123 …", undefined],
    ["hello سلام", "ltr"],
    ["1. سلام hello", "rtl"],
    ['"שלום', "rtl"],
  ])("the direction of %j is that of its first letter", (text, direction) => {
    expect(directionOf(text)).toBe(direction);
  });
});

describe("whether the field is as high as it gets", () => {
  test.each([
    ["", false],
    ["a\n".repeat(6), false],
    ["a\n".repeat(7), true],
    ["a".repeat(4000), false],
    ["a".repeat(4001), true],
  ])("%#", (text, isFull) => {
    expect(fillsField(text)).toBe(isFull);
  });

  test("reads eight lines of it and no more", () => {
    let read = 0;
    const lines = {
      length: 4000,
      indexOf(_mark: string, from: number) {
        read += 1;
        return from;
      },
    };
    // Of a string it uses nothing else.
    expect(fillsField(lines as unknown as string)).toBe(true);
    expect(read).toBe(7);
  });
});
