import type PDFDocument from "pdfkit";
import type { Letter } from "./letter.ts";

const margin = 72;
const [ink, faint] = ["#111111", "#555555"];
/** Everything of Windows-1252 beyond ASCII: the signs that the built-in fonts of every reader have. */
const shown =
  /^[\t\n\u0020-\u007e\u00a0-\u00ff\u20ac\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u017d\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u017e\u0178]$/u;
const notShown = "Signs that this form cannot show stand as [?]; the text form of the same letter has them all.";

/**
 * A letter as a tagged PDF: the same bytes of the same letter, on whichever machine and in whichever time zone. Loads its library when it is
 * first asked for.
 */
export async function letterPdf(letter: Letter): Promise<Uint8Array> {
  const { default: Document } = await import("pdfkit");
  const at = new Date(letter.atMs);
  const document = new Document({
    size: "A4",
    margins: { top: margin, bottom: margin, left: margin, right: margin },
    pdfVersion: "1.7",
    tagged: true,
    lang: "en",
    displayTitle: true,
    info: {
      Title: visible(letter.title).text,
      Author: letter.host,
      Producer: "Latchkey",
      Creator: "Latchkey",
      CreationDate: at,
      ModDate: at,
    },
  });
  const chunks: Uint8Array[] = [];
  const done = Promise.withResolvers<void>();
  document.on("data", (chunk: Uint8Array) => chunks.push(chunk));
  document.on("end", () => done.resolve());
  document.on("error", (error: Error) => done.reject(error));
  draw(document, letter);
  document.end();
  await done.promise;
  return new Uint8Array(Buffer.concat(chunks));
}

type Page = InstanceType<typeof PDFDocument>;

function draw(document: Page, letter: Letter): void {
  let isAllShown = true;
  const see = (text: string): string => {
    const seen = visible(text);
    isAllShown &&= seen.isAll;
    return seen.text;
  };
  const root = document.struct("Document");
  document.addStructure(root);
  const block = (type: string, paint: () => void): void => {
    root.add(document.struct(type, {}, paint));
  };
  const { host, day, to, title, facts, paragraphs } = letter;
  block(
    "P",
    () =>
      void document
        .font("Helvetica")
        .fontSize(10)
        .fillColor(faint)
        .text(`${see(host)}    ${day}`)
        .moveDown(2),
  );
  block("P", () => void document.fontSize(11).fillColor(ink).text(to.map(see).join("\n")).moveDown(2));
  block("H1", () => void document.font("Helvetica-Bold").fontSize(14).text(see(title)).moveDown(1));
  for (const [label, value] of facts) {
    block("P", () => {
      document.font("Helvetica-Bold").fontSize(10).fillColor(faint).text(`${label}: `, { continued: true });
      document.font("Helvetica").fillColor(ink).text(see(value));
    });
  }
  document.moveDown(1);
  for (const paragraph of paragraphs) block("P", () => void document.font("Helvetica").fontSize(11).text(see(paragraph)).moveDown(0.8));
  if (!isAllShown) block("P", () => void document.fontSize(9).fillColor(faint).text(notShown));
  root.end();
}

/** A text with a mark in place of each sign that cannot be shown. */
function visible(text: string): { text: string; isAll: boolean } {
  const signs = Array.from(text.normalize("NFC"), (sign) => (shown.test(sign) ? sign : "[?]"));
  const seen = signs.join("").replaceAll(/(?:\[\?\])+/g, "[?]");
  return { text: seen, isAll: signs.every((sign) => sign !== "[?]") };
}
