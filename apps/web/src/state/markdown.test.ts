import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseMarkdown } from "./markdown.ts";
import type { Block, Inline } from "./message-text.ts";

/** What a person reads of it. */
function shown(blocks: readonly Block[]): string {
  const line = (inlines: readonly Inline[]): string =>
    inlines.map((inline) => ("text" in inline ? inline.text : "inlines" in inline ? line(inline.inlines) : `@${inline.id}`)).join("");
  return blocks
    .map((block): string => {
      switch (block.kind) {
        case "code":
          return `${block.language}\n${block.text}`;
        case "quote":
          return shown(block.blocks);
        case "list":
          return block.items.map((item) => shown(item)).join("\n");
        case "table":
          return [block.head, ...block.rows].flatMap((cells) => cells.map(({ inlines }) => line(inlines))).join("\n");
        case "rule":
          return "";
        case "paragraph":
        case "heading":
          return line(block.inlines);
      }
    })
    .join("\n");
}

const inlinesOf = (text: string): readonly Inline[] => {
  const [block] = parseMarkdown(text);
  return block?.kind === "paragraph" ? block.inlines : [];
};
const kinds = (text: string): readonly string[] => parseMarkdown(text).map(({ kind }) => kind);

describe("[E-130] the text of a message", () => {
  it("keeps its line breaks, and what is no mark stays", () => {
    expect(inlinesOf("one\ntwo * three_four")).toEqual([{ kind: "text", text: "one\ntwo * three_four" }]);
  });

  it("has quotes, code, lists, tables and headings", () => {
    expect(kinds("> said\n\nanswer\n\n```ts\nlet a = 1;\n```\n\n- a\n- b\n\n# end")).toEqual([
      "quote",
      "paragraph",
      "code",
      "list",
      "heading",
    ]);
    expect(parseMarkdown("3. three\n4. four")).toMatchObject([{ kind: "list", start: 3, items: [{}, {}] }]);
    expect(parseMarkdown("| a | b |\n|:-:|--:|\n| 1 | 2 |")).toEqual([
      {
        kind: "table",
        head: [
          { align: "center", inlines: [{ kind: "text", text: "a" }] },
          { align: "right", inlines: [{ kind: "text", text: "b" }] },
        ],
        rows: [
          [
            { align: "center", inlines: [{ kind: "text", text: "1" }] },
            { align: "right", inlines: [{ kind: "text", text: "2" }] },
          ],
        ],
      },
    ]);
    expect(parseMarkdown("```js \na\n```")).toEqual([{ kind: "code", text: "a", language: "js" }]);
    // What is no language was written to be read.
    expect(parseMarkdown("```my list\na\n```")).toEqual([{ kind: "code", text: "my list\na", language: "" }]);
    expect(parseMarkdown("~~~~a")).toEqual([{ kind: "code", text: "a", language: "" }]);
    expect(parseMarkdown("```\n\na\n```")).toEqual([{ kind: "code", text: "\na", language: "" }]);
  });

  it("is bold, slanted, struck out, code", () => {
    expect(inlinesOf("**a** *b* ~~c~~ `d`").filter(({ kind }) => kind !== "text")).toEqual([
      { kind: "strong", inlines: [{ kind: "text", text: "a" }] },
      { kind: "emphasis", inlines: [{ kind: "text", text: "b" }] },
      { kind: "strike", inlines: [{ kind: "text", text: "c" }] },
      { kind: "code", text: "d" },
    ]);
  });

  it("has addresses with and without a scheme as links, and no others", () => {
    const links = (text: string): readonly string[] => inlinesOf(text).flatMap((inline) => (inline.kind === "link" ? [inline.href] : []));
    expect(links("See a.example.org/x_(y)?q=1, (https://b.example) and [c](https://c.example).")).toEqual([
      "https://a.example.org/x_(y)?q=1",
      "https://b.example",
      "https://c.example",
    ]);
    expect(links("javascript:alert(1) [x](javascript:alert(1)) [y](data:text/html,z) [z](file:///etc/passwd) [v](vbscript:x)")).toEqual([]);
    expect(shown(parseMarkdown("[x](javascript:alert(1))"))).toBe("[x](javascript:alert(1))");
  });

  it("[X-1] names people by their accounts, never by the words of the link", () => {
    expect(inlinesOf("[the boss](mimi://a.example/u/AAAA) and [all](mimi://a.example/r/BBBB)")).toEqual([
      { kind: "mention", who: "account", id: "AAAA" },
      { kind: "text", text: " and " },
      { kind: "mention", who: "everybody", id: "BBBB" },
    ]);
  });

  it("has no pictures, no HTML, no entities, no hidden definitions: these are text", () => {
    for (const text of ["<b>x</b>", "&lt;b>", "&amp;", "[a]: https://a", "Ann\n---x", "<script>alert(1)</script>", "<!-- x -->"])
      expect(shown(parseMarkdown(text)).replaceAll(/\s/gu, "")).toBe(text.replaceAll(/\s/gu, ""));
    expect(inlinesOf("![a](https://a.example/b.png)")).toEqual([
      { kind: "text", text: "!" },
      { kind: "link", href: "https://a.example/b.png", inlines: [{ kind: "text", text: "a" }] },
    ]);
  });

  it("never fails and never loses a letter, however deep", () => {
    const pieces = [
      "`",
      "```",
      "> ",
      "**",
      "*",
      "_",
      "~~",
      "- ",
      "1. ",
      "# ",
      "|",
      "---",
      "a",
      "é",
      "\n",
      "\n\n",
      " ",
      "    ",
      "[",
      "](https://x.y/)",
      "<",
      "&lt;",
      "\\",
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 60 }), (parts) => {
        const text = parts.join("");
        const letters = (of: string): number => of.replaceAll(/[^aé]/gu, "").length;
        // A link has an address, which is not shown.
        if (!text.includes("](")) expect(letters(shown(parseMarkdown(text)))).toBeGreaterThanOrEqual(letters(text));
      }),
    );
    for (const mark of ["> ", "- ", "1. "]) expect(shown(parseMarkdown(`${mark.repeat(60)}deep`))).toContain("deep");
    expect(shown(parseMarkdown(`${"**a ".repeat(200)}deep`))).toContain("deep");
    // Marks that do close: each of them stands in the one before.
    for (const [open, close] of [
      ["*a ", " a*"],
      ["**a ", " a**"],
      ["_a ", " a_"],
      ["~~a ", " a~~"],
    ] as const) {
      for (const times of [30, 5000]) {
        const text = open.repeat(times) + close.repeat(times);
        expect(parseMarkdown(text)).toEqual([{ kind: "paragraph", inlines: [{ kind: "text", text }] }]);
      }
    }
    expect(inlinesOf("**_~~all of them~~_**")).toMatchObject([{ kind: "strong" }]);
  });

  it("reads a table of a thousand cells, and leaves a larger one as text: each short line of it would make hundreds of cells", () => {
    const table = (columns: number, rows: number): string => `${"|a".repeat(columns)}|\n${"|-".repeat(columns)}|\n${"b\n".repeat(rows)}`;
    expect(parseMarkdown(table(10, 99))[0]?.kind).toBe("table");
    for (const text of [table(10, 100), table(580, 27), table(13_000, 6000)])
      expect(parseMarkdown(text)).toEqual([{ kind: "paragraph", inlines: [{ kind: "text", text }] }]);
  });

  it("takes no square of the length of hostile input", () => {
    // By the square each of them would take minutes.
    for (const part of ["`", "*", "**a", "[", "](", "> ", "- ", "a_", "~", "|", "\n", "<", "&", "https://", "a@", "a.b", "![", "\\"])
      expect(parseMarkdown(part.repeat(65_536 / part.length)).length).toBeGreaterThan(0);
  });
});
