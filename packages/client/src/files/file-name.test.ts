import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { safeFileName } from "./file-name.ts";

const utf8 = new TextEncoder();

describe("the name of somebody else's file", () => {
  test.each([
    ["holiday.jpg", "holiday.jpg"],
    ["Übersicht 2026.pdf", "Übersicht 2026.pdf"],
    ["گزارش.pdf", "گزارش.pdf"],
    ["🏳️‍🌈 👩‍👩‍👧.png", "🏳️‍🌈 👩‍👩‍👧.png"],
    ["archive.tar.gz", "archive.tar.gz"],
  ])("%j that harms nobody stays as it is", (name, expected) => {
    expect(safeFileName(name)).toBe(expected);
  });

  test.each([
    ["../../etc/passwd", "passwd"],
    ["C:\\Users\\ann\\letter.txt", "letter.txt"],
    ["/", "file"],
    ["..", "file"],
    ["a/..", "file"],
    ["\\\\server\\share\\", "share"],
    ["folder/\u200b", "folder"],
  ])("%j has no folders", (name, expected) => {
    expect(safeFileName(name)).toBe(expected);
  });

  test.each([
    ["holiday\u202egpj.exe", "holidaygpj.exe"],
    ["a\u0000b\u001b[2Jc\u007f.txt", "ab[2Jc.txt"],
    ["one\r\ntwo\u2028three.txt", "one two three.txt"],
    ["invoice.pdf                    .exe", "invoice.pdf .exe"],
    ["a\ud800b.txt", "ab.txt"],
  ])("%j has nothing that hides its end", (name, expected) => {
    expect(safeFileName(name).replaceAll("\ufffd", "")).toBe(expected);
  });

  test.each([
    [".bashrc", "bashrc"],
    ["...", "file"],
    ["-rf", "rf"],
    ["~", "file"],
    ["notes.txt:hidden", "notes.txt_hidden"],
    ["what?.txt.", "what_.txt"],
    ["con", "_con"],
    ["NUL.txt", "_NUL.txt"],
    ["com1 .log", "_com1 .log"],
    ["console.log", "console.log"],
    [".-.con", "_con"],
  ])("%j means nothing to a file system or a shell", (name, expected) => {
    expect(safeFileName(name)).toBe(expected);
  });

  test("a long one keeps its ending, and is cut between letters", () => {
    const safe = safeFileName(`${"ü".repeat(400)}.jpeg`);
    expect(safe).toMatch(/^ü+\.jpeg$/u);
    expect(utf8.encode(safe).length).toBeLessThanOrEqual(200);
    expect(utf8.encode(safe).length).toBeGreaterThan(190);
    expect(safeFileName(`a.${"x".repeat(400)}`)).toHaveLength(200);
  });

  test("nothing of it left: the other name", () => {
    expect(safeFileName("")).toBe("file");
    expect(safeFileName("\u200b\u202e", "voice message")).toBe("voice message");
  });

  test("whatever it is: one name, never empty, bounded, and the same when it is made again", () => {
    const letter = fc.oneof(
      fc.string({ unit: "binary", minLength: 1, maxLength: 3 }),
      fc.constantFrom(...'./\\:*?"<>|-~ \u0301\u200d\u202e\u{e0067}\u0000', "con", "NUL", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "a", "é"),
    );
    fc.assert(
      fc.property(
        fc.array(letter, { maxLength: 300 }).map((letters) => letters.join("")),
        (name) => {
          const safe = safeFileName(name);
          expect(safe).not.toBe("");
          expect(utf8.encode(safe).length).toBeLessThanOrEqual(200);
          expect(safe).not.toMatch(/[/\\:*?"<>|\p{Cc}\u202a-\u202e\u2066-\u2069]|^[.~ -]|[. ]$/u);
          expect(safe).not.toMatch(/^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/iu);
          expect(safeFileName(safe)).toBe(safe);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
