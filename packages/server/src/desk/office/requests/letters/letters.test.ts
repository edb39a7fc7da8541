import { letterKinds } from "@latchkey/protocol/desk";
import { execFileSync } from "node:child_process";
import { inflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { parseReceipt, receiptRecord } from "@latchkey/counts";
import { fromBase64Url, toHex } from "@latchkey/codec";
import { sha256 } from "../../../../hash.ts";
import { TestDesk } from "../../office.testing.ts";
import type { Colleague } from "../../office.testing.ts";
import { intakeOf } from "../requests.testing.ts";
import { requestTypes } from "../type-rows.ts";
import { piecesOf } from "./letter-fonts.ts";
import { composeLetter, letterText } from "./letter.ts";
import type { Letter } from "./letter.ts";
import { letterPdf } from "./letter-pdf.ts";
import type { StoredRequest } from "../request-body.ts";

const nowMs = Date.parse("2026-10-21T09:30:00Z");
const [type] = requestTypes;

function request(parts: Parameters<typeof intakeOf>[0] = {}): StoredRequest {
  if (type === undefined) throw new Error("there are types");
  const body = {
    intake: intakeOf({ receivedAtMs: Date.parse("2026-10-20T12:30:00Z"), ...parts }),
    type,
    calendar: { zone: "Europe/Berlin", holidays: [] },
    subjects: [],
    preservation: { fromMs: nowMs, extensions: 0, state: "asked" as const },
  };
  return { number: 7, revision: 1, state: "received", openedMs: nowMs, key: new Uint8Array(32), erasedDay: undefined, body };
}

function letter(parts: Parameters<typeof intakeOf>[0] = {}, words = ""): Letter {
  return composeLetter({ request: request(parts), input: { kind: "acknowledgement", words }, host: "chat.example", nowMs, receipts: [] });
}

function streamsOf(pdf: Buffer): readonly string[] {
  return [...pdf.toString("latin1").matchAll(/stream\n([\s\S]*?)\nendstream/g)].map(([, data = ""]) => {
    try {
      return inflateSync(Buffer.from(data, "latin1")).toString("latin1");
    } catch {
      return "";
    }
  });
}

test("[F-16] each kind of letter has its words, and nothing in it is left to be filled in", () => {
  for (const kind of letterKinds) {
    const input = { kind, words: "Own words.", ...(kind === "form-3" ? { grounds: ["not-possible-data-not-held" as const] } : {}) };
    const text = letterText(composeLetter({ request: request(), input, host: "chat.example", nowMs, receipts: [] }));
    expect([kind, /[{}]|undefined|NaN/.test(text)]).toEqual([kind, false]);
    expect(text).toContain("241 Js 100/26");
    expect(text).toContain("Own words.");
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThan(120);
  }
});

test("[F-16] an acknowledgement says by when, and not whether there is such an account", () => {
  const text = letterText(letter());
  expect(text).toContain("2026-10-30 14:30 (Europe/Berlin)");
  expect(text.replaceAll("\n", " ")).toContain("if there are any");
  expect(text).not.toContain("oscar");
});

test("[F-16] what somebody wrote in braces, or as if it were another line, stays what they wrote", () => {
  const authority = { name: "{host} Office", country: "DE", reference: "{number}" };
  const text = letterText(letter({ authority }, "First {type}.\n\nSecond.\n\n\n\nThird"));
  for (const word of ["{host} Office", "{number}", "First {type}.", "Second.", "Third"]) expect(text).toContain(word);
});

test("[F-16] the PDF is tagged, says its language and title, and has the letter's words", async () => {
  const pdf = Buffer.from(await letterPdf(letter({}, "Straße für “Zürich” – 5 €")));
  const plain = pdf.toString("latin1");
  for (const mark of ["%PDF-1.7", "/MarkInfo", "/StructTreeRoot", "/Lang (en)", "/DisplayDocTitle true", "/S /H1", "/S /P"]) {
    expect([mark, plain.includes(mark)]).toEqual([mark, true]);
  }
  // Its text is in the fonts' own signs, as hexadecimal.
  const shown = streamsOf(pdf)
    .join("")
    .replaceAll(/<([0-9a-f]+)>[^<\]]*/gi, (_, hex: string) => Buffer.from(hex, "hex").toString("latin1"));
  for (const word of ["Zürich", "Straße", "Staatsanwaltschaft"]) expect([word, shown.includes(word)]).toEqual([word, true]);
});

