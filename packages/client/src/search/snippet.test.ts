import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fold } from "./fold.ts";
import { snippetOf } from "./snippet.ts";

/** The snippet with brackets around what was looked for. */
function marked(text: string, ...terms: string[]): string {
  const { text: snippet, hits } = snippetOf(
    text,
    terms.map((term) => fold(term)),
  );
  let at = 0;
  let out = "";
  for (const { start, end } of hits) {
    out += `${snippet.slice(at, start)}[${snippet.slice(start, end)}]`;
    at = end;
  }
  return out + snippet.slice(at);
}

describe("what is shown of a message that was found", () => {
  test.each([
    ["the conception of it", ["ptio"], "the conce[ptio]n of it"],
    ["Grüße aus München", ["munch", "gru"], "[Grü]ße aus [Münch]en"],
    ["Straße", ["ss"], "Stra[ß]e"],
    ["Cafe\u0301 noir", ["cafe"], "[Cafe\u0301] noir"],
    ["كِتَابٌ جديد", ["کتاب"], "[كِتَابٌ] جديد"],
    ["one two one", ["one"], "[one] two [one]"],
    ["banana", ["ana", "nan"], "b[anana]"],
    ["👩‍👩‍👧 family", ["family"], "👩‍👩‍👧 [family]"],
    ["ﷺ here", ["here"], "ﷺ [here]"],
    ["no hit at all", [], "no hit at all"],
  ])("%s", (text, terms, expected) => {
    expect(marked(text, ...terms)).toBe(expected);
  });

  test("a piece of a long text around the first place, on one line", () => {
    const text = `${"before ".repeat(100)}the needle\nhere ${"after ".repeat(100)}`;
    const shown = marked(text, "needle");
    expect(shown).toMatch(/^…before .*the \[needle\] here after .*…$/);
    expect(shown.length).toBeLessThan(220);
    expect(marked("é".repeat(1000) + "needle" + "é".repeat(1000), "needle")).toContain("[needle]");
  });

  test("hits lie in the snippet, and fold to what was looked for", () => {
    const words = fc.string({ unit: "binary", minLength: 1, maxLength: 5 }).map((one) => one.toWellFormed());
    fc.assert(
      fc.property(fc.array(words, { maxLength: 80 }), words, (parts, word) => {
        const term = fold(word).trim();
        const whole = [...parts, word, ...parts].join("");
        if (term === "" || !fold(whole).includes(term)) return;
        const { text, hits } = snippetOf(whole, [term]);
        const [first] = hits;
        if (first === undefined) throw new Error("it was found");
        for (const { start, end } of hits) {
          expect(start).toBeLessThan(end);
          expect(end).toBeLessThanOrEqual(text.length);
        }
        expect(fold(text.slice(first.start, first.end))).toContain(term);
      }),
    );
  });

  test.each([
    ["an endless letter", "a".repeat(65_536), "a"],
    ["endless marks", `a${"\u0301".repeat(32_000)}b needle`, "needle"],
    ["what becomes longer", `needle ${"\ufdfa".repeat(21_000)}`, "needle"],
  ])("of %s it is short", (_, text, term) => {
    const { text: snippet, hits } = snippetOf(text, [term]);
    expect(snippet.length).toBeLessThanOrEqual(202);
    expect(hits.length).toBeLessThanOrEqual(32);
    expect(hits.length).toBeGreaterThan(0);
  });
});
