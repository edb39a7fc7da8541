import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { acceptRequest, conversationLink, createAccount, messageBox } from "./testing/app.ts";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { registerPerson, sendAndWait } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

/** How long is waited for what goes through the client. */

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let page: Page;
const people: TestPerson[] = [];
const ids = new Map<string, string>();

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ada = await openBrowser({ folder: folder.at("ada"), viewport: { width: 1280, height: 800 } });
  ({ page } = ada);
  await createAccount(page, { url: server.url, username: "ada" });
  await page.getByRole("button", { name: "Later" }).click();
  for (const username of ["ben", "cyd"]) {
    const person = await registerPerson({ home: folder.at(username), server: server.url, username });
    people.push(person);
    const { id } = await person.client.startConversation({ to: ["ada"] });
    ids.set(username, id);
    await sendAndWait(person.client, id, `hello from ${username}`);
    await acceptRequest(page, username);
    await item(username).getByText("unread message").waitFor({ state: "detached" });
  }
  const [ben] = people;
  const { id } = (await ben?.client.startConversation({ to: ["ada", "cyd"], name: "Garden" })) ?? { id: "" };
  ids.set("Garden", id);
  await conversationLink(page, "Garden").waitFor();
  await page.goto(server.url);
  await conversationLink(page, "ben").waitFor();
});

