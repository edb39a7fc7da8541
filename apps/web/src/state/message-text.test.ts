import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isEmojiOnly, parseMessageText, previewText, shortenText } from "./message-text.ts";

describe("parseMessageText", () => {
  it("leaves plain text as it is, line breaks included", () => {
    expect(parseMessageText("one\n\n  two * three_four")).toEqual([
      { kind: "paragraph", inlines: [{ kind: "text", text: "one\n\n  two * three_four" }] },
    ]);
  });

  it("knows quotes, fenced code and paragraphs", () => {
    expect(parseMessageText("> said\n> so\nanswer\n```ts\nlet a = 1;\n```\nend").map(({ kind }) => kind)).toEqual([
      "quote",
      "paragraph",
      "code",
      "paragraph",
    ]);
  });

  it("takes a fence that is never closed as text", () => {
    expect(parseMessageText("```\nno end")).toEqual([{ kind: "paragraph", inlines: [{ kind: "text", text: "```\nno end" }] }]);
  });

  it("knows code, bold and links in a line, without the sentence's punctuation", () => {
    const [block] = parseMessageText("Use `npm start`, **now**: https://a.example/x_(y)?q=1. Or (https://b.example).");
    expect(block).toEqual({
      kind: "paragraph",
      inlines: [
        { kind: "text", text: "Use " },
        { kind: "code", text: "npm start" },
        { kind: "text", text: ", " },
        { kind: "bold", text: "now" },
        { kind: "text", text: ": " },
        { kind: "link", text: "https://a.example/x_(y)?q=1", href: "https://a.example/x_(y)?q=1" },
        { kind: "text", text: ". Or (" },
        { kind: "link", text: "https://b.example", href: "https://b.example" },
        { kind: "text", text: ")." },
      ],
    });
  });

  it("makes links of web addresses only", () => {
    const text = "javascript:alert(1) data:text/html,x file:///etc/passwd";
    expect(parseMessageText(text)).toEqual([{ kind: "paragraph", inlines: [{ kind: "text", text }] }]);
  });

  it("never fails and never loses a letter", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("`", "```", "> ", "**", "a", "é", "\n", " ", "https://x.y/", ")", "(")), (parts) => {
        const text = parts.join("");
        const shown = parseMessageText(text)
          .map((block) => (block.kind === "code" ? block.text : block.inlines.map((inline) => inline.text).join("")))
          .join("");
        // A fence may name a language, which is not shown.
        if (!text.includes("```")) expect(shown.replaceAll(/[^aé]/gu, "")).toBe(text.replaceAll(/[^aé]/gu, ""));
      }),
    );
  });

  it("takes time by the length of hostile input, and not by its square", () => {
    // By the square each of them would take hours.
    for (const text of [
      "`".repeat(1_000_000),
      "*".repeat(1_000_000),
      "**a".repeat(400_000),
      `https://a/${")".repeat(400_000)}`,
      "> ".repeat(400_000),
      `a${"\n".repeat(1_000_000)}b`,
      `\`\`\`\na\n\`\`\`${"\n".repeat(1_000_000)}b`,
      `a${" ".repeat(1_000_000)}b`,
    ]) {
      expect(parseMessageText(text).length).toBeGreaterThan(0);
    }
  });
});

describe("isEmojiOnly", () => {
  it.each(["😄", "👩‍👩‍👧 ❤️", "🇩🇪🇫🇷🇳🇬"])("holds for %s", (text) => expect(isEmojiOnly(text)).toBe(true));
  it.each(["", "a", "1", "😄😄😄😄", "ok 👍"])("does not hold for %s", (text) => expect(isEmojiOnly(text)).toBe(false));
});

describe("shortenText", () => {
  it("leaves what fits, and cuts the rest", () => {
    expect(shortenText("short")).toBeUndefined();
    expect(shortenText("x\n".repeat(300))?.split("\n").length).toBeLessThan(25);
    expect(shortenText("x".repeat(10_000))?.length).toBeLessThan(2000);
  });
});

describe("previewText", () => {
  it("is one line without marks", () => {
    expect(previewText("> quoted\n```\ncode\n```\n  **the** `end` 2 ** 3")).toBe("quoted code the end 2 ** 3");
  });
});
