/** Longest name that is shown, in code points. */
const maxNameLength = 64;
/** Marks that may stand on one letter: more only make a line higher. */
const maxMarks = 3;

/**
 * A name of somebody's own making as it is shown: NFC, on one line, without control, direction-changing, zero-width and other characters
 * that nobody sees (emoji keep those that belong to them), with at most three marks on a letter, 64 code points long. "" when no
 * letter, digit or emoji is left (spec E-63).
 */
export function cleanName(text: string): string {
  const visible = text
    .slice(0, 16 * maxNameLength)
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
    .slice(0, maxNameLength)
    .join("")
    .replace(/[\s\u200D]+$/u, "");
  return /[\p{L}\p{N}\p{Extended_Pictographic}\p{RI}]/u.test(short) ? short : "";
}
