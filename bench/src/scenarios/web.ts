import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openWriter, settled, someText, write } from "../client/people.ts";
import { pinGenerator, unpinGenerator } from "../machine.ts";
import type { Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";
import { enterToPixels, firstLoad, heapBytes, longTasks, openBrowser, scrollFrames } from "../web/browser.ts";

const webRoot = fileURLToPath(new URL("../../../apps/web/dist", import.meta.url));
const mib = 2 ** 20;
/** Messages that wait to be sent at a time. */
const batch = 500;

/** The web app in a real Chromium, on the real server, in a conversation of 10,000 messages of which all were loaded. */
export const web: Scenario = {
  name: "web",
  summary: "the web app in Chromium with 10,000 messages: Enter to pixels, scrolling, memory, the main thread, the first load",
  async run({ isQuick }) {
    if (!existsSync(join(webRoot, "index.html"))) throw new Error("The web app is not built: node tools/build-web.js");
    const messages = isQuick ? 300 : 10_000;
    const rounds = isQuick ? 3 : 30;
    const frames = isQuick ? 60 : 600;
    // The browser has the processor as it would on a laptop of two cores.
    unpinGenerator();
    const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-web-"));
    await using server = await startServerProcess({ serverOptions: { limits: { publicationIntervalMs: 0 }, webRoot } });
    const url = server.url.replace(/^ws/, "http");
    try {
      const loads = [];
      for (let round = 0; round < (isQuick ? 1 : 7); round += 1) {
        await using fresh = await openBrowser(folder, `fresh-${String(round)}`);
        loads.push(await firstLoad(fresh, url));
      }
      await using browser = await openBrowser(folder, "reader");
      const { page } = browser;
      await page.goto(url);
      await page.getByRole("textbox", { name: "Username", exact: true }).fill("reader");
      await page.getByRole("button", { name: "Create account", exact: true }).click();
      await page.getByRole("button", { name: "Later" }).click();
      const writer = await openWriter(url);
      const { id } = await writer.startConversation({ to: ["reader"] });
      await writer.send(id, "the first of all");
      await settled(writer);
      await page.getByRole("button", { name: /^Requests \(/u }).click();
      await page.getByRole("button", { name: /^Accept / }).click();
      await page.getByText("the first of all").first().waitFor();
      for (let sent = 0; sent < messages; sent += batch) {
        const texts = Array.from(
          { length: Math.min(batch, messages - sent) },
          (_, at) => `${String(sent + at)} ${someText(20 + ((at * 37) % 180))}`,
        );
        await Promise.all(texts.map((text) => writer.send(id, text)));
        await settled(writer);
      }
      await write(writer, id, ["the last of all"]);
      await page.locator(".messages-item", { hasText: "the last of all" }).waitFor();
      await longTasks(page);

      // All of it is loaded once, upwards and down again.
      const up = await scrollFrames(page, { byPx: -240, frames });
      while ((await page.locator(".messages-item", { hasText: "the first of all" }).count()) === 0)
        await scrollFrames(page, { byPx: -4000, frames: 20 });
      const down = await scrollFrames(page, { byPx: 240, frames });
      const scrolling = await longTasks(page);
      await page.getByRole("button", { name: "Jump to the newest message" }).click();
      await page.locator(".messages-item", { hasText: "the last of all" }).waitFor();
      const heap = await heapBytes(browser);
      const entered: number[] = [];
      for (let round = 0; round < rounds; round += 1) entered.push(await enterToPixels(page, `answer ${String(round)} ${someText(30)}`));
      const sending = await longTasks(page);
      await writer.close();
      const p95 = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? Number.NaN;
      const worst = (tasks: readonly number[]): readonly number[] => [Math.max(0, ...tasks)];
      return {
        parameters: { messages, rounds, frames },
        figures: [
          { name: "Enter to pixels", unit: "ms", target: 50, ...summarize(entered) },
          { name: "frame while scrolling up, p95", unit: "ms", target: 16.7, ...summarize([p95(up)]) },
          { name: "frame while scrolling down, p95", unit: "ms", target: 16.7, ...summarize([p95(down)]) },
          { name: "longest task while scrolling", unit: "ms", target: 100, ...summarize(worst(scrolling)) },
          { name: "longest task while sending", unit: "ms", target: 100, ...summarize(worst(sending)) },
          { name: "objects that the page holds", unit: "MiB", target: 40, ...summarize([heap / mib]) },
          {
            name: "first content, processor 4 times slower",
            unit: "ms",
            target: 1000,
            ...summarize(loads.map(({ firstContentMs }) => firstContentMs)),
          },
          { name: "until one can type, 4 times slower", unit: "ms", target: 1500, ...summarize(loads.map(({ usableMs }) => usableMs)) },
        ],
      };
    } finally {
      pinGenerator();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
