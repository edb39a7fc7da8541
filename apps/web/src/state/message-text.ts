/** A piece of a line of text. */
export type Inline =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "bold"; readonly text: string }
  | { readonly kind: "link"; readonly text: string; readonly href: string };

/** A block of a message. */
export type Block =
  | { readonly kind: "paragraph"; readonly inlines: readonly Inline[] }
  | { readonly kind: "quote"; readonly inlines: readonly Inline[] }
  | { readonly kind: "code"; readonly text: string };

const inlinePattern = /`([^`\n]+)`|\*\*(?=\S)([^*\n]+?)(?<=\S)\*\*|(https?:\/\/[^\s<>"`]+)/gu;
const trailing = ".,;:!?'\"»”’]";

/**
 * The blocks of a message's text: fenced code, quotes and paragraphs; in them code, bold and web addresses.
 * Everything else stays as it was written, line breaks included. Never fails, never loses a character that is shown.
 */
export function parseMessageText(text: string): readonly Block[] {
  const blocks: Block[] = [];
  const lines = text.split("\n");
  let index = 0;
  while (index < lines.length) {
    const line = lines[index] ?? "";
    if (line.startsWith("```")) {
      const end = lines.findIndex((candidate, at) => at > index && candidate.startsWith("```"));
      if (end > index) {
        blocks.push({ kind: "code", text: lines.slice(index + 1, end).join("\n") });
        index = end + 1;
        continue;
      }
    }
    const isQuote = isQuoteLine(line);
    let end = index + 1;
    while (end < lines.length && isQuoteLine(lines[end] ?? "") === isQuote && !(lines[end] ?? "").startsWith("```")) end += 1;
    const part = lines.slice(index, end).map((one) => (isQuote ? one.replace(/^>\s?/u, "") : one));
    pushProse(blocks, isQuote ? "quote" : "paragraph", part.join("\n"));
    index = end;
  }
  return blocks;
}

function isQuoteLine(line: string): boolean {
  return /^>(?:\s|$)/u.test(line);
}

function pushProse(blocks: Block[], kind: "paragraph" | "quote", text: string): void {
  let [begin, end] = [0, text.length];
  // By hand: what looks for the end of a run at each of its places takes the square of its length.
  if (blocks.length > 0) while (text[begin] === "\n") begin += 1;
  while (end > begin && text[end - 1] === "\n") end -= 1;
  const prose = text.slice(begin, end);
  if (prose !== "" || blocks.length === 0) blocks.push({ kind, inlines: parseInlines(prose) });
}

function parseInlines(text: string): readonly Inline[] {
  const inlines: Inline[] = [];
  let at = 0;
  for (const match of text.matchAll(inlinePattern)) {
    const [whole, code, bold, url] = match;
    if (match.index > at) inlines.push({ kind: "text", text: text.slice(at, match.index) });
    at = match.index + whole.length;
    if (code !== undefined) inlines.push({ kind: "code", text: code });
    else if (bold !== undefined) inlines.push({ kind: "bold", text: bold });
    else if (url !== undefined) {
      const shown = trimLink(url);
      inlines.push({ kind: "link", text: shown, href: shown });
      at -= url.length - shown.length;
    }
  }
  if (at < text.length) inlines.push({ kind: "text", text: text.slice(at) });
  return inlines;
}

/** A web address without the punctuation of the sentence around it; a closing bracket stays when it was opened inside. */
function trimLink(url: string): string {
  let unopened = 0;
  for (const character of url) unopened += character === ")" ? 1 : character === "(" ? -1 : 0;
  let end = url.length;
  for (; end > 0; end -= 1) {
    const last = url[end - 1] ?? "";
    if (last === ")" && unopened > 0) unopened -= 1;
    else if (!trailing.includes(last)) break;
  }
  return url.slice(0, end);
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
