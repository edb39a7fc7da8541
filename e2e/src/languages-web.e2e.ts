import { cpSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { createAccount, seeMessage, sendMessage, startConversation } from "./testing/app.ts";
import { openBrowser, viewports } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { joinedConversation, registerPerson, sendAndWait } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { isNightly } from "./testing/profile.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

/** How long is waited for a walk through all screens, looked at one by one. */
const walkMs = 400_000;
const sizes = [viewports.phone, viewports.desktop];

const built = fileURLToPath(new URL("../../apps/web/dist", import.meta.url));

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let page: Page;
let ben: TestPerson;
let cleo: TestPerson;
let chat = "";
let group = "";

beforeAll(async () => {
  folder = createFolder();
  const webRoot = folder.at("web");
  cpSync(built, webRoot, { recursive: true });
  await putLongWords(join(webRoot, "assets"));
  server = await startServerProcess({ data: folder.at("data"), args: ["--web-root", webRoot] });
  ben = await registerPerson({ home: folder.at("ben"), server: server.url, username: "ben", displayName: "Ben Okafor" });
  cleo = await registerPerson({ home: folder.at("cleo"), server: server.url, username: "cleo" });
  ada = await openBrowser({ folder: folder.at("ada") });
  ({ page } = ada);
  await createAccount(page, { url: server.url, username: "ada" });
  await page.getByRole("button", { name: "Later" }).click();
  await startConversation(page, { to: ["ben"] });
  await sendMessage(page, "Shall we meet at the harbour, or somewhere else?");
  chat = new URL(page.url()).pathname;
  const direct = await joinedConversation(ben.client, "ada");
  await sendAndWait(ben.client, direct.id, "مرحبا، في الميناء");
  await seeMessage(page, "مرحبا");
  await startConversation(page, { to: ["ben", "cleo"], groupName: "The gardeners of Harbour Street" });
  await sendMessage(page, "Who brings the seeds?");
  group = new URL(page.url()).pathname;
});

afterAll(async () => {
  await ada[Symbol.asyncDispose]();
  for (const person of [ben, cleo]) await person[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** In place of German, English in words that are 40 % longer: vowels last, and so do sentences. */
async function putLongWords(assets: string): Promise<void> {
  const nameOf = (language: string): string =>
    readdirSync(assets).find((name) => new RegExp(`^words-${language}-.*\\.js$`, "u").test(name)) ?? "";
  const { messages }: { readonly messages?: unknown } = await import(join(built, "assets", nameOf("en")));
  if (messages === undefined) throw new Error("the words of the build are not where they were");
  const target = join(assets, nameOf("de"));
  for (const ending of [".br", ".gz"]) rmSync(`${target}${ending}`, { force: true });
  writeFileSync(target, `export const messages = ${JSON.stringify(longer(messages))};`);
}

/** Texts of compiled messages: what stands alone in a list, and is not the sign for a number. */
function longer(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map((one: unknown) => {
      // A value: its name, its kind, and the texts of its cases.
      if (Array.isArray(one)) return [one[0], one[1], longer(one[2])].slice(0, one.length);
      return typeof one === "string" && one !== "#" ? stretch(one) : one;
    });
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, longer(one)]));
}

function stretch(text: string): string {
  const stretched = text.replaceAll(/[aeiouy]/giu, "$&$&");
  return /\p{L}/u.test(text) ? stretched.padEnd(Math.ceil(text.length * 1.4), "~") : text;
}

/** What is cut off, wider than the window, or wider than what it stands in. */
async function badlyLaidOut(page: Page): Promise<readonly string[]> {
  return await page.evaluate(() => {
    const found: string[] = [];
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth > width) found.push(`the page: ${document.documentElement.scrollWidth} of ${width}`);
    for (const element of document.querySelectorAll<HTMLElement>("body *")) {
      const { left, right, width: own, height } = element.getBoundingClientRect();
      const style = getComputedStyle(element);
      if (own < 2 || height < 2 || style.visibility === "hidden" || element.closest(".visually-hidden, [hidden], svg") !== null) continue;
      // What people wrote may end in dots; what the app says may not.
      const hasDots = ((): boolean => {
        for (let at: Element | null = element; at !== null; at = at.parentElement)
          if (getComputedStyle(at).textOverflow === "ellipsis") return true;
        return false;
      })();
      if (hasDots) continue;
      const name = `${element.tagName.toLowerCase()}.${element.className} "${element.textContent.slice(0, 40)}"`;
      if (left < -1 || right > width + 1) found.push(`${name} stands from ${Math.round(left)} to ${Math.round(right)}`);
      const isText = ["BUTTON", "LABEL", "H1", "H2", "H3", "P", "LI", "DT", "DD", "TH", "STRONG", "LEGEND", "OPTION"].includes(
        element.tagName,
      );
      if (isText && style.display !== "inline" && element.scrollWidth > element.clientWidth + 1)
        found.push(`${name} needs ${element.scrollWidth} and has ${element.clientWidth}`);
    }
    return found;
  });
}

async function speakFromNowOn(page: Page, language: string): Promise<void> {
  await page.evaluate((chosen) => localStorage.setItem("latchkey.language", chosen), language);
}

/** Opens a place, and waits until it stands: its heading is there, and nothing moves any more. */
async function open(page: Page, path: string, language: string): Promise<void> {
  await page.goto(`${server.url}${path}`);
  await page.locator(`html[lang="${language}"]`).waitFor({ state: "attached" });
  await page.locator(".shell h1:visible").first().waitFor();
  await page.evaluate(() => document.fonts.ready);
}

