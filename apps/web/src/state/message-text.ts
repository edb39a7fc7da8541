/** A piece of a line of text. */
export type Inline =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "strong" | "emphasis" | "strike"; readonly inlines: readonly Inline[] }
  | { readonly kind: "link"; readonly href: string; readonly inlines: readonly Inline[] }
  /** Names an account, or everybody; the words of its writer are not in it (spec X-1). */
  | { readonly kind: "mention"; readonly who: "account" | "everybody"; readonly id: string };

/** A cell of a table. */
export interface Cell {
  readonly align: "left" | "center" | "right" | undefined;
  readonly inlines: readonly Inline[];
}

/** A block of a message. */
export type Block =
  | { readonly kind: "paragraph"; readonly inlines: readonly Inline[] }
  | { readonly kind: "heading"; readonly level: number; readonly inlines: readonly Inline[] }
  | { readonly kind: "quote"; readonly blocks: readonly Block[] }
  | { readonly kind: "code"; readonly text: string; readonly language: string }
  /** `start` of one that is numbered; `undefined` of one that is not. */
  | { readonly kind: "list"; readonly start: number | undefined; readonly items: readonly (readonly Block[])[] }
  | { readonly kind: "table"; readonly head: readonly Cell[]; readonly rows: readonly (readonly Cell[])[] }
  | { readonly kind: "rule" };

/** What may be a mark of Markdown, or an address: most messages have none of it. */
const marks = /[\\*_`[\]<>~#|&!]|^[ \t]*(?:[-+]|\d+[.)])\s|^(?:-{3,}|\+{3,})|:\/\/|\S\.\p{L}{2}|\S@\S/mu;

/** Whether a text has to be read as Markdown to be shown as it was meant. */
export function hasMarks(text: string): boolean {
  return marks.test(text);
}

/** A text as it stands, line breaks included. */
export function plainBlocks(text: string): readonly Block[] {
  return [{ kind: "paragraph", inlines: [{ kind: "text", text }] }];
}

/** Whether a message is one to three emoji and nothing else: those are shown large. */
export function isEmojiOnly(text: string): boolean {
  // The last pattern is a large one: most messages are sorted out before it.
  return text.length <= 60 && !/\p{L}/u.test(text) && /^(?:\p{RGI_Emoji}\s?){1,3}$/v.test(text.trim());
}

const longLines = 30;
const longCharacters = 2400;

/** The beginning of a text that is too long to stand in the list whole; `undefined` when it is not. */
export function shortenText(text: string): string | undefined {
  const lines = text.split("\n");
  if (lines.length <= longLines && text.length <= longCharacters) return undefined;
  const some = lines.slice(0, longLines - 10).join("\n");
  return some.length > longCharacters ? `${some.slice(0, longCharacters - 600)}…` : `${some}\n…`;
}

/** One line for the list: white space collapsed, marks of code and quotes taken away. */
export function previewText(text: string): string {
  return text
    .slice(0, 400)
    .replaceAll(/```|^>\s?/gmu, " ")
    .replaceAll(/\*\*(\S[^*\n]*)\*\*|`([^`\n]+)`/gu, "$1$2")
    .replaceAll(/\s+/gu, " ")
    .trim();
}
