import { maxTextBytes } from "@latchkey/client/limits";

/** How full one message is. */
export interface Fullness {
  readonly percent: number;
  /** It is worth telling. */
  readonly isNear: boolean;
  readonly isOver: boolean;
}

const nearBytes = maxTextBytes * 0.9;
/** UTF-8 has at most three bytes for each unit of a string. */
const mostBytesOfUnit = 3;

/** How full a message with this text would be. Short texts are not looked at. */
export function fullnessOf(text: string): Fullness {
  if (text.length * mostBytesOfUnit < nearBytes) return { percent: 0, isNear: false, isOver: false };
  const bytes = new TextEncoder().encode(text).length;
  const isOver = bytes > maxTextBytes;
  // Never "100 %" of what fits, nor of what does not.
  const percent = isOver ? Math.max(101, Math.round((bytes / maxTextBytes) * 100)) : Math.floor((bytes / maxTextBytes) * 100);
  return { percent, isNear: bytes >= nearBytes, isOver };
}

/** The longest beginning of a text that still goes into the field and a message, beside `other`. */
export function fitting(text: string, other: string): string {
  const left = maxTextBytes - new TextEncoder().encode(other).length;
  if (left <= 0) return "";
  // It reads no further than what fits, and ends between two characters.
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(left));
  return text.slice(0, Math.min(read, endOfLine(text, maxLines + 1 - linesOf(other))));
}

/** Whether two texts together are so long that they do not go into the field: a page stands still over them. */
export function isTooLongToHold(text: string, other: string): boolean {
  return text.length + other.length > maxTextBytes || endOfLine(text, maxLines + 1 - linesOf(other)) < text.length;
}

/** Lines that the field holds: beyond, a browser takes seconds over it. */
const maxLines = 3000;

function linesOf(text: string): number {
  let lines = 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines += 1;
  return lines;
}

/** Where the first so many lines end. */
function endOfLine(text: string, lines: number): number {
  let at = -1;
  for (let line = 0; line < lines; line += 1) {
    at = text.indexOf("\n", at + 1);
    if (at < 0) return text.length;
  }
  return Math.max(0, at);
}

const firstStrong = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]|\p{L}/u;

/**
 * The direction of a text by its first letter, as `dir="auto"` has it; of none that of the page. In a field of many lines a browser takes
 * half a minute to find out by itself.
 */
export function directionOf(text: string): "ltr" | "rtl" | undefined {
  const letter = firstStrong.exec(text.slice(0, 1000))?.[0];
  if (letter === undefined) return undefined;
  return /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u.test(letter) ? "rtl" : "ltr";
}

/** Lines and characters of a text that fill the field, however wide it is: nobody has to measure them. */
const fullLines = 8;
const fullCharacters = 4000;

/** Whether the field is as high as it gets. Reads no more of the text than it has to. */
export function fillsField(text: string): boolean {
  if (text.length > fullCharacters) return true;
  let at = -1;
  for (let line = 1; line < fullLines; line += 1) {
    at = text.indexOf("\n", at + 1);
    if (at < 0) return false;
  }
  return true;
}

const manyLines = 100;

/** Whether a text has so many lines that a browser is slow to put them into a field as if they were typed. */
export function hasManyLines(text: string): boolean {
  return endOfLine(text, manyLines) < text.length;
}
