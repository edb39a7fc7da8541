/** Longest name that is shown, in code points. */
const maxNameLength = 64;
/** Longest announcement that is shown. */
const maxNoticeLength = 280;
/** Longest description of a group that is shown, and how many lines of it. */
const maxDescriptionLength = 2048;
const maxDescriptionLines = 40;
/** Marks that may stand on one letter: more only make a line higher. */
const maxMarks = 3;

/**
 * A name of somebody's own making as it is shown: NFC, on one line, without control, direction-changing, zero-width and other characters
 * that nobody sees (emoji keep those that belong to them), with at most three marks on a letter, 64 code points long. "" when no
 * letter, digit or emoji is left (spec E-63).
 */
export function cleanName(text: string): string {
  return cleanLine(text, maxNameLength);
}

/** What an operator tells everybody, as it is shown: cleaned like a name, 280 code points long. "" for what is no text (spec E-80). */
export function cleanNotice(text: unknown): string {
  return typeof text === "string" ? cleanLine(text, maxNoticeLength) : "";
}

/** A group's description as it is shown: each of its first 40 lines cleaned like a name, 2,048 code points in all. */
export function cleanDescription(text: string): string {
  const lines = text.split("\n").slice(0, maxDescriptionLines);
  return [
    ...lines
      .map((line) => cleanLine(line, maxDescriptionLength))
      .join("\n")
      .trim(),
  ]
    .slice(0, maxDescriptionLength)
    .join("");
}

/** The same of any text, with at most `maxLength` code points. */
export function cleanLine(text: string, maxLength: number): string {
  const visible = text
    .slice(0, 16 * maxLength)
    .toWellFormed()
    .normalize("NFC")
    .replaceAll(/[\p{White_Space}\u{2800}\u{1D159}]+/gu, " ")
    .replaceAll(/(\p{RGI_Emoji})|[\p{C}\p{Default_Ignorable_Code_Point}]/gv, (_, emoji: string | undefined) => emoji ?? "")
    .replaceAll(/ {2,}/gu, " ")
    .trim()
    .normalize("NFC")
    .replaceAll(/(^|[ ])\p{M}+/gu, "$1")
    .replaceAll(new RegExp(`(\\p{M}{${String(maxMarks)}})\\p{M}+`, "gu"), "$1");
  const short = [...visible]
    .slice(0, maxLength)
    .join("")
    .replace(/[\s\u200D]+$/u, "");
  return /[\p{L}\p{N}\p{Extended_Pictographic}\p{RI}]/u.test(short) ? short : "";
}
