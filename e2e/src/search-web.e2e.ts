import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { createAccount, messagesWith, seeMessage, sendMessage, startConversation } from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { joinedConversation, receiveText, registerPerson, sendAndWait } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let ben: TestPerson;
let conversationId: string;
let secretId: string;
let clumsyId: string;

const fillers = 400;

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ada = await openBrowser({ folder: folder.at("ada"), viewport: { width: 1280, height: 800 } });
  ben = await registerPerson({ home: folder.at("ben"), server: server.url, username: "ben", displayName: "Ben Müller" });
  await createAccount(ada.page, { url: server.url, username: "ada" });
  await startConversation(ada.page, { to: ["ben"] });
  await sendMessage(ada.page, "Hello Ben, what an unexceptional day");
  conversationId = (await joinedConversation(ben.client, "ada")).id;
  await receiveText(ben.client, conversationId, "Hello Ben, what an unexceptional day");
  await sendAndWait(ben.client, conversationId, "An exceptional day, far up");
  await sendAndWait(ben.client, conversationId, "عندي كتاب جديد");
  ({ id: secretId } = await sendAndWait(ben.client, conversationId, "the zebra is hidden"));
  ({ id: clumsyId } = await sendAndWait(ben.client, conversationId, "see you on Moonday"));
  for (let count = 1; count < fillers; count++) await ben.client.send(conversationId, `filler number ${String(count)}`);
  await sendAndWait(ben.client, conversationId, `filler number ${String(fillers)}`);
  await seeMessage(ada.page, `filler number ${String(fillers)}`);
});

