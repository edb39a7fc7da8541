import type PDFDocument from "pdfkit";
import { isBuiltIn, piecesOf, readFont } from "./letter-fonts.ts";
import type { LetterFont } from "./letter-fonts.ts";
import type { Letter } from "./letter.ts";

const margin = 72;
const [ink, faint] = ["#111111", "#555555"];
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
      Title: letter.title,
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
  const pen = new Pen(document);
  const root = document.struct("Document");
  document.addStructure(root);
  const block = (type: string, paint: () => void): void => {
    root.add(document.struct(type, {}, paint));
  };
  const { host, day, to, title, facts, paragraphs } = letter;
  block("P", () => {
    document.font("Helvetica").fontSize(10).fillColor(faint);
    pen.write("Helvetica", `${host}    ${day}`).moveDown(2);
  });
  block("P", () => {
    document.fontSize(11).fillColor(ink);
    pen.write("Helvetica", to.join("\n")).moveDown(2);
  });
  block("H1", () => {
    document.font("Helvetica-Bold").fontSize(14);
    pen.write("Helvetica-Bold", title).moveDown(1);
  });
  for (const [label, written] of facts) {
    const value = written.normalize("NFC");
    block("P", () => {
      document.fontSize(10);
      // A line has one font: two would stand on two lines.
      if (isBuiltIn(value)) {
        document.font("Helvetica-Bold").fillColor(faint).text(`${label}: `, { continued: true });
        document.font("Helvetica").fillColor(ink).text(value);
      } else {
        document.fillColor(ink);
        pen.write("Helvetica", `${label}: ${value}`);
      }
    });
  }
  document.moveDown(1);
  for (const paragraph of paragraphs) {
    block("P", () => {
      document.font("Helvetica").fontSize(11);
      pen.write("Helvetica", paragraph).moveDown(0.8);
    });
  }
  if (!pen.hasWrittenAll) block("P", () => void document.font("Helvetica").fontSize(9).fillColor(faint).text(notShown));
  root.end();
}

/** Writes texts: in a built-in font what it has all signs of, else in Noto Sans, of which the file gets the signs that are used. */
class Pen {
  readonly #document: Page;
  readonly #known = new Set<LetterFont>();
  hasWrittenAll = true;

  constructor(document: Page) {
    this.#document = document;
  }

  write(font: string, written: string): Page {
    const text = written.normalize("NFC");
    if (isBuiltIn(text)) return this.#document.font(font).text(text);
    for (const line of text.split("\n")) this.#writeLine(line);
    return this.#document;
  }

  #writeLine(line: string): void {
    const pieces = piecesOf(line.replaceAll("\t", " ")).map((piece) => {
      this.hasWrittenAll &&= piece.font !== undefined;
      return piece.font === undefined ? ({ font: "latin", text: "[?]" } as const) : { font: piece.font, text: piece.text };
    });
    for (const [index, { font, text }] of pieces.entries()) {
      if (!this.#known.has(font)) this.#document.registerFont(font, Buffer.from(readFont(font)));
      this.#known.add(font);
      this.#document.font(font).text(text, { continued: index < pieces.length - 1 });
    }
  }
}
