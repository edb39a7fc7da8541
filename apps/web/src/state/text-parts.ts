/** A part of a long text is read and drawn at a time: neither takes long, whatever it says. */
const partCharacters = 8192;
const partLines = 400;

/**
 * A long text in parts that are read as Markdown each by itself, cut between paragraphs or lines where there are any. Code that goes on in
 * the next part is code there as well.
 */
export function partsOf(text: string): readonly string[] {
  const parts: string[] = [];
  let fence: string | undefined;
  let at = 0;
  while (at < text.length) {
    const end = endOfPart(text, at);
    const part = (fence === undefined ? "" : `${fence}\n`) + text.slice(at, end);
    parts.push(part);
    fence = openFence(part);
    at = end;
  }
  return parts;
}

function endOfPart(text: string, start: number): number {
  const end = Math.min(start + partCharacters, endOfLines(text, start));
  if (end >= text.length) return text.length;
  const half = start + (end - start) / 2;
  const paragraph = text.lastIndexOf("\n\n", end - 2) + 2;
  if (paragraph > half) return paragraph;
  const line = text.lastIndexOf("\n", end - 1) + 1;
  if (line > half) return line;
  // Not between the halves of one character.
  return /[\uD800-\uDBFF]/u.test(text[end - 1] ?? "") ? end - 1 : end;
}

function endOfLines(text: string, start: number): number {
  let at = start;
  for (let line = 0; line < partLines; line += 1) {
    const next = text.indexOf("\n", at);
    if (next < 0) return text.length;
    at = next + 1;
  }
  return at;
}

/** The line that opens the block of code in which a text ends, if it ends in one. */
function openFence(text: string): string | undefined {
  let open: string | undefined;
  for (const [line, mark = "", info = ""] of text.matchAll(/^ {0,3}(`{3,}|~{3,})(.*)$/gmu)) {
    const opening = open?.trimStart() ?? "";
    if (open === undefined) open = mark.startsWith("`") && info.includes("`") ? undefined : line.slice(0, 100);
    else if (opening.startsWith(mark[0] ?? " ") && mark.length >= runOf(opening) && info.trim() === "") open = undefined;
  }
  return open;
}

function runOf(line: string): number {
  return /^(?:`+|~+)/u.exec(line)?.[0].length ?? 0;
}
