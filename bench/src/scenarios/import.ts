import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { archiveOf } from "@latchkey/client/testing/archives";
import type { Page } from "playwright-core";
import { unpinGenerator, pinGenerator } from "../machine.ts";
import type { Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";
import { openBrowser } from "../web/browser.ts";
import { signUp } from "../web/people.ts";

const webRoot = fileURLToPath(new URL("../../../apps/web/dist", import.meta.url));

/** What a person waits for who brings in what another messenger exported, and whether the page answers meanwhile. */
export const importing: Scenario = {
  name: "import",
  summary:
    "a chat of 100,000 lines of WhatsApp's export brought into the web app, and one with 1,000 pictures of 200 KB: how long it takes, and the longest that the page stands still",
  async run({ isQuick }) {
    if (!existsSync(join(webRoot, "index.html"))) throw new Error("The web app is not built: node tools/build-web.js");
    const lines = isQuick ? 5000 : 100_000;
    const pictures = isQuick ? 20 : 1000;
    const rounds = isQuick ? 1 : 3;
    unpinGenerator();
    const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-import-"));
    const server = await startServerProcess({ serverOptions: { limits: { publicationIntervalMs: 0 }, webRoot } });
    const url = server.url.replace(/^ws/, "http");
    try {
      const path = join(folder, "WhatsApp Chat with Ben.txt");
      writeFileSync(path, chatOf(lines));
      const [took, stood, found]: [number[], number[], number[]] = [[], [], []];
      await using browser = await openBrowser(folder, "browser");
      const { page } = browser;
      await signUp(page, url, "reader");
      for (let round = 0; round < rounds; round++) {
        const brought = await bringIn(page, url, path);
        took.push(brought.tookS);
        stood.push(brought.stoodMs);
        await page.locator(".portable-list button").first().click();
        await page.locator(".page-body > search input").fill("heron");
        const searchedMs = performance.now();
        await page.locator(".page-body > search .row-button").first().waitFor({ timeout: 60_000 });
        found.push(performance.now() - searchedMs);
      }
      const archivePath = join(folder, "WhatsApp Chat with Zoe.zip");
      writeFileSync(archivePath, archiveWith(pictures));
      const withPictures = await bringIn(page, url, archivePath);
      return {
        parameters: { lines, rounds, pictures },
        figures: [
          { name: "brought in", unit: "s", target: 60, ...summarize(took) },
          { name: "the page stands still, at most", unit: "ms", target: 200, ...summarize(stood) },
          { name: "found in it, from the last letter", unit: "ms", ...summarize(found) },
          { name: "with pictures, brought in", unit: "s", ...summarize([withPictures.tookS]) },
          { name: "the page stands still meanwhile, at most", unit: "ms", target: 200, ...summarize([withPictures.stoodMs]) },
        ],
      };
    } finally {
      await server[Symbol.asyncDispose]();
      pinGenerator();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Chooses the file in the app, and waits until it is brought in. */
async function bringIn(page: Page, url: string, path: string): Promise<{ readonly tookS: number; readonly stoodMs: number }> {
  await page.goto(`${url}/settings/data`);
  const chooser = page.locator('input[type="file"]');
  await chooser.waitFor();
  await page.evaluate(() => {
    const seen = { longestMs: 0, lastMs: performance.now() };
    Object.assign(globalThis, { seen });
    setInterval(() => {
      const nowMs = performance.now();
      seen.longestMs = Math.max(seen.longestMs, nowMs - seen.lastMs);
      seen.lastMs = nowMs;
    }, 5);
  });
  const beganMs = performance.now();
  await chooser.setInputFiles(path);
  await page.locator(".notice-good").waitFor({ timeout: 300_000 });
  const tookS = (performance.now() - beganMs) / 1000;
  const stoodMs = await page.evaluate(() => (Reflect.get(globalThis, "seen") as { longestMs: number }).longestMs);
  return { tookS, stoodMs };
}

/** A chat with so many files of 200 KB, which nothing makes smaller, as those of pictures. */
function archiveWith(pictures: number): Uint8Array {
  const files = Array.from({ length: pictures }, (_, at) => ({ name: `IMG-${String(at)}.jpg`, content: randomBytes(200_000) }));
  const lines = files.map(({ name }, at) => `31/01/2024, 10:${String(at % 60).padStart(2, "0")} - Zoe: ${name} (file attached)\n`);
  return archiveOf({ name: "_chat.txt", content: Buffer.from(lines.join("")) }, ...files);
}

/** Lines as people write them, some of them of several. */
function chatOf(lines: number): string {
  const chat: string[] = [];
  for (let at = 0; at < lines; at++) {
    const time = new Date(Date.UTC(2020, 0, 1, 0, at * 20)).toISOString();
    const head = `${time.slice(8, 10)}/${time.slice(5, 7)}/${time.slice(0, 4)}, ${time.slice(11, 16)} - ${at % 3 === 0 ? "Ada" : "Ben"}: `;
    const words = "we could meet at the old bridge and walk along the river until it gets dark".split(" ").slice(0, 3 + (at % 12));
    chat.push(at % 25 === 24 ? "and on another line" : `${head}${words.join(" ")}${at === 10 ? " heron" : ""}`);
  }
  return `${chat.join("\n")}\n`;
}
