/*
 * What a sealed segment of the index holds: a line for each message, in the order of the log,
 *   order TAB seconds since 1970 TAB author TAB marks, two letters TAB folded text LF
 * where the first four are written in capital letters, which no folded text has: a text that is looked for is found in texts only.
 */

/** A message as the index has it. */
export interface Entry {
  readonly order: number;
  /** As it is shown, seconds since 1970. */
  readonly timeS: number;
  /** The first 48 bits of its author's account id: what tells apart which messages need not be opened. */
  readonly author: number;
  readonly hasLink: boolean;
  readonly isPoll: boolean;
  /** Of whatever kind. */
  readonly hasFile: boolean;
  readonly hasPicture: boolean;
  readonly hasVoice: boolean;
  readonly folded: string;
}

/** Bytes of a segment. */
export const segmentBytes = 65_536;
/** Bytes of a message's folded text that are searched: what is longer is known by its beginning. */
export const maxFoldedBytes: number = segmentBytes - 64;

/** A line of a segment. */
export interface SegmentLine {
  readonly order: number;
  /** With its end. */
  readonly text: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A line of a segment. @returns at most `segmentBytes` in UTF-8 */
export function encodeEntry({ order, timeS, author, folded, ...has }: Entry): string {
  const words = (has.hasLink ? 1 : 0) + (has.isPoll ? 2 : 0);
  const files = (has.hasFile ? 1 : 0) + (has.hasPicture ? 2 : 0) + (has.hasVoice ? 4 : 0);
  const marks = String.fromCharCode(letterA + words, letterA + files);
  return `${capitals(order)}\t${capitals(timeS)}\t${capitals(author)}\t${marks}\t${withinBytes(folded)}\n`;
}

/** The lines of a segment. */
export function linesOfSegment(text: string): readonly SegmentLine[] {
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => ({ order: numberOf(line.slice(0, line.indexOf("\t"))), text: `${line}\n` }));
}

/** The line without its text. */
export function headOfLine(text: string, start: number): { readonly head: Omit<Entry, "folded">; readonly textStart: number } {
  const orderEnd = text.indexOf("\t", start);
  const timeEnd = text.indexOf("\t", orderEnd + 1);
  const authorEnd = text.indexOf("\t", timeEnd + 1);
  const words = text.charCodeAt(authorEnd + 1) - letterA;
  const files = text.charCodeAt(authorEnd + 2) - letterA;
  const head = {
    order: numberOf(text.slice(start, orderEnd)),
    timeS: numberOf(text.slice(orderEnd + 1, timeEnd)),
    author: numberOf(text.slice(timeEnd + 1, authorEnd)),
    hasLink: (words & 1) !== 0,
    isPoll: (words & 2) !== 0,
    hasFile: (files & 1) !== 0,
    hasPicture: (files & 2) !== 0,
    hasVoice: (files & 4) !== 0,
  };
  return { head, textStart: authorEnd + 4 };
}

/** The text of a segment with these lines. */
export function joinLines(lines: readonly SegmentLine[]): string {
  return lines.map(({ text }) => text).join("");
}

/** What of a segment's text is stored. */
export function encodeSegment(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The text of a stored segment. */
export function decodeSegment(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Puts other lines in place of those at the same order, in their order; `undefined` takes one away. */
export function changeLines(lines: readonly SegmentLine[], changes: ReadonlyMap<number, string | undefined>): readonly SegmentLine[] {
  const kept = lines.filter(({ order }) => !changes.has(order));
  const put = [...changes].flatMap(([order, text]) => (text === undefined ? [] : [{ order, text }]));
  return [...kept, ...put].toSorted((a, b) => a.order - b.order);
}

/** Divides lines among segments of about the same size, so that there is room in each for what comes between. */
export function divideLines(lines: readonly SegmentLine[]): readonly (readonly SegmentLine[])[] {
  const sizes = lines.map(({ text }) => utf8Length(text));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const wanted = Math.ceil(total / Math.ceil(total / segmentBytes));
  const segments: SegmentLine[][] = [];
  let bytes = 0;
  for (const [at, line] of lines.entries()) {
    const size = sizes[at] ?? 0;
    const last = segments.at(-1);
    if (last !== undefined && bytes < wanted && bytes + size <= segmentBytes) {
      last.push(line);
      bytes += size;
    } else {
      segments.push([line]);
      bytes = size;
    }
  }
  return segments;
}

/** The order of the last line of a segment; -1 where there is none. */
export function lastOrderIn(text: string): number {
  const start = text.lastIndexOf("\n", text.length - 2) + 1;
  return text === "" ? -1 : numberOf(text.slice(start, text.indexOf("\t", start)));
}

/** Bytes in UTF-8. */
export function utf8Length(text: string): number {
  return encoder.encode(text).length;
}

const letterA = 65;

/** A number in letters from A to Z. */
function capitals(number: number): string {
  return number.toString(26).replaceAll(/./g, (digit) => String.fromCharCode(letterA + Number.parseInt(digit, 26)));
}

function numberOf(text: string): number {
  let number = 0;
  for (let at = 0; at < text.length; at++) number = number * 26 + text.charCodeAt(at) - letterA;
  return number;
}

function withinBytes(folded: string): string {
  // No character has more than three bytes for each unit of UTF-16.
  if (folded.length * 3 <= maxFoldedBytes) return folded;
  const { read } = encoder.encodeInto(folded, new Uint8Array(maxFoldedBytes));
  return folded.slice(0, read);
}