test("[F-16] Greek, Cyrillic and all Latin names stand in the PDF; what it cannot show is marked and said, and the text form has it", async () => {
  const of = (name: string): Letter => letter({ authority: { name, country: "GR", reference: "1" } });
  const notSaid = (await letterPdf(of("Athens"))).length;
  const names = [
    "Εισαγγελία Αθηνών",
    "Прокуратура на Република България",
    "Офіс Генерального прокурора України",
    "Sąd Rejonowy w Łodzi, Poznań",
  ];
  for (const name of names) {
    const made = of(name);
    expect(letterText(made)).toContain(name);
    const pdf = Buffer.from(await letterPdf(made));
    expect(toHex(sha256(await letterPdf(structuredClone(made))))).toBe(toHex(sha256(pdf)));
    // What a reader finds and copies: each sign that was used, by its code.
    const codes = streamsOf(pdf)
      .filter((text) => text.includes("beginbfrange"))
      .join("");
    for (const sign of name.replaceAll(" ", "")) {
      expect([sign, codes.includes(sign.charCodeAt(0).toString(16).padStart(4, "0"))]).toEqual([sign, true]);
    }
    expect(pdf.length).toBeGreaterThan(notSaid + 1000);
  }
  const arabic = of("النيابة العامة");
  expect(letterText(arabic)).toContain("النيابة العامة");
  expect(piecesOf("النيابة").every(({ font }) => font === undefined)).toBe(true);
  const said = streamsOf(Buffer.from(await letterPdf(arabic)))
    .join("")
    .replaceAll(/<([0-9a-f]+)>[^<\]]*/gi, (_, hex: string) => Buffer.from(hex, "hex").toString("latin1"));
  expect(said).toContain("Signs that this form cannot show");
});

test("[F-16] the same letter is the same bytes in whichever time zone, and another day's is not", { timeout: 60_000 }, async () => {
  const made = letter();
  const here = toHex(sha256(await letterPdf(made)));
  expect(toHex(sha256(await letterPdf(structuredClone(made))))).toBe(here);
  const module = new URL("./letter-pdf.ts", import.meta.url).href;
  const script = `
    import { createHash } from "node:crypto";
    const { letterPdf } = await import(${JSON.stringify(module)});
    process.stdout.write(createHash("sha256").update(await letterPdf(${JSON.stringify(made)})).digest("hex"));`;
  for (const TZ of ["Asia/Tokyo", "America/St_Johns"]) {
    const env = { ...process.env, TZ, LANG: "de_DE.UTF-8" };
    expect([TZ, execFileSync(process.execPath, ["--input-type=module", "-e", script], { env, encoding: "utf8" })]).toEqual([TZ, here]);
  }
  expect(toHex(sha256(await letterPdf({ ...made, atMs: made.atMs + 86_400_000 })))).not.toBe(here);
});

test("[F-16] a letter is kept as it was written: what is found later changes none", async () => {
  const desk = await TestDesk.begin();
  const ada: Colleague = await desk.colleague("Ada", []);
  let { request: open } = await ada.ask("request-open", { intake: intakeOf({ receivedAtMs: desk.nowMs }) });
  const { number } = open;
  const first = await ada.ask("request-letter-preview", { number, letter: { kind: "acknowledgement", words: "Thank you." } });
  const at = { number, revision: open.revision };
  ({ request: open } = await ada.ask("request-letter-write", { ...at, letter: { kind: "acknowledgement", words: "Thank you." } }));
  expect(await ada.refusal("request-letter-write", { ...at, letter: { kind: "acknowledgement" } })).toBe("changed");
  expect(open.letters).toMatchObject([{ number: 1, kind: "acknowledgement", by: "Ada", title: "Your request has been received" }]);
  const written = await ada.ask("request-letter-get", { number, letter: 1 });
  expect(written.text).toBe(first.text);
  desk.nowMs += 3 * 86_400_000;
  const changed = { ...open.intake, authority: { ...open.intake.authority, reference: "another" } };
  await ada.ask("request-change", { number, revision: open.revision, intake: changed });
  await desk.restart();
  const again = await (await desk.again("Ada")).ask("request-letter-get", { number, letter: 1 });
  expect(again).toEqual(written);
  expect(Buffer.from(fromBase64Url(again.pdf)).subarray(0, 8).toString()).toBe("%PDF-1.7");
  expect(again.name).toBe("request-1-letter-1-acknowledgement");
  const bad = [{ kind: "form-3" }, { kind: "refusal", grounds: ["other"] }, { kind: "poem" }, { kind: "answer", words: "x".repeat(8001) }];
  const late = await desk.again("Ada");
  for (const one of bad) expect(await late.refusal("request-letter-preview", { number, letter: one as never })).toBe("malformed");
  expect(await late.refusal("request-letter-get", { number, letter: 2 })).toBe("not_found");
});

test("[K-5] a letter has the receipts of what is counted of the request, each on a line that is read again, and none of what stays sealed for good", async () => {
  const desk = await TestDesk.begin();
  const ada: Colleague = await desk.colleague("Ada", []);
  const open = async (type: string): Promise<readonly string[]> => {
    const intake = intakeOf({ type, categories: [], receivedAtMs: desk.nowMs, secrecy: { kind: "none" } });
    const { number, revision } = (await ada.ask("request-open", { intake })).request;
    await ada.ask("request-letter-write", { number, revision, letter: { kind: "acknowledgement" } });
    const { text, pdf } = await ada.ask("request-letter-get", { number, letter: 1 });
    expect(fromBase64Url(pdf).length).toBeGreaterThan(1000);
    return text.split("\n").filter((line) => line.startsWith("latchkey-receipt-1."));
  };
  const lines = await open("eu-production-order");
  expect(lines.map((line) => receiptRecord(parseReceipt(line)))).toMatchObject([
    { kind: "arrival", type: "eu-production-order" },
    // A European order's copy is kept on receipt.
    { kind: "outcome", result: "preserved" },
  ]);
  expect(await open("uk-capability-notice")).toEqual([]);
});
