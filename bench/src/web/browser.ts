import { existsSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import type { BrowserContext, CDPSession, Page } from "playwright-core";

const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--remote-debugging-port=0",
];

/** A real Chromium on a new profile, with one page of a laptop's size. */
export interface Browser extends AsyncDisposable {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly session: CDPSession;
}

/** Starts it; `CHROMIUM` names another one than the system's. */
export async function openBrowser(folder: string, name: string): Promise<Browser> {
  const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) throw new Error(`there is no Chromium at ${executablePath}: set CHROMIUM to its path`);
  const context = await chromium.launchPersistentContext(join(folder, name), {
    executablePath,
    headless: true,
    args: flags,
    viewport: { width: 1280, height: 800 },
    locale: "en-GB",
  });
  context.setDefaultTimeout(120_000);
  const page = context.pages()[0] ?? (await context.newPage());
  await page.addInitScript(watchMainThread);
  return {
    context,
    page,
    session: await context.newCDPSession(page),
    [Symbol.asyncDispose]: () => context.close(),
  };
}

/** In the page: how long the main thread was held, since that was asked last. */
function watchMainThread(): void {
  const held: number[] = [];
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) held.push(duration);
  }).observe({ type: "longtask", buffered: true });
  Object.assign(globalThis, { takeHeld: () => held.splice(0) });
}

/** In the page: when the first field stood there that answers what is typed. The app puts it there with its listeners, in one step. */
function watchFirstField(): void {
  const observer = new MutationObserver(() => {
    if (document.querySelector("#root input") === null) return;
    observer.disconnect();
    Object.assign(globalThis, { firstFieldMs: performance.now() });
  });
  observer.observe(document, { childList: true, subtree: true });
}

/** The tasks of the page's main thread that took 50 ms or more since this was called last, in milliseconds. */
export async function longTasks(page: Page): Promise<readonly number[]> {
  // Put there by `watchMainThread`.
  return await page.evaluate(() => (Reflect.get(globalThis, "takeHeld") as () => number[])());
}

/** Bytes of JavaScript objects that the page holds, after a collection. */
export async function heapBytes({ session }: Pick<Browser, "session">): Promise<number> {
  await session.send("HeapProfiler.enable");
  await session.send("HeapProfiler.collectGarbage");
  return (await session.send("Runtime.getHeapUsage")).usedSize;
}

/** Milliseconds from one frame to the next while the list of messages is drawn on by so many pixels in each. */
export async function scrollFrames(page: Page, params: { byPx: number; frames: number }): Promise<readonly number[]> {
  return await page.locator(".messages-scroll").evaluate(async (element, { byPx, frames }) => {
    const times: number[] = [];
    let before = await new Promise<number>(requestAnimationFrame);
    for (let frame = 0; frame < frames; frame += 1) {
      element.scrollTop += byPx;
      const now = await new Promise<number>(requestAnimationFrame);
      times.push(now - before);
      before = now;
    }
    return times;
  }, params);
}

/** Milliseconds from the Enter that sends what stands in the field until the message was painted. */
export async function enterToPixels(page: Page, text: string): Promise<number> {
  const field = page.getByRole("textbox", { name: "Message", exact: true });
  await field.fill(text);
  await field.focus();
  await page.evaluate((sought) => {
    const painted = new Promise<number>((resolve) => {
      const onKey = ({ timeStamp }: KeyboardEvent): void => {
        const look = (): void => {
          const isThere = [...document.querySelectorAll(".messages-item .bubble")].some((bubble) => bubble.textContent.includes(sought));
          // A task after the frame: by then it is on the screen.
          if (isThere) setTimeout(() => resolve(performance.now() - timeStamp));
          else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
      };
      addEventListener("keydown", onKey, { capture: true, once: true });
    });
    Object.assign(globalThis, { painted });
  }, text);
  await page.keyboard.press("Enter");
  // Put there above.
  return await page.evaluate(() => Reflect.get(globalThis, "painted") as Promise<number>);
}

/** How the first page comes on a processor that is four times slower: milliseconds to its first content, and until one can type. */
export async function firstLoad(
  { context }: Pick<Browser, "context">,
  url: string,
): Promise<{ readonly firstContentMs: number; readonly usableMs: number }> {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  try {
    await session.send("Network.enable");
    await session.send("Network.clearBrowserCache");
    await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
    await page.addInitScript(watchFirstField);
    await page.goto(url);
    await page.getByRole("textbox", { name: "Username", exact: true }).waitFor();
    return await page.evaluate(() => ({
      firstContentMs: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN,
      // Put there by `watchFirstField`.
      usableMs: Reflect.get(globalThis, "firstFieldMs") as number,
    }));
  } finally {
    await page.close();
  }
}