const settings = [
  "",
  "/profile",
  "/notifications",
  "/privacy",
  "/appearance",
  "/storage",
  "/reports",
  "/account",
  "/about",
  "/devices",
  "/devices/link",
  "/recovery",
  "/server",
  "/blocked",
  "/licences",
];

function places(): readonly string[] {
  return ["/", chat, `${chat}/details`, group, `${group}/details`, "/new", "/requests", ...settings.map((part) => `/settings${part}`)];
}

describe("languages", () => {
  test("the system's is spoken before any script has drawn, another one at once and from then on", async () => {
    await using browser = await openBrowser({ folder: folder.at("farah"), locale: "ar-EG" });
    const { page: hers, errors, violations } = browser;
    await hers.goto(server.url);
    await hers.getByRole("button", { name: "إنشاء حساب", exact: true }).waitFor();
    expect(await hers.evaluate(() => [document.documentElement.lang, document.documentElement.dir])).toEqual(["ar", "rtl"]);
    // One language is fetched, at once, beside the scripts.
    const fetched = (): Promise<string[]> =>
      hers.evaluate(() => performance.getEntriesByType("resource").flatMap(({ name }) => /words-[a-z]+/u.exec(name) ?? []));
    expect(new Set(await fetched())).toEqual(new Set(["words-ar"]));
    expect(await hers.locator('link[rel="modulepreload"][href*="words-ar"]').count()).toBe(1);
    await hers.getByRole("textbox", { name: "اسم المستخدم", exact: true }).fill("farah");
    await hers.getByRole("button", { name: "إنشاء حساب", exact: true }).click();
    await hers.getByRole("button", { name: "محادثة جديدة", exact: true }).first().waitFor();

    await hers.goto(`${server.url}/settings/appearance`);
    const arabic = hers.getByRole("combobox", { name: "اللغة", exact: true });
    await arabic.waitFor();
    expect(await arabic.locator("option").first().textContent()).toContain("العربية");
    await hers.evaluate(() => Object.assign(globalThis, { isSamePage: true }));
    await arabic.selectOption("fa");
    const persian = hers.getByRole("combobox", { name: "زبان", exact: true });
    await persian.waitFor();
    await expect.poll(() => persian.evaluate((element) => element === document.activeElement)).toBe(true);
    expect(await hers.evaluate(() => [document.documentElement.lang, document.documentElement.dir, "isSamePage" in globalThis])).toEqual([
      "fa",
      "rtl",
      true,
    ]);
    await persian.selectOption("en");
    await hers.getByRole("combobox", { name: "Language", exact: true }).waitFor();
    expect(await hers.evaluate(() => document.documentElement.dir)).toBe("ltr");
    // The page was drawn anew, and what stands there is what was chosen.
    expect(await hers.getByRole("combobox", { name: "Language", exact: true }).inputValue()).toBe("en");
    await hers.getByRole("combobox", { name: "Language", exact: true }).selectOption("fa");
    await persian.waitFor();

    await hers.reload();
    await persian.waitFor();
    expect(new Set(await fetched())).toEqual(new Set(["words-fa"]));
    // Dates of its own calendar.
    await hers.goto(`${server.url}/settings/devices`);
    await hers
      .getByText(/افزوده/u)
      .first()
      .waitFor();
    expect(errors).toEqual([]);
    expect(violations).toEqual([]);
  });

  test("in Arabic, from right to left, nothing is cut off and axe finds nothing", { timeout: walkMs }, async () => {
    await speakFromNowOn(page, "ar");
    for (const [at, path] of places().entries()) {
      await open(page, path, "ar");
      for (const [which, size] of sizes.entries()) {
        await page.setViewportSize(size);
        await expect.poll(() => badlyLaidOut(page), { message: path }).toEqual([]);
        // By day axe looks at each place in one of both sizes.
        if (isNightly || at % sizes.length === which) expect(await accessibilityProblems(page), path).toEqual([]);
      }
    }
  });

  test("in words that are two fifths longer nothing is cut off", { timeout: walkMs }, async () => {
    await speakFromNowOn(page, "de");
    for (const path of places()) {
      await open(page, path, "de");
      for (const size of sizes) {
        await page.setViewportSize(size);
        await expect.poll(() => badlyLaidOut(page), { message: path }).toEqual([]);
      }
    }
  });

  test.each(["ar", "de"] as const)("nor is anything of what somebody without an account sees: %s", async (language) => {
    await using browser = await openBrowser({ folder: folder.at(`outside-${language}`), locale: language });
    for (const path of ["/", "/recover", "/link"]) {
      await open(browser.page, path, language);
      for (const size of sizes) {
        await browser.page.setViewportSize(size);
        await expect.poll(() => badlyLaidOut(browser.page), { message: path }).toEqual([]);
        if (language === "ar") expect(await accessibilityProblems(browser.page), path).toEqual([]);
      }
    }
  });

  test("in Arabic the keys that point follow what is seen", async () => {
    await page.setViewportSize(viewports.desktop);
    await speakFromNowOn(page, "ar");
    await open(page, chat, "ar");
    const edge = page.getByRole("separator", { name: "عرض قائمة المحادثات" });
    const width = (): Promise<number> => edge.evaluate((element) => Number(element.getAttribute("aria-valuenow")));
    const before = await width();
    await edge.focus();
    // The list is on the right: its edge moves away from it to the left.
    await page.keyboard.press("ArrowLeft");
    expect(await width()).toBe(before + 16);
    await page.keyboard.press("ArrowRight");
    expect(await width()).toBe(before);
  });
});
