import { describe, expect, test } from "vitest";
import { parseMarkdown } from "./markdown.ts";
import { partsOf } from "./text-parts.ts";

const paragraphs = (count: number): string =>
  Array.from({ length: count }, (_, at) => `Paragraph ${String(at)}. ${"words ".repeat(30)}`).join("\n\n");

describe("[E-61] a long text in parts", () => {
  test.each([
    ["paragraphs", paragraphs(300)],
    ["line breaks", "\n".repeat(65_000)],
    ["one line", "a".repeat(65_000)],
    ["emoji", "👍".repeat(16_000)],
    ["list", "- a\n".repeat(16_000)],
    ["spaces", " ".repeat(65_000)],
  ])("loses nothing, and each part is small: %s", (_name, text) => {
    const parts = partsOf(text);
    expect(parts.join("")).toBe(text);
    for (const part of parts) {
      expect(part.length).toBeLessThanOrEqual(8192);
      expect(part.split("\n").length).toBeLessThanOrEqual(401);
      expect(part.isWellFormed()).toBe(true);
    }
    expect(parts.length).toBeLessThan(200);
  });

  test("is cut between paragraphs", () => {
    for (const part of partsOf(paragraphs(300))) expect(part.startsWith("Paragraph")).toBe(true);
  });

  test("code that goes on is code in each of them, of the same language", () => {
    const text = `Look:\n\n\`\`\`ts\n${"const a = 1; // `` ``` x\n".repeat(1000)}\`\`\`\n\nThat is **it**`;
    const parts = partsOf(text);
    expect(parts.length).toBeGreaterThan(2);
    const blocks = parts.map((part) => parseMarkdown(part));
    for (const [at, block] of blocks.entries()) expect(block[at === 0 ? 1 : 0], String(at)).toMatchObject({ kind: "code", language: "ts" });
    expect(blocks.at(-1)?.at(-1)).toMatchObject({ kind: "paragraph" });
  });

  test.each(["```\n".repeat(16_000), "~~~~\n```\n".repeat(7000), "``` a`b\n".repeat(8000), `${"`".repeat(60_000)}\n`.repeat(1)])(
    "marks that open and close without end are read in parts, too",
    (text) => {
      const parts = partsOf(text);
      expect(parts.reduce((sum, part) => sum + part.length, 0)).toBeLessThan(text.length + 200 * 101);
      for (const part of parts) expect(parseMarkdown(part).length).toBeGreaterThan(0);
    },
  );
});
