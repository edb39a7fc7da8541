// What another messenger exported is read, searched and erased in the app, on this device alone.
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { archiveOf } from "@latchkey/client/testing/archives";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { createAccount } from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { keptPieces } from "./testing/kept-pieces.ts";
import { isShown, png } from "./testing/png.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";
import { wav } from "./testing/sound.ts";

const hostile = `<img src=x onerror="document.title='ran'">\u202Egpj.exe`;

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ada = await openBrowser({ folder: folder.at("ada"), viewport: { width: 1280, height: 800 } });
  await createAccount(ada.page, { url: server.url, username: "ada" });
}, 180_000);

afterAll(async () => {
  await ada[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** A file of so many messages, every fiftieth of which names a bird. */
function chat(count: number): string {
  const lines = Array.from({ length: count }, (_, at) => {
    const [day, minute] = [1 + (Math.floor(at / 60) % 28), at % 60];
    const said = at % 50 === 49 ? `I saw a heron, number ${String(at)}` : `message ${String(at)}`;
    return `${String(day).padStart(2, "0")}.01.24, 17:${String(minute).padStart(2, "0")} - ${at % 2 === 0 ? "Ada" : "Ben Long-Name"}: ${said}`;
  });
  return [
    "01.01.24, 17:00 - Nachrichten sind Ende-zu-Ende-verschlüsselt.",
    ...lines,
    `28.01.24, 18:00 - Ben Long-Name: ${hostile}`,
    "28.01.24, 18:01 - Ada: IMG-20240128-WA0001.jpg (Datei angehängt)",
  ].join("\n");
}

/** A chat exported with its files: of pictures, a sound, a page that is called a picture, a document, and one that is not in it. */
function chatWithFiles(): Uint8Array<ArrayBuffer> {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const page = bytes(`<!doctype html><script>document.title = "ran"</script>`);
  const files: readonly (readonly [author: string, name: string, content: Uint8Array | undefined])[] = [
    ["Ben", "IMG-20240128-WA0001.png", png(320, 200)],
    ["Ada", "IMG-20240128-WA0002.png", png(200, 300)],
    ["Ben", "PTT-20240128-WA0003.wav", wav(randomBytes(96_000), { rate: 48_000, bits: 16 })],
    ["Ben", "IMG-20240128-WA0004.jpg", page],
    ["Ada", "Plan for the summer.pdf", bytes("%PDF-1.7 a plan")],
    ["Ben", "VID-20240128-WA0006.mp4", undefined],
  ];
  const lines = files.map(([author, name], at) => `28.01.24, 18:0${String(at)} - ${author}: ${name} (Datei angehängt)`);
  const said = [...files].flatMap(([, name, content]) => (content === undefined ? [] : [{ name, content, method: 0 }]));
  return archiveOf({ name: "_chat.txt", content: bytes(`${lines.join("\n")}\n28.01.24, 18:09 - Ada: see you there`) }, ...said);
}

describe("importing", () => {
  test(
    "[Y-4] [Y-5] a chat of WhatsApp is read, searched and erased; what it says is text, and no conversation has it",
    { timeout: 240_000 },
    async () => {
      const { page } = ada;
      const path = join(folder.at("ada"), "WhatsApp Chat with Ben.txt");
      writeFileSync(path, `stray\n${chat(600)}`);
      await page.goto(`${server.url}/settings/data`);
      await page.getByLabel("Your name in a WhatsApp file").fill("Ada");
      await page.getByLabel("Choose a file").setInputFiles(path);
      await page.getByText("Brought in: 603 messages").waitFor({ timeout: 60_000 });
      expect(await accessibilityProblems(page)).toEqual([]);
      await page.getByRole("button", { name: /^Ben/ }).click();
      await page.getByRole("heading", { name: "Ben", level: 1 }).waitFor();
      await page.getByText(hostile).waitFor();
      await page.getByText("File, not here:").waitFor();
      expect(await page.title()).not.toBe("ran");
      expect(await accessibilityProblems(page)).toEqual([]);
      await page.getByRole("button", { name: "Earlier messages" }).click();
      await page.getByText("message 300", { exact: true }).waitFor();
      await page.getByLabel("Search in it").fill("HERON 49");
      await page.getByText(/^Found: /).waitFor();
      await page.getByRole("button", { name: /a heron, number 249/ }).click();
      await page.getByRole("listitem").filter({ hasText: "number 249" }).and(page.locator(":focus")).waitFor();
      await page.getByText("Could not be read as messages, kept aside: 1").click();
      await page.getByText("No message: stray").waitFor();
      await page.reload();
      await page.getByText(hostile).waitFor();
      await page.getByRole("button", { name: "Delete" }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
      await page.getByText("Nothing was brought in yet.").waitFor();
    },
  );

  test(
    "[Y-4] [Y-5] its files come with it: shown, played and saved as those of messages, sealed here, and gone with it",
    { timeout: 240_000 },
    async () => {
      const { page } = ada;
      const path = join(folder.at("ada"), "WhatsApp Chat with Zoe.zip");
      writeFileSync(path, chatWithFiles());
      await page.goto(`${server.url}/settings/data`);
      await page.getByLabel("Your name in a WhatsApp file").fill("Ada");
      await page.getByLabel("Choose a file").setInputFiles(path);
      await page.getByText("Brought in: 7 messages").waitFor({ timeout: 60_000 });
      await page.getByText(/^5 files are here, .* 1 file is not: what was chosen does not have it/).waitFor();
      expect(await keptPieces(page)).toBe(5);
      await page.getByRole("button", { name: /^Zoe/ }).click();
      await page.getByRole("heading", { name: "Zoe", level: 1 }).waitFor();
      const first = page.getByRole("img", { name: "Picture: IMG-20240128-WA0001.png" });
      await expect.poll(() => isShown(first)).toBe(true);
      await page.getByText(/^This cannot be shown/).waitFor();
      await page.getByText("File, not here: VID-20240128-WA0006.mp4").waitFor();
      expect(await page.title()).not.toBe("ran");
      expect(await accessibilityProblems(page)).toEqual([]);

      await page.getByRole("button", { name: /^Open.*WA0001/ }).click();
      const viewer = page.getByRole("dialog", { name: "Pictures and videos of this conversation" });
      await viewer.getByText("Ben,", { exact: false }).first().waitFor();
      expect(await viewer.getByRole("button", { name: "Forward" }).count()).toBe(0);
      await page.keyboard.press("ArrowRight");
      await viewer.getByText("Ada,", { exact: false }).first().waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("group", { name: "Voice message" }).getByRole("button", { name: "Play" }).click();
      await page.getByRole("group", { name: "Voice message" }).getByRole("button", { name: "Pause" }).waitFor();

      const [saved] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "Save Plan for the summer.pdf" }).click(),
      ]);
      expect(saved.suggestedFilename()).toBe("Plan for the summer.pdf");
      expect(readFileSync(await saved.path(), "utf8")).toBe("%PDF-1.7 a plan");

      await page.reload();
      await expect.poll(() => isShown(first)).toBe(true);
      const address = (await first.getAttribute("src")) ?? "";
      const answered = (): Promise<number> => page.evaluate(async (from) => (await fetch(from)).status, address);
      expect(await answered()).toBe(200);
      await page.getByRole("button", { name: "Delete" }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
      await page.getByText("Nothing was brought in yet.").waitFor();
      await expect.poll(() => keptPieces(page)).toBe(0);
      // Whatever still has the address: the worker has no key any more, and this page gives it none.
      await expect.poll(answered).toBe(404);
    },
  );

  test(
    "[Y-6] is stopped while its files come: the words and the files that are there stay, and it says how many are not",
    { timeout: 240_000 },
    async () => {
      const { page } = ada;
      const names = Array.from({ length: 2000 }, (_, at) => `IMG-20240128-WA${String(at).padStart(4, "0")}.png`);
      const text = names.map((name) => `28.01.24, 18:00 - Ben: ${name} (Datei angehängt)`).join("\n");
      const content = png(32, 32);
      const path = join(folder.at("ada"), "WhatsApp Chat with Tom.zip");
      writeFileSync(path, archiveOf({ name: "_chat.txt", content: Buffer.from(text) }, ...names.map((name) => ({ name, content }))));
      await page.goto(`${server.url}/settings/data`);
      await page.getByLabel("Choose a file").setInputFiles(path);
      await page.getByText(/^Taking over files: [1-9]/).waitFor({ timeout: 60_000 });
      await page.getByRole("button", { name: "Stop" }).click();
      await page.getByText("Brought in: 2,000 messages").waitFor();
      await page.getByText(/^[\d,]+ files are here, .* files are not: .* You stopped before all were taken over\.$/).waitFor();
      const before = await keptPieces(page);
      expect(before).toBeGreaterThan(0);
      expect(before).toBeLessThan(2000);
      await page.getByRole("button", { name: /^Tom/ }).click();
      await page.getByText("File, not here: IMG-20240128-WA1999.png").waitFor();
      await page.getByRole("button", { name: "Delete" }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
      await page.getByText("Nothing was brought in yet.").waitFor();
      await expect.poll(() => keptPieces(page), { timeout: 30_000 }).toBe(0);
    },
  );

  test("[Y-6] a file of another kind is refused in words", { timeout: 120_000 }, async () => {
    const { page } = ada;
    const path = join(folder.at("ada"), "notes.txt");
    writeFileSync(path, "only notes");
    await page.goto(`${server.url}/settings/data`);
    await page.getByLabel("Choose a file").setInputFiles(path);
    await page.getByText(/^This is no file that WhatsApp/).waitFor({ timeout: 60_000 });
    await page.getByText("Nothing was brought in yet.").waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
  });
});
