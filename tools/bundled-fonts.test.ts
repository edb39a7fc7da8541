import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import { expect, onTestFinished, test } from "vitest";
import type { Letter } from "../packages/server/src/desk/office/requests/letters/letter.ts";
import { letterPdf } from "../packages/server/src/desk/office/requests/letters/letter-pdf.ts";
import { bundledFonts } from "./bundled-fonts.js";

test("a letter made by the bundled program is the letter that the sources make", { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-fonts-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const input = fileURLToPath(new URL("../packages/server/src/desk/office/requests/letters/letter-pdf.ts", import.meta.url));
  const build = await rolldown({ input, platform: "node", logLevel: "silent", plugins: [bundledFonts] });
  const file = join(folder, "letter.mjs");
  await build.write({ file, format: "es", codeSplitting: false });
  await build.close();
  const letter: Letter = {
    kind: "answer",
    title: "Answer",
    atMs: 0,
    day: "1970-01-01",
    host: "chat.example",
    to: ["Zürich", "Εισαγγελία Αθηνών", "Прокуратура на Република България", "Poznań"],
    facts: [["Reference", "1"]],
    paragraphs: ["Words."],
  };
  // It is in a folder without any packages.
  const bundled = (await import(pathToFileURL(file).href)) as { letterPdf: typeof letterPdf };
  expect(Buffer.compare(await bundled.letterPdf(letter), await letterPdf(letter))).toBe(0);
});
