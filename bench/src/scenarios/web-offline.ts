import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import type { Page } from "playwright-core";
import { openWriter, settled } from "../client/people.ts";
import { pinGenerator, unpinGenerator } from "../machine.ts";
import type { Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";
import { openBrowser } from "../web/browser.ts";
import type { HistoryParams } from "../web/history-page.ts";
import { signUp } from "../web/people.ts";

const webRoot = fileURLToPath(new URL("../../../apps/web/dist", import.meta.url));
const fillingPage = fileURLToPath(new URL("../web/history-page.ts", import.meta.url));
const profile = "reader";

/** What a person waits for who opens the app where there is no network, and much was said: a browser that has just started, a server that is gone. */
export const webOffline: Scenario = {
  name: "web-offline",
  summary:
    "the second start of the web app without a network, with 100,000 messages: until those of the last conversation are on the screen",
  async run({ isQuick }) {
    if (!existsSync(join(webRoot, "index.html"))) throw new Error("The web app is not built: node tools/build-web.js");
    const conversations = isQuick ? 2 : 10;
    const perConversation = isQuick ? 500 : 10_000;
    const rounds = isQuick ? 2 : 9;
    unpinGenerator();
    const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-offline-"));
    const server = await startServerProcess({ serverOptions: { limits: { publicationIntervalMs: 0 }, webRoot } });
    const url = server.url.replace(/^ws/, "http");
    try {
      const last = await prepare({ url, folder, conversations, perConversation }).finally(() => server[Symbol.asyncDispose]());
      const [there, installed]: [number[], number[]] = [[], []];
      for (let round = 0; round < rounds; round++) {
        there.push(await start(folder, `${url}/c/${last}`));
        installed.push(await start(folder, `${url}/?app`));
      }
      return {
        parameters: { messages: conversations * perConversation, conversations, rounds },
        figures: [
          { name: "reload offline, to the messages", unit: "ms", target: 1000, ...summarize(there) },
          { name: "installed app offline, to the messages", unit: "ms", target: 1000, ...summarize(installed) },
        ],
      };
    } finally {
      pinGenerator();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** A profile with so many messages in a browser that keeps the app; the id of the conversation that was open last. */
async function prepare(params: { url: string; folder: string; conversations: number; perConversation: number }): Promise<string> {
  const { url, folder, conversations, perConversation } = params;
  const built = join(folder, "filling");
  await build({
    configFile: false,
    logLevel: "error",
    root: folder,
    build: {
      outDir: built,
      target: "esnext",
      minify: false,
      lib: { entry: fillingPage, formats: ["es"], fileName: () => "page.js" },
      // Of what helps tests it is the timeline alone.
      rolldownOptions: { output: { codeSplitting: false }, treeshake: { moduleSideEffects: false } },
    },
  });
  await using browser = await openBrowser(folder, profile);
  const { page } = browser;
  await signUp(page, url, "reader");
  const writer = await openWriter(url);
  const { id } = await writer.startConversation({ to: ["reader"] });
  await writer.send(id, "the first of all");
  await settled(writer);
  await page.getByRole("button", { name: /^Requests \(/u }).click();
  await page.getByRole("button", { name: /^Accept / }).click();
  await page.getByText("the first of all").first().waitFor();
  for (let count = 1; count < conversations; count++) await writer.startConversation({ to: ["reader"], name: `Group ${String(count)}` });
  await settled(writer);
  while ((await page.getByRole("list", { name: "Conversations", exact: true }).getByRole("listitem").count()) < conversations)
    await page.waitForTimeout(500);
  const ids = (await writer.conversations()).map((one) => one.id);
  const account = await writer.account();
  if (account === undefined) throw new Error("there is an account");
  await writer.close();
  await whenKept(page);
  const last = new URL(page.url()).pathname.split("/").at(-1) ?? "";
  // A page of this origin that is none of the app's.
  await page.goto(`${url}/healthz`);
  // A module that exports nothing, and waits at its top.
  await page.evaluate(`(async () => {${readFileSync(join(built, "page.js"), "utf8")}})()`);
  const history: HistoryParams = { conversations: ids, messages: perConversation, accountId: account.accountId };
  await page.evaluate((asked) => globalThis.fillHistory(asked), history);
  return last;
}

/** Milliseconds from the beginning of a navigation until the first message was painted, in a browser that has just started. */
async function start(folder: string, address: string): Promise<number> {
  await using browser = await openBrowser(folder, profile);
  const { page } = browser;
  await page.addInitScript(watchFirstMessage);
  await page.goto(address);
  await page.waitForFunction(() => "firstMessageMs" in globalThis);
  // Put there by `watchFirstMessage`.
  return await page.evaluate(() => Reflect.get(globalThis, "firstMessageMs") as number);
}

/** In the page: when the first message was on the screen. */
function watchFirstMessage(): void {
  const observer = new MutationObserver(() => {
    if (document.querySelector(".messages-item .bubble") === null) return;
    observer.disconnect();
    // A task after the frame: by then it is on the screen.
    requestAnimationFrame(() => setTimeout(() => Object.assign(globalThis, { firstMessageMs: performance.now() })));
  });
  observer.observe(document, { childList: true, subtree: true });
}

/** Resolves when the browser keeps the app whole. */
async function whenKept(page: Page): Promise<void> {
  const isKept = (): Promise<boolean> =>
    page.evaluate(async () => navigator.serviceWorker.controller !== null && (await caches.match("/")) !== undefined);
  while (!(await isKept())) await page.waitForTimeout(250);
}