afterAll(async () => {
  for (const person of people) await person[Symbol.asyncDispose]();
  await ada[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const item = (name: string): Locator =>
  page.getByRole("list", { name: "Conversations", exact: true }).getByRole("listitem").filter({ hasText: name });
const order = async (): Promise<string[]> =>
  (await page.getByRole("list", { name: "Conversations", exact: true }).getByRole("link").allInnerTexts()).map((text) => text.trim());
const menu = (name: string): Locator => page.getByRole("menu", { name: `What to do with ${name}` });
const choose = (action: string): Promise<void> => page.getByRole("menuitem", { name: action, exact: true }).click();
const send = async (username: string, text: string): Promise<void> => {
  const person = people.find((one) => one.username === username);
  if (person !== undefined) await sendAndWait(person.client, ids.get(username) ?? "", text);
};

describe("the menu of a conversation in the list", () => {
  test("by the other button of the mouse: a conversation stands on top, and goes from there", async () => {
    await conversationLink(page, "ben").click({ button: "right" });
    await menu("ben").waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await choose("Put on top");
    await expect.poll(async () => (await order())[0]).toBe("ben");
    await item("ben").getByText("On top").waitFor({ state: "attached" });
    await conversationLink(page, "ben").click({ button: "right" });
    await choose("Take from the top");
    await expect.poll(async () => (await order())[0]).not.toBe("ben");
    // It was the menu that was asked for, not the conversation.
    expect(await messageBox(page).count()).toBe(0);
  });

  test("by the button that a row shows: muted for hours, and not any more", async () => {
    await item("cyd").hover();
    await item("cyd").getByRole("button", { name: "More for cyd" }).click();
    await choose("Mute");
    await page.getByRole("menu", { name: "Mute" }).waitFor();
    expect(await page.getByRole("menuitem").allInnerTexts()).toEqual([
      "Mute for 1 hour",
      "Mute for 8 hours",
      "Mute until tomorrow morning",
      "Mute always",
    ]);
    await choose("Mute for 8 hours");
    await item("cyd").getByText("Muted").waitFor({ state: "attached" });
    await item("cyd").hover();
    await item("cyd").getByRole("button", { name: "More for cyd" }).click();
    await choose("Unmute");
    await item("cyd").getByText("Muted").waitFor({ state: "detached" });
  });

  test("by keys alone: the arrow keys, Shift F10, a letter, Enter; the focus is on the row again", async () => {
    await conversationLink(page, "cyd").focus();
    await page.keyboard.press("Shift+F10");
    await menu("cyd").waitFor();
    await page.keyboard.press("Escape");
    await menu("cyd").waitFor({ state: "detached" });
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe("cyd");
    await page.keyboard.press("Shift+F10");
    await menu("cyd").waitFor();
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute("role"))).toBe("menuitem");
    // On a busy machine the letters may come too far apart to be one word.
    const find = async (): Promise<string | null> => {
      await page.keyboard.type("mark");
      return page.evaluate(() => document.activeElement?.textContent ?? null);
    };
    await expect.poll(find, { interval: 1500 }).toContain("Mark as unread");
    await page.keyboard.press("Enter");
    await item("cyd").getByText("Marked as unread").waitFor({ state: "attached" });
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe("cyd");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe("More for cyd");
    await page.keyboard.press("Enter");
    await page.getByRole("menuitem", { name: "Mark as read", exact: true }).press("Enter");
    await item("cyd").getByText("Marked as unread").waitFor({ state: "detached" });
  });

  test("what came is read without being opened; what was put away is back by a press on the notice", async () => {
    await send("ben", "one");
    await send("ben", "two");
    await item("ben").getByText("2 unread messages").waitFor({ state: "attached" });
    await conversationLink(page, "ben").click({ button: "right" });
    await choose("Mark as read");
    await item("ben").getByText("2 unread messages").waitFor({ state: "detached" });
    await conversationLink(page, "ben").click({ button: "right" });
    await choose("Archive");
    await conversationLink(page, "ben").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Undo" }).click();
    await conversationLink(page, "ben").waitFor();
    expect(await page.getByRole("button", { name: "Undo" }).count()).toBe(0);
  });

  test("a person is blocked, and a group left, after a question each", async () => {
    await conversationLink(page, "cyd").click({ button: "right" });
    await choose("Block");
    await page.getByRole("alertdialog", { name: "Block cyd?" }).getByRole("button", { name: "Cancel" }).click();
    await conversationLink(page, "cyd").click({ button: "right" });
    await choose("Block");
    await page.getByRole("alertdialog", { name: "Block cyd?" }).getByRole("button", { name: "Block" }).click();
    await page.getByRole("alertdialog").waitFor({ state: "detached" });
    await conversationLink(page, "cyd").click({ button: "right" });
    await choose("Unblock");
    await conversationLink(page, "Garden").click({ button: "right" });
    await choose("Leave group");
    await page.getByRole("alertdialog", { name: "Leave this conversation?" }).getByRole("button", { name: "Leave" }).click();
    await page.getByRole("alertdialog").waitFor({ state: "detached" });
    await conversationLink(page, "Garden").click({ button: "right" });
    await expect.poll(() => page.getByRole("menuitem", { name: "Leave group" }).count()).toBe(0);
    await choose("Delete for me");
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete for me" }).click();
    await conversationLink(page, "Garden").waitFor({ state: "detached" });
  });

  test("a finger that rests opens it, one that draws a row aside does the same in one go, and one that scrolls does nothing", async () => {
    const session = await page.context().newCDPSession(page);
    const box = async (name: string): Promise<{ x: number; y: number }> => {
      const found = await item(name).boundingBox();
      return { x: (found?.x ?? 0) + 150, y: (found?.y ?? 0) + 30 };
    };
    const touch = async (type: "touchStart" | "touchMove" | "touchEnd", point?: { x: number; y: number }): Promise<void> => {
      await session.send("Input.dispatchTouchEvent", { type, touchPoints: point === undefined ? [] : [point] });
    };
    const draw = async (name: string, byX: number, byY = 0): Promise<void> => {
      const from = await box(name);
      await touch("touchStart", from);
      for (let step = 1; step <= 8; step += 1) await touch("touchMove", { x: from.x + (byX * step) / 8, y: from.y + (byY * step) / 8 });
      await touch("touchEnd");
    };
    await draw("cyd", 110);
    await item("cyd").getByText("Marked as unread").waitFor({ state: "attached" });
    await draw("cyd", 40);
    await draw("cyd", 0, 90);
    await item("cyd").getByText("Marked as unread").waitFor({ state: "attached" });
    expect(await messageBox(page).count()).toBe(0);
    await draw("cyd", -110);
    await conversationLink(page, "cyd").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Undo" }).click();
    await conversationLink(page, "cyd").waitFor();
    await item("cyd").getByText("Marked as unread").waitFor({ state: "attached" });
    const resting = await box("cyd");
    await touch("touchStart", resting);
    await menu("cyd").waitFor();
    // What it does until it is lifted draws nothing.
    for (const byX of [40, 80, 120]) await touch("touchMove", { x: resting.x + byX, y: resting.y });
    await touch("touchEnd");
    await menu("cyd").getByRole("menuitem", { name: "Mark as read" }).waitFor();
    await page.keyboard.press("Escape");
    expect([ada.violations, ada.errors]).toEqual([[], []]);
  });
});
