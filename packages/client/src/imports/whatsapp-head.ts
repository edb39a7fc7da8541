/*
 * How a message begins in WhatsApp's text export. The date is written as the phone that made the file writes dates: in any order, with any
 * digits, with unseen characters around it.
 */

/** The three numbers of a date, in the order of the file, and the time of day. */
export interface Head {
  readonly numbers: readonly [number, number, number];
  /** The first of them has four digits: it is the year. */
  readonly isYearFirst: boolean;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** As Americans write it: `1/31/24, 5:30 PM`. */
  readonly isAmerican: boolean;
  /** What stands behind it, as it is written. */
  readonly rest: string;
}

/** Characters of a line in which its head is looked for. */
const lookedAt = 96;
const unseen = /[\u061C\u200B-\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/u;
/** The first digit of the digits of scripts in which phones write dates. */
const zeros = [0x660, 0x6f0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0x1040, 0x17e0, 0xff10];

const date = String.raw`(\d{1,4})(\. ?|[/-])(\d{1,2})\2(\d{1,4})\.?`;
const marker = String.raw`[^\d\s:[\]-][^\d:[\]-]{0,14}?`;
const time = String.raw`(?:(${marker}) ?)?(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?: ?(${marker}))?`;
const heads = [new RegExp(String.raw`^\[${date},? ${time}\] ?`, "u"), new RegExp(String.raw`^${date},? ${time} [-–] `, "u")];

const [before, after] = [
  new Set(["am", "ص", "오전", "上午", "午前", "قظ", "قبلازظهر", "पूर्वाह्न", "öö", "凌晨", "早上", "清晨"]),
  new Set(["pm", "م", "오후", "下午", "午後", "بظ", "بعدازظهر", "अपराह्न", "ös", "中午", "傍晚", "晚上"]),
];

/** The head of a message, or `undefined` where a line begins none. Whether the date can be is not looked at. */
export function headOf(line: string): Head | undefined {
  const first = line.charCodeAt(0);
  // Nearly every line that begins no message begins with a letter.
  if ((first >= 0x61 && first <= 0x7a) || (first >= 0x41 && first <= 0x5a)) return undefined;
  const { text, places } = plainHead(line);
  const found = heads.map((pattern) => pattern.exec(text)).find((match) => match !== null);
  if (found === undefined || found === null) return undefined;
  const [whole, a = "", separator, b = "", c = "", early, hours = "", minutes = "", seconds = "0", late] = found;
  const mark = (early ?? late ?? "").toLowerCase().replaceAll(/[.\s]/gu, "");
  const hour = hourOf(Number(hours), mark);
  return {
    numbers: [Number(a), Number(b), Number(c)],
    isYearFirst: a.length > 2,
    hour,
    minute: Number(minutes),
    second: Number(seconds),
    isAmerican: separator === "/" && c.length === 2 && (mark === "am" || mark === "pm") && !a.startsWith("0"),
    rest: line.slice(places[whole.length] ?? line.length),
  };
}

function hourOf(hour: number, mark: string): number {
  if (before.has(mark)) return hour === 12 ? 0 : hour;
  // Noon is written with either.
  return after.has(mark) && hour < 12 ? hour + 12 : hour;
}

/** The beginning of a line with plain digits and spaces and without what is not seen, and where each character of it stands in the line. */
function plainHead(line: string): { readonly text: string; readonly places: readonly number[] } {
  let text = "";
  const places: number[] = [];
  for (let at = 0; at < line.length && text.length < lookedAt; at++) {
    const character = line[at] ?? "";
    if (unseen.test(character)) continue;
    text += plainCharacter(character);
    places.push(at);
  }
  // What follows the head begins where its last character ends, unseen characters included.
  places.push(Math.min(line.length, (places.at(-1) ?? -1) + 1));
  return { text, places };
}

function plainCharacter(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x80) return character;
  const zero = zeros.find((first) => code >= first && code < first + 10);
  if (zero !== undefined) return String(code - zero);
  if (character === "،" || character === "、") return ",";
  return /\s/u.test(character) ? " " : character;
}
