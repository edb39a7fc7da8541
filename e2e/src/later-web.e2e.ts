import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import {
  acceptRequest,
  chooseAction,
  conversationLink,
  createAccount,
  messageBox,
  messagesWith,
  seeMessage,
  seeTaken,
} from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { look } from "./testing/look.ts";
import { receiveText, registerPerson, sendAndWait, textsOf } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let page: Page;
let ben: TestPerson;
let id = "";

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ada = await openBrowser({ folder: folder.at("ada"), viewport: { width: 1280, height: 800 } });
  ({ page } = ada);
  await createAccount(page, { url: server.url, username: "ada" });
  await page.getByRole("button", { name: "Later" }).click();
  ben = await registerPerson({ home: folder.at("ben"), server: server.url, username: "ben" });
  ({ id } = await ben.client.startConversation({ to: ["ada"] }));
  await sendAndWait(ben.client, id, "call the dentist");
  await acceptRequest(page, "ben");
  await conversationLink(page, "ben").click();
  await seeMessage(page, "call the dentist");
}, 240_000);

afterAll(async () => {
  await ben[Symbol.asyncDispose]();
  await ada[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

describe("[X-15] what is done at a time, in the app", () => {
  test("a message waits for its time, also over a reload, is changed, and is sent when the person says so", async () => {
    await messageBox(page).fill("happy birthday");
    await page.getByRole("button", { name: "Send later" }).click();
    const dialog = page.getByRole("dialog", { name: "Send later" });
    await dialog.getByRole("button", { name: "Tomorrow morning" }).waitFor();
    await look(page, "later-when");
    await dialog.getByRole("button", { name: "Tomorrow morning" }).click();
    await dialog.waitFor({ state: "detached" });
    expect(await messageBox(page).inputValue()).toBe("");
    await page.getByText("1 message waits to be sent.").waitFor();
    await look(page, "later-line");

    // By the other mouse button, or a finger that rests, on the button that sends.
    await messageBox(page).fill("and many more");
    await page.getByRole("button", { name: "Send", exact: true }).click({ button: "right" });
    await dialog.getByRole("button", { name: "In an hour" }).click();
    await page.getByText("2 messages wait to be sent.").waitFor();
    await page.reload();
    await page.getByText("2 messages wait to be sent.").waitFor();
    expect(await textsOf(ben.client, id)).toEqual(["call the dentist"]);

    await page.getByRole("button", { name: "Show", exact: true }).click();
    const list = page.getByRole("dialog", { name: "Waiting to be sent" });
    const item = (text: string) => list.getByRole("listitem").filter({ hasText: text });
    await item("happy birthday").waitFor();
    await look(page, "later-list");
    await item("happy birthday").getByRole("button", { name: "Change" }).click();
    const changing = page.getByRole("dialog", { name: "Change" });
    await changing.getByRole("textbox", { name: "Message" }).fill("happy birthday, Ben");
    await changing.getByRole("button", { name: "Save the text, at the same time" }).click();
    await item("happy birthday, Ben").waitFor();
    await item("and many more").getByRole("button", { name: "Delete" }).click();
    await item("and many more").waitFor({ state: "detached" });
    expect(await accessibilityProblems(page)).toEqual([]);
    await item("happy birthday, Ben").getByRole("button", { name: "Send now" }).click();
    await receiveText(ben.client, id, "happy birthday, Ben");
    await page.getByText("waits to be sent").waitFor({ state: "detached" });
    await seeTaken(page, "happy birthday, Ben");
    expect(await textsOf(ben.client, id)).toEqual(["call the dentist", "happy birthday, Ben"]);
  }, 240_000);

  test("a message that the person wanted to be reminded of stands above the list once its time has come", async () => {
    const message = messagesWith(page, "call the dentist");
    await message.hover();
    await chooseAction(page, message, "Remind me");
    const dialog = page.getByRole("dialog", { name: "Remind me" });
    const field = dialog.getByLabel("Another time");
    // The next minute, as the field has it.
    const soon = await page.evaluate(() => {
      const at = new Date(Date.now() + 60_000);
      const two = (value: number): string => String(value).padStart(2, "0");
      return `${String(at.getFullYear())}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
    });
    await field.fill(soon);
    await dialog.getByRole("button", { name: "Remind me" }).click();
    await dialog.waitFor({ state: "detached" });
    const reminders = page.getByRole("list", { name: "Reminders" });
    await reminders.getByText("call the dentist").waitFor({ timeout: 120_000 });
    await look(page, "reminder-due");
    await reminders.getByRole("button", { name: "Done" }).click();
    await reminders.waitFor({ state: "detached" });
    expect(await ben.client.reminders()).toEqual([]);
  }, 240_000);
});
