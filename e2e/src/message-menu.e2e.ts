import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  acceptRequest,
  chooseAction,
  createAccount,
  messageBox,
  messagesWith,
  seeMessage,
  seeTaken,
  sendMessage,
  startConversation,
} from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let ben: BrowserProfile;

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  [ada, ben] = [
    await openBrowser({ folder: folder.at("ada"), viewport: { width: 1280, height: 800 } }),
    await openBrowser({ folder: folder.at("ben"), viewport: { width: 390, height: 844 } }),
  ];
  await createAccount(ada.page, { url: server.url, username: "ada" });
  await createAccount(ben.page, { url: server.url, username: "ben" });
  await startConversation(ada.page, { to: ["ben"] });
  await sendMessage(ada.page, "Shall we meet at noon?");
  await acceptRequest(ben.page, "ada");
  await seeMessage(ben.page, "Shall we meet at noon?");
  await sendMessage(ben.page, "At the mill");
  await seeMessage(ada.page, "At the mill");
  await seeTaken(ada.page, "Shall we meet at noon?");
});

afterAll(async () => {
  for (const browser of [ada, ben]) await browser[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const menu = (page: Page): Locator => page.getByRole("menu", { name: "What to do with this message" });

/** The row of a message, which takes the focus. */
const row = (page: Page, text: string): Locator => messagesWith(page, text);

describe("the menu of a message", () => {
  test("a reaction by the mouse, from the six and from all of them, stands on both sides and is taken back", async () => {
    const { page } = ada;
    const message = messagesWith(page, "At the mill");
    await message.hover();
    await message.getByRole("button", { name: "React", exact: true }).click();
    await page.getByRole("button", { name: "React with 👍" }).click();
    await messagesWith(ben.page, "At the mill").getByRole("button", { name: "👍 1, by ada" }).waitFor();
    await message.hover();
    await message.getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("button", { name: "More emoji" }).click();
    await page.getByRole("searchbox", { name: "Search emoji" }).fill("tractor");
    await page.getByRole("gridcell", { name: "Tractor" }).click();
    await messagesWith(ben.page, "At the mill").getByRole("button", { name: "🚜 1, by ada" }).waitFor();
    // What was given last is offered next time.
    await message.hover();
    await message.getByRole("button", { name: "React", exact: true }).click();
    await page.getByRole("button", { name: "React with 🚜", pressed: true }).click();
    await messagesWith(ben.page, "At the mill").getByRole("button", { name: "🚜 1, by ada" }).waitFor({ state: "detached" });
    expect(await messagesWith(ben.page, "At the mill").getByRole("list", { name: "Reactions" }).getByRole("listitem").count()).toBe(1);
  });

  test("an answer shows what it answers, on both sides; a press on it leads there", async () => {
    await chooseAction(ada.page, messagesWith(ada.page, "At the mill"), "Reply");
    await ada.page.getByText("Answer to ben").waitFor();
    await messageBox(ada.page).fill("Which one?");
    await ada.page.keyboard.press("Enter");
    const answer = messagesWith(ben.page, "Which one?");
    await answer.getByRole("blockquote").getByText("At the mill").waitFor();
    await ada.page.getByText("Answer to ben").waitFor({ state: "detached" });
    await messagesWith(ada.page, "Which one?").getByRole("blockquote").getByRole("button").click();
    await ada.page.locator(".messages-item-marked", { hasText: "At the mill" }).first().waitFor();
    expect(await ada.page.evaluate(() => document.activeElement?.textContent)).toContain("At the mill");
  });

  test("with the keyboard alone: Up changes what was said last, Escape leaves it, Enter on a message opens its menu", async () => {
    const { page } = ada;
    await messageBox(page).focus();
    await messageBox(page).fill("");
    await page.keyboard.press("ArrowUp");
    await expect.poll(() => messageBox(page).inputValue()).toBe("Which one?");
    await page.keyboard.press("Escape");
    expect(await messageBox(page).inputValue()).toBe("");
    await page.keyboard.press("ArrowUp");
    await messageBox(page).fill("Which one of them?");
    await page.keyboard.press("Enter");
    await messagesWith(ben.page, "Which one of them?").getByText("edited").waitFor();
    await page.getByText("Change your message").waitFor({ state: "detached" });

    await row(page, "At the mill").last().focus();
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    await menu(page).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press("i");
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).not.toBe("");
    await page.keyboard.press("Escape");
    await menu(page).waitFor({ state: "detached" });
    await expect.poll(() => page.evaluate(() => document.activeElement?.classList.contains("messages-item"))).toBe(true);
    await page.keyboard.press("Shift+F10");
    await menu(page).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Escape");
  });

  test("what a message is to say from now on stays while one looks elsewhere, and so does the draft", async () => {
    const { page } = ada;
    await messageBox(page).fill("A draft");
    await chooseAction(page, messagesWith(page, "Which one of them?"), "Edit");
    await messageBox(page).fill("Which of them all?");
    const place = page.url();
    await page.getByRole("button", { name: "Settings", exact: true }).click();
    await page.getByRole("heading", { name: "Settings", exact: true }).waitFor();
    await page.goBack();
    expect(page.url()).toBe(place);
    await page.getByText("Change your message").waitFor();
    expect(await messageBox(page).inputValue()).toBe("Which of them all?");
    await messageBox(page).focus();
    await page.keyboard.press("Escape");
    expect(await messageBox(page).inputValue()).toBe("A draft");
    await messageBox(page).fill("");
  });

  test("copy, pin, info and star", async () => {
    const { page } = ada;
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    const message = messagesWith(page, "Shall we meet at noon?");
    await chooseAction(page, message, "Copy text");
    await page.getByText("Copied", { exact: true }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe("Shall we meet at noon?");
    await chooseAction(page, message, "Pin for everybody");
    await ben.page.getByRole("button", { name: "Show the pinned message: Shall we meet at noon?" }).click();
    await ben.page.locator(".messages-item-marked", { hasText: "Shall we meet at noon?" }).waitFor();
    await chooseAction(page, message, "Message info");
    const info = page.getByRole("dialog", { name: "Message info" });
    await info.getByText("Read by").waitFor();
    await expect.poll(() => info.innerText()).toMatch(/Read by\s+ben/u);
    // One's own clock is no other's.
    expect(await info.getByText("Sent", { exact: true }).count()).toBe(1);
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await chooseAction(page, message, "Unpin");
    await ben.page.getByRole("region", { name: "Pinned messages" }).waitFor({ state: "detached" });
  });

  test("a finger that rests opens it; several are chosen and deleted for everybody", async () => {
    const { page } = ben;
    for (const text of ["One too many", "Two too many"]) await sendMessage(page, text);
    await seeMessage(ada.page, "Two too many");
    await seeTaken(page, "Two too many");
    const message = messagesWith(page, "One too many");
    const box = (await message.locator(".bubble").boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const touch = await page.context().newCDPSession(page);
    await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x, y }] });
    await menu(page).waitFor();
    await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await page.getByRole("menuitem", { name: "Select", exact: true }).click();
    await messagesWith(page, "Two too many").getByRole("checkbox", { name: "Choose this message" }).check();
    const bar = page.getByRole("region", { name: "Chosen messages" });
    await bar.getByText("2 messages chosen").waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await bar.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Delete for everyone" }).click();
    for (const one of [ada, ben]) {
      await messagesWith(one.page, "One too many").waitFor({ state: "detached" });
      await messagesWith(one.page, "Two too many").waitFor({ state: "detached" });
    }
    await bar.waitFor({ state: "detached" });
    await messageBox(page).waitFor();
  });

  test("a message is sent on, without a word of where it is from", async () => {
    const { page } = ada;
    await chooseAction(page, messagesWith(page, "At the mill").first(), "Forward");
    const dialog = page.getByRole("dialog", { name: "Forward to" });
    await dialog.getByRole("checkbox", { name: "ben" }).check();
    expect(await accessibilityProblems(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Forward" }).click();
    await messagesWith(ben.page, "Forwarded").getByText("At the mill").waitFor();
  });

  test("no page broke a policy or threw an error meanwhile", () => {
    for (const { violations, errors } of [ada, ben]) {
      expect(violations).toEqual([]);
      expect(errors).toEqual([]);
    }
  });
});
