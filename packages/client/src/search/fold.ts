/*
 * How texts are compared when they are searched: compatible forms, case, accents and vowel points, invisible characters, and the ways in
 * which Arabic and Persian keyboards write the same letter are put aside. Marks that are letters in their script (Devanagari, Thai, kana)
 * stay. It knows no language and no context: what is folded of two texts is folded of both together.
 */

/** First digit of the decimal digits that are no compatible forms of ASCII's. */
const zeros = [
  0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0, 0xf20, 0x1040, 0x17e0,
] as const;

const letters: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  ł: "l",
  đ: "d",
  ħ: "h",
  ı: "i",
  ς: "σ",
  "\u0671": "\u0627",
  "\u0649": "\u064a",
  "\u06cc": "\u064a",
  "\u06a9": "\u0643",
  "\u06aa": "\u0643",
  "\u0629": "\u0647",
  "\u06c1": "\u0647",
  "\u06c3": "\u0647",
  "\u06d5": "\u0647",
};

const marks =
  "\\u0300-\\u036f\\u0483-\\u0489\\u0591-\\u05bd\\u05bf\\u05c1\\u05c2\\u05c4\\u05c5\\u05c7\\u0610-\\u061a\\u064b-\\u065f\\u0670\\u06d6-\\u06dc" +
  "\\u06df-\\u06e4\\u06e7\\u06e8\\u06ea-\\u06ed\\u0711\\u0730-\\u074a\\u08d3-\\u08ff\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u20d0-\\u20ff\\ufe20-\\ufe2f";
const invisible =
  "\\u00ad\\u061c\\u0640\\u180b-\\u180e\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufe00-\\ufe0f\\ufeff\\u{e0000}-\\u{e0fff}";
const digits = zeros.map((zero) => `\\u{${zero.toString(16)}}-\\u{${(zero + 9).toString(16)}}`).join("");

const dropped = new RegExp(`[${marks}${invisible}]+`, "gu");
const spaces = /[\s\p{Cc}]/gu;
const quotes = /[\u2018-\u201b]/g;
const doubleQuotes = /[\u201c-\u201f]/g;
const dashes = /[\u2010-\u2015\u2212]/g;
const replaced = new RegExp(`[${Object.keys(letters).join("")}${digits}]`, "gu");
// oxlint-disable-next-line no-control-regex
const ascii = /^[\0-\x7f]*$/;
// oxlint-disable-next-line no-control-regex
const asciiSpaces = /[\0-\x1f\x7f]/g;

/** Whether folding leaves every character of a text at its place. */
export function keepsPlaces(text: string): boolean {
  return ascii.test(text);
}

/** A text as it is compared: of the same length where it is ASCII. It has no capital letter of ASCII's, and no tab or line break. */
export function fold(text: string): string {
  if (keepsPlaces(text)) return text.toLowerCase().replaceAll(asciiSpaces, " ");
  return text
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(dropped, "")
    .replaceAll(spaces, " ")
    .replaceAll(quotes, "'")
    .replaceAll(doubleQuotes, '"')
    .replaceAll(dashes, "-")
    .replaceAll(replaced, replacementOf);
}

/** UTF-16 units that are folded at once of what may become much longer. */
const pieceLength = 256;

/** A text as it is compared, by pieces: `folded` is of `text`, and the texts of all are the whole. */
export function* foldPieces(text: string): Generator<{ readonly text: string; readonly folded: string }> {
  for (let start = 0; start < text.length;) {
    const end = characterStart(text, Math.min(text.length, start + pieceLength));
    const piece = text.slice(start, end);
    yield { text: piece, folded: fold(piece) };
    start = end;
  }
}

/** Where the character begins of which this unit of UTF-16 is. */
export function characterStart(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff && at > 0 ? at - 1 : at;
}

/** Units of a folded text that are looked at: some ligatures are written out in eighteen letters. */
const maxFoldedLength = 65_536;

/** A text as it is compared, as far as it is searched. */
export function foldMessage(text: string): string {
  if (keepsPlaces(text) || text.length <= pieceLength) return fold(text);
  let folded = "";
  for (const piece of foldPieces(text)) {
    if (folded.length > maxFoldedLength) break;
    folded += piece.folded;
  }
  return folded;
}

function replacementOf(character: string): string {
  const known = letters[character];
  if (known !== undefined) return known;
  const code = character.codePointAt(0) ?? 0;
  const zero = zeros.findLast((one) => one <= code) ?? code;
  return String(code - zero);
}
