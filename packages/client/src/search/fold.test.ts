import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fold, foldMessage, foldPieces, keepsPlaces } from "./fold.ts";

describe("what is the same when texts are searched", () => {
  test.each([
    ["Straße", "STRASSE"],
    ["Crème Brûlée", "creme brulee"],
    ["ﬁn", "fin"],
    ["Ёлка", "елка"],
    ["ΟΔΟΣ", "οδος"],
    ["İstanbul ılık", "istanbul ilik"],
    ["Łódź, smørrebrød", "lodz, smorrebrod"],
    ["ｆｕｌｌ１２", "full12"],
    ["أحمد إلى آخر ٱلله", "احمد الي اخر الله"],
    ["كتاب", "کتاب"],
    ["مدرسة", "مدرسه"],
    ["می‌خواهم", "ميخواهم"],
    ["كِتَابٌ", "كتاب"],
    ["ـمرحبـــا", "مرحبا"],
    ["٠١٢٣٤٥٦٧٨٩", "0123456789"],
    ["۰۱۲۳", "0123"],
    ["१२३", "123"],
    ["שָׁלוֹם", "שלום"],
    ["don’t", "don't"],
    ["❤️", "❤"],
    ["one\ttwo\nthree\u00a0four", "one two three four"],
  ])("%s is %s", (one, other) => {
    expect(fold(one)).toBe(fold(other));
  });

  test.each([
    ["कि", "की"],
    ["か", "が"],
    ["ที่", "ท่า"],
    ["東京", "京都"],
  ])("%s is not %s", (one, other) => {
    expect(fold(one)).not.toBe(fold(other));
  });

  test("a Korean word is found while its last syllable is typed", () => {
    expect(fold("안녕하세요")).toContain(fold("안녀"));
  });

  const texts = fc.string({ unit: "binary", maxLength: 40 });

  test("folding knows no context: what is folded of two texts is folded of both together", () => {
    fc.assert(
      fc.property(texts, texts, (one, other) => {
        expect(fold(one + other)).toBe(fold(one) + fold(other));
      }),
    );
    // Letters of Greek and Arabic are formed by what stands beside them.
    for (const [one, other] of [
      ["ΟΔΟΣ", "Σ"],
      ["ΟΔΟΣ", " Σ"],
      ["Σ", "ΟΔΟΣ"],
      ["e", "\u0301"],
      ["가", "\u11a8"],
    ] as const)
      expect(fold(one + other)).toBe(fold(one) + fold(other));
  });

  test("nothing folded has a capital of ASCII's, a tab or a line break, and it stays as it is when folded again", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const folded = fold(text);
        expect(folded).not.toMatch(/[A-Z\t\n\r]/);
        expect(fold(folded)).toBe(folded);
      }),
    );
  });

  test("what is ASCII keeps its places", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii" }), (text) => {
        expect(keepsPlaces(text)).toBe(true);
        expect(fold(text)).toHaveLength(text.length);
      }),
    );
    expect(keepsPlaces("é")).toBe(false);
  });

  test("pieces are the whole, folded or not, and no character is cut in two", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 900, size: "max" }), (text) => {
        const pieces = [...foldPieces(text)];
        expect(pieces.map((piece) => piece.text).join("")).toBe(text);
        expect(pieces.map((piece) => piece.folded).join("")).toBe(fold(text));
        expect(foldMessage(text)).toBe(fold(text));
        for (const piece of pieces) expect(piece.text.isWellFormed()).toBe(text.isWellFormed());
      }),
    );
  });

  test("of a message of ligatures only so much is folded as is searched", () => {
    expect(fold("\ufdfa".repeat(21_845)).length).toBeGreaterThan(390_000);
    expect(foldMessage("\ufdfa".repeat(21_845)).length).toBeLessThan(75_000);
  });

  test("a text of nothing but marks is nothing", () => {
    expect(fold("\u0301".repeat(30_000))).toBe("");
  });
});
