import "../testing/english.ts";
import { describe, expect, it, test } from "vitest";
import { placeholders, readCatalogue, writeIds } from "./catalogue.ts";
import { failureWords, isMessage, listOf, t } from "./words.ts";

const sources: Readonly<Record<string, string>> = import.meta.glob(["./en.po", "./ids.ts"], {
  query: "?raw",
  import: "default",
  eager: true,
});
const english = readCatalogue(sources["./en.po"] ?? "");

test("the types of the messages are those of the catalogue (else: npm run words)", () => {
  expect(english.length).toBeGreaterThan(900);
  expect(sources["./ids.ts"]).toBe(writeIds(english));
});

describe("readCatalogue", () => {
  const po = (...lines: string[]): string => `msgid ""\nmsgstr ""\n\n${lines.join("\n")}\n`;
  it("names the values that a message asks for, and what they are", () => {
    const [entry] = readCatalogue(
      po('msgid "a"', 'msgstr "{who, select, you {You} other {{author}}} {n, plural, one {# {what}} other {#}} {m, number}"'),
    );
    expect([...placeholders(entry?.compiled ?? [])]).toEqual([
      ["who", '"you" | "other"'],
      ["author", "string"],
      ["n", "number"],
      ["what", "string"],
      ["m", "number"],
    ]);
  });
  it("refuses what is no message, and what stands there twice", () => {
    expect(() => readCatalogue(po('msgid "a"', 'msgstr "{n, plural, one {x}"'))).toThrow(/^a is no message/u);
    expect(() => readCatalogue(po('msgid "a"', 'msgstr "x"', "", 'msgid "a"', 'msgstr "y"'))).toThrow("a stands twice");
  });
});

describe("what people wrote", () => {
  it.each(["\\u202e", "\\x41", "\\\\u0041", "%__lingui_octothorpe__%", "{name}", "$&", "#", "'{'", "<b>", "%__", "\\u005c"])(
    "stands in a sentence as it was written: %s",
    (text) => {
      expect(t("list.noMatch", { query: text })).toBe(`Nothing called “${text}”`);
      // Where the runtime puts in numbers as well.
      expect(t("group.members.removeTitle", { n: 2, group: text })).toBe(`Remove 2 people from ${text}?`);
      expect(t("messageParts.typing", { n: 1, names: text })).toBe(`${text} is typing…`);
    },
  );
  it("does not turn the sentence around", () => {
    for (const text of ["أحمد", "\u202etxt.exe", "עדה"])
      expect(t("system.left", { author: text, who: "other" })).toBe(`\u2068${text}\u2069 left`);
    expect(listOf(["Ben", "أحمد"])).toBe("Ben and \u2068أحمد\u2069");
  });
});

describe("lists and failures", () => {
  it("names twelve people, and of more the first ten", () => {
    const names = Array.from({ length: 1300 }, (_, index) => `P${index + 1}`);
    expect(listOf(names.slice(0, 3))).toBe("P1, P2 and P3");
    expect(listOf(names)).toBe("P1, P2, P3, P4, P5, P6, P7, P8, P9, P10 and 1,290 others");
  });
  it("has a failure that it does not know say its own sentence", () => {
    expect(failureWords({ code: "offline", message: "x", canRetry: true }).title).toBe(t("failure.offline.title"));
    expect(failureWords({ code: "of tomorrow" as "offline", message: "x", canRetry: true })).toEqual({ title: "x", advice: "" });
    expect(isMessage("toString")).toBe(false);
  });
});