afterAll(async () => {
  await ada[Symbol.asyncDispose]();
  await ben[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const field = (page: Page): Locator => page.getByRole("searchbox", { name: "Search", exact: false }).first();
const found = (page: Page): Locator => page.locator(".found li");
const status = (page: Page): Locator => page.locator(".found").getByRole("status");

/** A page that was just loaded may not listen to keys yet. */
async function lookFor(page: Page, query: string): Promise<void> {
  const isAt = async (): Promise<boolean> => {
    await page.keyboard.press("Control+k");
    return await field(page).evaluate((input) => input === document.activeElement);
  };
  await expect.poll(isAt).toBe(true);
  await page.keyboard.insertText(query);
}

describe("searching", () => {
  test("finds a part of a word, marks it, and Enter leads to the message far up, by the keyboard alone", async () => {
    const { page } = ada;
    await lookFor(page, "PTIO");
    await found(page).nth(1).waitFor();
    await expect.poll(() => status(page).textContent()).toBe("2 messages found");
    expect(await found(page).locator("mark").allTextContents()).toEqual(["ptio", "ptio"]);
    expect(await found(page).first().textContent()).toContain("An exceptional day, far up");
    expect(await found(page).nth(1).textContent()).toContain("You");
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => page.evaluate(() => document.activeElement?.closest(".found") !== null)).toBe(true);
    await page.keyboard.press("Enter");
    await page.locator(".messages-item-marked", { hasText: "An exceptional day, far up" }).waitFor();
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toContain("An exceptional day, far up");
  });

  test("finds Arabic however it is typed, by whom, and nothing by what is no condition", async () => {
    const { page } = ada;
    await lookFor(page, "کِتاب");
    await expect.poll(() => found(page).allTextContents()).toHaveLength(1);
    expect(await found(page).first().textContent()).toContain("كتاب");
    await lookFor(page, "from:me");
    await expect.poll(() => found(page).locator("mark").count()).toBe(0);
    await expect.poll(() => status(page).textContent()).toBe("1 message found");
    expect(await found(page).first().textContent()).toContain("unexceptional");
    await lookFor(page, "from:muller ptio");
    await expect.poll(() => found(page).first().textContent()).toContain("An exceptional day");
    await lookFor(page, "has:sticker");
    await expect.poll(() => status(page).textContent()).toBe("Nothing can be searched by has:sticker");
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  test("has the newest first, and older ones when they are asked for", async () => {
    const { page } = ada;
    await lookFor(page, "filler");
    await expect.poll(() => status(page).textContent()).toBe("The newest 50 messages found");
    expect(await found(page).first().textContent()).toContain(`filler number ${String(fillers)}`);
    await page.getByRole("button", { name: "Search older messages" }).click();
    await expect.poll(() => found(page).count()).toBe(200);
  });

  test("what is deleted is found no more, and what is edited by its new text alone, after the page is loaded anew as well", async () => {
    const { page } = ada;
    await lookFor(page, "zebra");
    await expect.poll(() => status(page).textContent()).toBe("1 message found");
    await ben.client.deleteMessages(conversationId, [secretId], { forEveryone: true });
    await ben.client.edit(conversationId, clumsyId, "see you on Monday");
    await sendAndWait(ben.client, conversationId, "both are done");
    await page.keyboard.press("Escape");
    await page.locator(".list-item", { hasText: "both are done" }).waitFor();
    for (const round of ["as it is", "loaded anew"]) {
      if (round === "loaded anew") await page.reload();
      await field(page).waitFor();
      await lookFor(page, "zebra");
      await expect.poll(() => status(page).textContent()).toBe("Nothing found for “zebra”");
      await lookFor(page, "moonday");
      await expect.poll(() => status(page).textContent()).toBe("Nothing found for “moonday”");
      await lookFor(page, "monday");
      await expect.poll(() => status(page).textContent()).toBe("1 message found");
    }
    await page.keyboard.press("Escape");
    await page.locator(".found").waitFor({ state: "detached" });
  });

  test("in a conversation goes from one to the next while the focus stays in the field, and gives it back", async () => {
    const { page } = ada;
    const button = page.getByRole("button", { name: "Search in this conversation" });
    const place = page.locator(".conversation-search").getByRole("status");
    await button.click();
    await page.locator(".conversation-search input:focus").waitFor();
    await page.keyboard.insertText('"number 39"');
    // 39 and 390 to 399.
    await expect.poll(() => place.textContent()).toBe("1 of 11");
    await messagesWith(page, "filler number 399").waitFor();
    // What was looked for is marked in every message on the screen.
    const marks = (): Promise<number> => page.evaluate(() => CSS.highlights.get("search")?.size ?? 0);
    await expect.poll(marks).toBeGreaterThan(5);
    await page.keyboard.press("Enter");
    await expect.poll(() => place.textContent()).toBe("2 of 11");
    await page.keyboard.press("Shift+Enter");
    await expect.poll(() => place.textContent()).toBe("1 of 11");
    for (let count = 0; count < 12; count++) await page.keyboard.press("ArrowUp");
    await expect.poll(() => place.textContent()).toBe("11 of 11");
    // The time stands behind it.
    await page
      .locator(".messages-item", { hasText: /filler number 39\d?\d:\d\d/ })
      .first()
      .waitFor();
    expect(await page.evaluate(() => document.activeElement?.getAttribute("type"))).toBe("search");
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await expect.poll(() => button.evaluate((element) => element === document.activeElement)).toBe(true);
    expect(await button.getAttribute("aria-expanded")).toBe("false");
    expect(await marks()).toBe(0);
  });

  test("on a phone a message that is found opens its conversation there", async () => {
    const { page } = ada;
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(server.url);
    await field(page).fill("exceptional day, far");
    await found(page).first().getByRole("link").click();
    await page.locator(".messages-item", { hasText: "An exceptional day, far up" }).waitFor();
    expect(page.url()).toContain("/c/");
    // Whoever comes back goes on with what was found.
    await page.getByRole("button", { name: "Back to conversations" }).click();
    await found(page).first().waitFor();
    expect(await field(page).inputValue()).toBe("exceptional day, far");
    await page.setViewportSize({ width: 1280, height: 800 });
  });
});
