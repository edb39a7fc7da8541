import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { createAccount } from "./testing/app.ts";
import { openBrowser, viewports } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

/** Where pictures of the screens go; none are made without. */
const pictures = process.env["E2E_PICTURES"];

let folder: TemporaryFolder;
let server: ServerProcess;
const open: BrowserProfile[] = [];

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
});

afterAll(async () => {
  for (const browser of open) await browser[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function pageOf(name: string): Promise<Page> {
  const browser = await openBrowser({ folder: folder.at(name) });
  open.push(browser);
  return browser.page;
}

async function look(page: Page, name: string): Promise<void> {
  for (const [size, viewport] of Object.entries(viewports)) {
    await page.setViewportSize(viewport);
    if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}-${size}.png`), fullPage: true });
  }
  await page.setViewportSize(viewports.desktop);
  expect(await accessibilityProblems(page)).toEqual([]);
}

describe("recovery by a passphrase", () => {
  test("[A-12] it is made in the settings, and brings the account back in another browser; a wrong try is told on the first [A-14]", async () => {
    const page = await pageOf("ann");
    await createAccount(page, { url: server.url, username: "ann" });
    await page.goto(`${server.url}/settings/account`);
    await page.getByText("Off: the 24 words alone bring your account back.").waitFor();
    // What it is not worth stands there before it is turned on.
    await page.getByText("can try guesses without end and unseen").waitFor();
    await page.getByRole("button", { name: "Turn on", exact: true }).click();
    const made = page.getByRole("status", { name: "Passphrase", exact: true });
    await expect.poll(async () => ((await made.textContent()) ?? "").trim().split(" ").length, { timeout: 30_000 }).toBe(6);
    await look(page, "passphrase-new");
    const passphrase = ((await made.textContent()) ?? "").trim();
    await page.getByRole("button", { name: "Turn on with this passphrase", exact: true }).click();
    await page.getByText(/^On since /).waitFor({ timeout: 60_000 });
    await look(page, "passphrase-on");

    const fresh = await pageOf("fresh");
    await fresh.goto(`${server.url}/recover`);
    await fresh.getByRole("textbox", { name: "Username" }).fill("ann");
    await fresh.getByRole("button", { name: "I have a passphrase instead" }).click();
    const field = fresh.getByLabel("Passphrase", { exact: true });
    await field.fill("surely it is something like this");
    const recover = fresh.getByRole("button", { name: "Recover account", exact: true });
    await recover.click();
    await fresh.getByText("That opened nothing").waitFor({ timeout: 60_000 });
    await look(fresh, "passphrase-wrong");
    // Whoever has the account is told when they look next.
    await page.goto(server.url);
    await page.getByRole("button", { name: "1 wrong try of your passphrase" }).waitFor({ timeout: 30_000 });
    await look(page, "passphrase-tried");
    await page.getByRole("button", { name: "1 wrong try of your passphrase" }).click();
    await page.getByText(/^1 try opened nothing/).waitFor({ timeout: 30_000 });
    await field.fill(passphrase);
    await recover.click();
    await fresh.waitForURL((url) => url.pathname === "/", { timeout: 60_000 });
    // Who came by the passphrase has the words nowhere: they are shown, to be written down.
    await fresh.getByRole("heading", { name: "Your recovery phrase" }).waitFor({ timeout: 30_000 });
    await fresh.goto(`${server.url}/settings/account`);
    await fresh.getByText(/^Somebody who had the passphrase used it on/).waitFor({ timeout: 30_000 });
    await look(fresh, "passphrase-used");
  }, 240_000);
});
