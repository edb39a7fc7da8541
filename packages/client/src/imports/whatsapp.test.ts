import { utf8Bytes } from "@latchkey/codec";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ImportedLine } from "../api/imports.ts";
import { DateOrderFinder, timeOf } from "./whatsapp-dates.ts";
import { headOf } from "./whatsapp-head.ts";
import { isWhatsApp, parseWhatsApp } from "./whatsapp.ts";
import type { Parsed } from "./parsed.ts";

async function* piecesOf(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = utf8Bytes(text);
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

async function parsedOf(text: string, { ownName, size = 7 }: { ownName?: string; size?: number } = {}): Promise<Parsed[]> {
  const parsed: Parsed[] = [];
  for await (const some of parseWhatsApp(() => piecesOf(text, size), { title: "Ben", ownName })) parsed.push(...some);
  return parsed;
}

const linesOf = (parsed: readonly Parsed[]): ImportedLine[] => parsed.flatMap((one) => (one.kind === "line" ? one.line : []));
const asideOf = (parsed: readonly Parsed[]): string[] => parsed.flatMap((one) => (one.kind === "aside" ? `${one.why}: ${one.text}` : []));
const local = (...parts: readonly [number, number, number, number, number, number?]): number => {
  const [year, month, day, hour, minute, second = 0] = parts;
  return new Date(year, month - 1, day, hour, minute, second).getTime();
};

/** The same three messages, 31 January 2024 at 17:30 and 17:31 and 1 February at 00:05, as phones of twelve places write them. */
const locales: Readonly<Record<string, readonly [string, string, string]>> = {
  "American, Android": ["1/31/24, 5:30 PM - ", "1/31/24, 5:31 PM - ", "2/1/24, 12:05 AM - "],
  "American, iOS with a narrow space": ["[1/31/24, 5:30:00 PM] ", "[1/31/24, 5:31:00 PM] ", "[2/1/24, 12:05:00 AM] "],
  British: ["31/01/2024, 17:30 - ", "31/01/2024, 17:31 - ", "01/02/2024, 00:05 - "],
  "German, iOS": ["[31.01.24, 17:30:00] ", "[31.01.24, 17:31:00] ", "[01.02.24, 00:05:00] "],
  Spanish: ["31/1/24, 5:30 p. m. - ", "31/1/24, 5:31 p. m. - ", "1/2/24, 12:05 a. m. - "],
  French: ["31/01/2024 à 17:30 - ", "31/01/2024 à 17:31 - ", "01/02/2024 à 00:05 - "],
  Brazilian: ["31/01/2024 17:30 - ", "31/01/2024 17:31 - ", "01/02/2024 00:05 - "],
  Dutch: ["31-01-2024 17:30 - ", "31-01-2024 17:31 - ", "01-02-2024 00:05 - "],
  Arabic: ["٣١‏/١‏/٢٠٢٤، ٥:٣٠ م - ", "٣١‏/١‏/٢٠٢٤، ٥:٣١ م - ", "١‏/٢‏/٢٠٢٤، ١٢:٠٥ ص - "],
  Persian: ["۱۴۰۲/۱۱/۱۱،‏ ۱۷:۳۰ - ", "۱۴۰۲/۱۱/۱۱،‏ ۱۷:۳۱ - ", "۱۴۰۲/۱۱/۱۲،‏ ۰:۰۵ - "],
  Hindi: ["31/1/24, 5:30 pm - ", "31/1/24, 5:31 pm - ", "1/2/24, 12:05 am - "],
  Japanese: ["2024/01/31 17:30 - ", "2024/01/31 17:31 - ", "2024/02/01 0:05 - "],
  Korean: ["2024. 1. 31. 오후 5:30 - ", "2024. 1. 31. 오후 5:31 - ", "2024. 2. 1. 오전 12:05 - "],
  Chinese: ["2024/1/31 下午5:30 - ", "2024/1/31 下午5:31 - ", "2024/2/1 上午12:05 - "],
  Turkish: ["31.01.2024 17:30 - ", "31.01.2024 17:31 - ", "1.02.2024 00:05 - "],
  Thai: ["31/1/2567 17:30 - ", "31/1/2567 17:31 - ", "1/2/2567 00:05 - "],
};

describe("WhatsApp's text export", () => {
  test.each(Object.entries(locales))("[Y-5] is read as a phone writes it: %s", async (_name, [first, second, third]) => {
    const text = `\uFEFF${first}Ada: hello\r\n${second}Ben: two\r\nlines\r\n${third}Ada: good night\r\n`;
    expect(isWhatsApp(text)).toBe(true);
    for (const size of [1, 5, 4096]) {
      const lines = linesOf(await parsedOf(text, { ownName: "Ada", size }));
      expect(lines.map(({ author, text: said, isOwn }) => [author, said, isOwn])).toEqual([
        ["Ada", "hello", true],
        ["Ben", "two\nlines", false],
        ["Ada", "good night", true],
      ]);
      expect(lines.map(({ sentAtMs }) => sentAtMs)).toEqual([
        local(2024, 1, 31, 17, 30),
        local(2024, 1, 31, 17, 31),
        local(2024, 2, 1, 0, 5),
      ]);
    }
  });

  test("[Y-5] day and month are told apart over the whole file: by what is no month, by dates that go back, then as Americans write", async () => {
    const timesOf = async (...dates: readonly string[]): Promise<(number | undefined)[]> =>
      linesOf(await parsedOf(dates.map((date) => `${date} - Ada: x\n`).join(""))).map(({ sentAtMs }) => sentAtMs);
    expect(await timesOf("1/2/2024, 10:00", "1/13/2024, 10:00")).toEqual([local(2024, 1, 2, 10, 0), local(2024, 1, 13, 10, 0)]);
    expect(await timesOf("9/1/2024, 10:00", "10/1/2024, 10:00", "1/2/2024, 10:00")).toEqual([
      local(2024, 1, 9, 10, 0),
      local(2024, 1, 10, 10, 0),
      local(2024, 2, 1, 10, 0),
    ]);
    expect(await timesOf("3/2/24, 5:30 PM")).toEqual([local(2024, 3, 2, 17, 30)]);
    expect(await timesOf("3/2/24, 17:30")).toEqual([local(2024, 2, 3, 17, 30)]);
  });

  test("[Y-5] what the app itself wrote is nobody's, and files have their names", async () => {
    const text = [
      "31/01/2024, 17:30 - Messages and calls are end-to-end encrypted.",
      "31/01/2024, 17:30 - Ada: IMG-20240131-WA0001.jpg (file attached)",
      "and what is said of it",
      "31/01/2024, 17:31 - Ada: IMG-20240131-WA0002.jpg (Datei angehängt)",
      "31/01/2024, 17:31 - ~ \u202A+49\u00A0170\u00A01234567\u202C: hi",
      "[31.01.24, 17:32:00] Picnic: \u200EAda created this group",
      "\u200E[31.01.24, 17:33:00] Ben: \u200E<Anhang: 00000001-PHOTO-2024-01-31-17-33-00.jpg>",
      "[31.01.24, 17:34:00] Ben: a [1.1.24] - x: y",
      "[31.01.24, 17:35:00] Ben:",
    ].join("\n");
    expect(linesOf(await parsedOf(text)).map(({ kind, author, text: said, fileNames }) => [kind, author, said, ...fileNames])).toEqual([
      ["event", "", "Messages and calls are end-to-end encrypted."],
      ["text", "Ada", "and what is said of it", "IMG-20240131-WA0001.jpg"],
      ["text", "Ada", "", "IMG-20240131-WA0002.jpg"],
      ["text", "~ +49 170 1234567", "hi"],
      ["event", "Picnic", "Ada created this group"],
      ["text", "Ben", "", "00000001-PHOTO-2024-01-31-17-33-00.jpg"],
      ["text", "Ben", "a [1.1.24] - x: y"],
      ["text", "Ben", ""],
    ]);
  });

  test("[Y-6] what is no message is kept aside: lines before the first, dates that cannot be, texts without end", async () => {
    const text = `stray\n99/99/2024, 10:00 - Ada: never\nstill stray\n30/02/2024, 10:00 - Ada: no such day\n31/01/2024, 25:00 - Ada: no such hour\n31/01/2024, 10:00 - Ada: ${"x".repeat(70_000)}\n${"y".repeat(200)}\n31/01/2024, 10:01 - Ada: ok\n`;
    const parsed = await parsedOf(text, { size: 1000 });
    expect(asideOf(parsed).map((one) => one.slice(0, 40))).toEqual([
      "no_message: stray",
      "bad_date: 99/99/2024, 10:00 - Ada: never",
      "no_message: still stray",
      "bad_date: 30/02/2024, 10:00 - Ada: no su",
      "bad_date: 31/01/2024, 25:00 - Ada: no su",
      "too_long: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy",
      "too_long: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]);
    const lines = linesOf(parsed);
    expect(lines.map(({ text: said }) => said.slice(0, 3))).toEqual(["xxx", "ok"]);
    expect(lines[0]?.text.length).toBeLessThanOrEqual(65_536);
  });

  test("[Y-6] nothing throws or is read twice otherwise, whatever stands in the file", async () => {
    const hostile = fc.constantFrom(
      "[",
      "]",
      " - ",
      ": ",
      "1/1/24, 1:01 AM",
      "[1.1.24, 1:01] ",
      "\u200E",
      "\r",
      "\n",
      "\r\n",
      "9".repeat(40),
      "\uD800",
      "٣",
      ":",
      "<a: b>",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(hostile, fc.string())), fc.integer({ min: 1, max: 50 }), async (parts, size) => {
        const text = parts.join("").toWellFormed();
        const [one, other] = [await parsedOf(text, { size }), await parsedOf(text, { size: 10_000 })];
        expect(one).toEqual(other);
      }),
      { numRuns: 200 },
    );
  });

  test("[Y-5] every moment comes back from how it is written", () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(2009, 1, 1), max: new Date(2099, 0, 1), noInvalidDate: true }), (date) => {
        const [d, m, y, h, min] = [date.getDate(), date.getMonth() + 1, date.getFullYear(), date.getHours(), date.getMinutes()];
        const expected = new Date(y, m - 1, d, h, min).getTime();
        const two = (value: number): string => String(value).padStart(2, "0");
        const written: readonly (readonly [string, "dmy" | "mdy"])[] = [
          [`${two(d)}.${two(m)}.${String(y)}, ${two(h)}:${two(min)} - A: x`, "dmy"],
          [
            `${String(m)}/${String(d)}/${two(y % 100)}, ${String(h % 12 === 0 ? 12 : h % 12)}:${two(min)} ${h < 12 ? "AM" : "PM"} - A: x`,
            "mdy",
          ],
          [
            `[${String(y)}/${String(m)}/${String(d)} ${h < 12 ? "上午" : "下午"}${String(h % 12 === 0 ? 12 : h % 12)}:${two(min)}] A: x`,
            "dmy",
          ],
        ];
        for (const [text, order] of written) {
          const head = headOf(text);
          expect(head?.rest).toBe("A: x");
          if (head !== undefined) expect(timeOf(head, order)).toBe(expected);
        }
      }),
    );
  });

  test("[Y-5] days of the Persian calendar are those that browsers know", () => {
    const format = new Intl.DateTimeFormat("en-u-ca-persian", { year: "numeric", month: "numeric", day: "numeric", timeZone: "UTC" });
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(2009, 1, 1) / 86_400_000, max: Date.UTC(2060, 0, 1) / 86_400_000 }), (day) => {
        const parts = format.formatToParts(day * 86_400_000);
        const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? "";
        const head = headOf(`${Number.parseInt(part("year"), 10)}/${part("month")}/${part("day")}, 0:00 - A: x`);
        if (head === undefined) throw new Error("a head");
        const finder = new DateOrderFinder();
        finder.saw(head);
        const date = new Date(day * 86_400_000);
        expect(timeOf(head, finder.order())).toBe(new Date(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()).getTime());
      }),
    );
  });
});
