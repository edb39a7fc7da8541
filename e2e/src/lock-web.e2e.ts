import { cpSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { conversationLink, createAccount, messageBox, seeMessage, seeTaken, sendMessage, startConversation } from "./testing/app.ts";
import { openBrowser, viewports } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { addAuthenticator } from "./testing/passkeys.ts";
import { joinedConversation, receiveText, registerPerson, sendAndWait } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";
import { readTree, search } from "./testing/search.ts";

/** Where pictures of the screens go; none are made without. */
const pictures = process.env["E2E_PICTURES"];
const passphrase = "seven harbour lanterns sing";

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let page: Page;
let ben: TestPerson;
let conversationId: string;
/** What lay there before the lock. */
let before: number[][];

async function look(tab: Page, name: string): Promise<void> {
  for (const [size, viewport] of Object.entries(viewports)) {
    await tab.setViewportSize(viewport);
    if (pictures !== undefined) await tab.screenshot({ path: join(pictures, `${name}-${size}.png`) });
  }
  await tab.setViewportSize(viewports.desktop);
  expect(await accessibilityProblems(tab)).toEqual([]);
}

const heading = (tab: Page, name: string): Locator => tab.getByRole("heading", { name, exact: true });
/** The screen that asks stands, and not only the page that is about to go. */
const locked = (tab: Page): Promise<void> => tab.getByLabel("Passphrase", { exact: true }).waitFor();
const conversationUrl = (): string => `${server.url}/c/${conversationId}`;

/**
 * In the page: how each record begins as it is stored without a lock; puts a key beside the profile's own whose bytes, as this returns them first, can be
 * looked for.
 */
async function readBefore(): Promise<number[][]> {
  const opened = async (name: string): Promise<IDBDatabase> =>
    await new Promise((resolve) => {
      const request = indexedDB.open(name);
      request.addEventListener("success", () => resolve(request.result));
    });
  const raw = crypto.getRandomValues(new Uint8Array(32));
  const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt"]);
  const side = await opened("latchkey-side/default");
  await new Promise<void>((resolve) => {
    const transaction = side.transaction("keys", "readwrite", { durability: "strict" });
    transaction.objectStore("keys").put(key, "marker");
    transaction.addEventListener("complete", () => resolve());
  });
  side.close();
  const records = await opened("latchkey/default");
  const all = await new Promise<Uint8Array[]>((resolve) => {
    const request = records.transaction("records").objectStore("records").getAll();
    request.addEventListener("success", () => resolve(request.result as Uint8Array[]));
  });
  records.close();
  return [[...raw], ...all.map((one) => [...one.subarray(0, 24)])];
}

/** What stands on the screen, in the title and for readers of it. */
async function shown(tab: Page): Promise<string> {
  return await tab.evaluate(() => `${document.title}\n${document.documentElement.outerHTML}`);
}

async function unlock(tab: Page, typed = passphrase): Promise<void> {
  await tab.getByLabel("Passphrase", { exact: true }).fill(typed);
  await tab.getByRole("button", { name: "Unlock", exact: true }).click();
}

/** Says in the dialog that is open that one may. */
async function confirm(tab: Page): Promise<void> {
  const dialog = tab.getByRole("dialog");
  await dialog.getByLabel("Passphrase", { exact: true }).fill(passphrase);
  await dialog.getByRole("button", { name: "Confirm", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ada = await openBrowser({ folder: folder.at("ada") });
  ({ page } = ada);
  ben = await registerPerson({ home: folder.at("ben"), server: server.url, username: "ben", displayName: "Benedetta" });
  await createAccount(page, { url: server.url, username: "ada" });
  await startConversation(page, { to: ["ben"] });
  await sendMessage(page, "Meet me at the old lighthouse");
  await seeTaken(page, "Meet me at the old lighthouse");
  conversationId = (await joinedConversation(ben.client, "ada")).id;
  await receiveText(ben.client, conversationId, "Meet me at the old lighthouse");
  await sendAndWait(ben.client, conversationId, "I bring the marmalade");
  await seeMessage(page, "I bring the marmalade");
}, 240_000);

afterAll(async () => {
  await ada[Symbol.asyncDispose]();
  await ben[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

describe("the lock", () => {
  test("[O-8] [O-9] turned on with a passphrase: the lock screen first, nothing of the profile on it, in every tab", async () => {
    await page.goto(`${server.url}/settings/lock`);
    await heading(page, "With a passphrase").waitFor();
    await look(page, "lock-off");
    before = await page.evaluate(readBefore);
    expect(before.length).toBeGreaterThan(10);
    await page.getByLabel("New passphrase").fill(passphrase);
    await page.getByLabel("The same again").fill("seven harbour lanterns sink");
    await page.getByText("The two are not the same yet.").waitFor();
    await page.getByLabel("The same again").fill(passphrase);
    await page.getByRole("button", { name: "Turn the lock on" }).click();
    await locked(page);
    await look(page, "lock-screen");
    const second = await ada.context.newPage();
    await second.goto(conversationUrl());
    await locked(second);
    for (const tab of [page, second]) {
      expect(await tab.title()).toBe("Latchkey");
      expect(await shown(tab)).not.toMatch(/benedetta|lighthouse|marmalade|ada@/iu);
    }
    await unlock(second, "seven harbour lanterns sink");
    await second.getByText("This passphrase does not open it.").waitFor();
    await look(second, "lock-wrong");
    await unlock(second);
    await seeMessage(second, "I bring the marmalade");
    expect(await second.title()).toBe("Latchkey");
    // The other tab is open too.
    await heading(page, "What opens it").waitFor();
    await look(page, "lock-on");
    await second.close();
  }, 240_000);

  test("[O-9] locked by the keyboard: all tabs at once, and what was written is there afterwards", async () => {
    await page.goto(conversationUrl());
    await seeMessage(page, "I bring the marmalade");
    const second = await ada.context.newPage();
    await second.goto(`${server.url}/`);
    await second.getByRole("button", { name: "Lock now" }).waitFor();
    await messageBox(page).fill("A draft about saffron");
    await page.keyboard.press("Control+Shift+L");
    for (const tab of [page, second]) {
      await locked(tab);
      expect(await shown(tab)).not.toMatch(/benedetta|lighthouse|marmalade|saffron|ada@/iu);
    }
    await unlock(page);
    await seeMessage(page, "I bring the marmalade");
    await expect.poll(() => messageBox(page).inputValue(), { timeout: 30_000 }).toBe("A draft about saffron");
    await second.close();
  }, 240_000);

  test("[O-8] a passkey opens it too, once somebody who may has said so", async () => {
    await addAuthenticator(page);
    await page.goto(`${server.url}/settings/lock`);
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.getByLabel("What you call it").fill("Key on my ring");
    await page.getByRole("dialog").getByRole("button", { name: "Next", exact: true }).click();
    await page.getByText("Show first that you can open it now.").waitFor();
    await look(page, "lock-confirm");
    await confirm(page);
    await page.getByText("Key on my ring").waitFor();
    await page.getByRole("button", { name: "Lock now" }).first().click();
    await locked(page);
    await look(page, "lock-both");
    await page.getByRole("button", { name: "Use a passkey" }).click();
    await page.getByText("Key on my ring").waitFor();
    expect(await page.getByRole("button", { name: "Remove Key on my ring" }).isVisible()).toBe(true);
  }, 240_000);

  test("[O-8] [O-11] a copy of the browser's folder has nothing that is readable, no key, and opens nothing", async () => {
    // Somebody of whom this browser never knew without the lock.
    const group = await ben.client.startConversation({ to: ["ada"], name: "Orchard committee" });
    await ben.client.send(group.id, "The quinces are ripe");
    await page.goto(`${server.url}/`);
    await conversationLink(page, "Orchard committee").click();
    await seeMessage(page, "The quinces are ripe");
    await messageBox(page).fill("And the medlars");
    await page.goto(conversationUrl());
    await seeMessage(page, "I bring the marmalade");
    expect(await page.title()).toBe("Latchkey");
    await ada[Symbol.asyncDispose]();
    cpSync(folder.at("ada"), folder.at("copy"), { recursive: true });
    const copied = readTree(folder.at("copy"));
    const needlesOf = (...texts: string[]): Map<string, Buffer> => new Map(texts.map((text) => [text, Buffer.from(text)]));
    expect(search(copied, needlesOf("lighthouse", "marmalade", "saffron", "quinces", "medlars", "Orchard", passphrase))).toEqual([]);
    // Of the records and the key of before nothing is left in the browser's files.
    const isLeft = (bytes: number[]): boolean => [...copied.values()].some((file) => file.includes(Buffer.from(bytes)));
    expect(before.filter(isLeft)).toEqual([]);
    // Titles of before: the browser's own list of windows and pages has them.
    const titles = search(copied, needlesOf("Benedetta")).filter(({ file }) => !/\/(?:Sessions\/|History)/u.test(file));
    expect(titles).toEqual([]);
    const thief = await openBrowser({ folder: folder.at("copy") });
    try {
      await thief.page.goto(conversationUrl());
      await locked(thief.page);
      expect(await shown(thief.page)).not.toMatch(/benedetta|lighthouse|marmalade|saffron|ada@/iu);
      await unlock(thief.page, "seven harbour lanterns sink");
      await thief.page.getByText("This passphrase does not open it.").waitFor();
      const found = await thief.page.evaluate(async () => {
        const names = (await indexedDB.databases()).flatMap(({ name }) => name ?? []);
        const keys = await new Promise<number>((resolve, reject) => {
          const request = indexedDB.open("latchkey-side/default");
          request.addEventListener("error", () => reject(new Error("not opened")));
          request.addEventListener("success", () => {
            const count = request.result.transaction("keys").objectStore("keys").count();
            count.addEventListener("success", () => resolve(count.result));
          });
        });
        return { names, keys };
      });
      expect(found.keys).toBe(0);
      expect(found.names).not.toContain("latchkey/default");
    } finally {
      await thief[Symbol.asyncDispose]();
      ada = await openBrowser({ folder: folder.at("ada") });
      ({ page } = ada);
    }
    await page.goto(conversationUrl());
    await locked(page);
    await unlock(page);
    await seeMessage(page, "I bring the marmalade");
  }, 240_000);

  test("[O-10] wrong passphrases wait, and erase everything where the person chose that", async () => {
    await page.goto(`${server.url}/settings/lock`);
    await page.getByLabel("Erase everything here").selectOption("5");
    await page.getByRole("button", { name: "Save these choices" }).click();
    await confirm(page);
    await page.getByRole("button", { name: "Lock now" }).first().click();
    await locked(page);
    for (let left = 4; left > 0; left--) {
      await expect.poll(() => page.getByLabel("Passphrase", { exact: true }).isEnabled(), { timeout: 30_000 }).toBe(true);
      await page.getByLabel("Passphrase", { exact: true }).fill("not the one that opens");
      await page.getByRole("button", { name: "Unlock", exact: true }).click();
      if (left < 4) await page.getByText(left === 1 ? "One more wrong try" : `${String(left)} more wrong tries`).waitFor();
      else await page.getByText("This passphrase does not open it.").waitFor();
    }
    await look(page, "lock-last-try");
    await unlock(page, "not the one that opens");
    await page.getByRole("button", { name: "Create account" }).waitFor();
    await page.goto(conversationUrl());
    await page.getByRole("button", { name: "Create account" }).waitFor();
    expect(ada.violations).toEqual([]);
    expect(ada.errors).toEqual([]);
  }, 240_000);
});
