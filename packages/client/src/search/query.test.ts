import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isNothing, maxQueryLength, parseQuery } from "./query.ts";
import type { Query } from "./query.ts";

/** Days begin an hour before those of UTC. */
const dayStart = (year: number, month: number, day: number): number => Date.UTC(year, month - 1, day) - 3_600_000;
const parse = (text: string): Query => parseQuery(text, dayStart);

const nothing: Query = { terms: [], from: [], within: [], has: [], fromMs: undefined, beforeMs: undefined, unknown: [] };

describe("a query", () => {
  test("has words and phrases, folded", () => {
    expect(parse('  Grüße "New  York" ٣ ')).toEqual({ ...nothing, terms: ["grusse", "new  york", "3"] });
    expect(parse("„zu Haus“ «chez moi»")).toEqual({ ...nothing, terms: ["zu haus", "chez moi"] });
    expect(parse('open "end of it')).toEqual({ ...nothing, terms: ["open", "end of it"] });
    expect(parse("it's 5\" wide")).toMatchObject({ terms: ["it's", '5"', "wide"] });
  });

  test("has conditions, in any case, quoted or not", () => {
    expect(parse('from:Ben FROM:"Zoë Smith" from:@ada in:Team has:link Has:POLL x')).toEqual({
      ...nothing,
      terms: ["x"],
      from: ["ben", "zoe smith", "ada"],
      within: ["team"],
      has: ["link", "poll"],
    });
  });

  test("has days, months and years where the person is, in their digits", () => {
    expect(parse("after:2026-03-05 before:2026-04")).toMatchObject({ fromMs: dayStart(2026, 3, 5), beforeMs: dayStart(2026, 4, 1) });
    expect(parse("before:2026 before:2027 after:٢٠٢٥-٠١-٠١ after:2024")).toMatchObject({
      fromMs: dayStart(2025, 1, 1),
      beforeMs: dayStart(2026, 1, 1),
    });
  });

  test("names what means nothing here", () => {
    expect(parse("has:sticker before:yesterday after:2026-02-30 before:2026-13").unknown).toEqual([
      "has:sticker",
      "before:yesterday",
      "before:2026-13",
      "after:2026-02-30",
    ]);
    expect(parse("has:picture has:file has:voice")).toMatchObject({ has: ["picture", "file", "voice"], unknown: [] });
  });

  test("takes what is no condition for words, and one that is still written for nothing", () => {
    expect(parse("http://from:x a:b me@from:x")).toMatchObject({ terms: ["http://from:x", "a:b", "me@from:x"], from: [] });
    expect(isNothing(parse('from: in:"" has:'))).toBe(true);
    expect(isNothing(parse(" \u0301 \u200b"))).toBe(true);
    expect(isNothing(parse("has:nothing"))).toBe(false);
  });

  test("is read up to a length and so many words, whatever it is", () => {
    expect(parse("x".repeat(1_000_000)).terms).toEqual(["x".repeat(maxQueryLength)]);
    expect(parse(Array.from({ length: 200 }, (_, at) => String(at)).join(" ")).terms).toHaveLength(16);
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        for (const term of parse(text).terms) expect(term).not.toMatch(/[A-Z\t\n]|^$/);
      }),
    );
  });
});
