import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Everything of Windows-1252 beyond ASCII: the signs that the built-in fonts of every reader have. */
const builtIn =
  /^[\t\n\u0020-\u007e\u00a0-\u00ff\u20ac\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u017d\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u017e\u0178]*$/u;

/** A part of the font that letters are set in where the built-in one has not all signs. */
export type LetterFont = "latin" | "greek" | "greek-ext" | "cyrillic" | "cyrillic-ext" | "latin-ext";

/** Parts of Noto Sans and the signs that each is used for: what the file has a shape for, and no more. */
const parts: Readonly<Record<LetterFont, RegExp>> = {
  latin:
    /[\u0020-\u007e\u00a0-\u00ff\u0152\u0153\u02c6\u02dc\u2013\u2014\u2018-\u201a\u201c-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122]/u,
  greek: /[\u0370-\u0377\u037a-\u037f\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u03e1\u03f0-\u03ff]/u,
  "greek-ext":
    /[\u1f00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fc4\u1fc6-\u1fd3\u1fd6-\u1fdb\u1fdd-\u1fef\u1ff2-\u1ff4\u1ff6-\u1ffe]/u,
  cyrillic: /[\u0301\u0400-\u045f\u0490\u0491\u04b0\u04b1\u2116]/u,
  "cyrillic-ext": /[\u0460-\u048f\u0492-\u04af\u04b2-\u052f\u20b4]/u,
  "latin-ext": /[\u0100-\u0130\u0132-\u0151\u0154-\u02ba\u02bc-\u02c5\u1e00-\u1e9f\u1ef2-\u1eff]/u,
};

// Nothing but those stands there.
const names = Object.keys(parts) as readonly LetterFont[];

/** Whether a text is set as it is in a built-in font. */
export function isBuiltIn(text: string): boolean {
  return builtIn.test(text);
}

/** A line in pieces of one part of the font each; `undefined` for signs that none has. */
export function piecesOf(text: string): readonly { readonly font: LetterFont | undefined; readonly text: string }[] {
  const pieces: { font: LetterFont | undefined; text: string }[] = [];
  for (const sign of text) {
    const font = names.find((name) => parts[name].test(sign));
    const last = pieces.at(-1);
    if (last !== undefined && last.font === font) last.text += sign;
    else pieces.push({ font, text: sign });
  }
  return pieces;
}

/** What a bundle has of them, as base64: `tools/bundled-fonts.js` puts it here. */
const bundled: Readonly<Record<string, string>> = {};

/** The file of a part: WOFF, 6 to 78 KB. */
export function readFont(name: LetterFont): Uint8Array {
  const text = bundled[name];
  if (text !== undefined) return new Uint8Array(Buffer.from(text, "base64"));
  return new Uint8Array(readFileSync(fileURLToPath(import.meta.resolve(`@fontsource/noto-sans/files/noto-sans-${name}-400-normal.woff`))));
}
