import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { acceptRequest, conversationLink, createAccount, messagesWith, seeMessage, seeTaken, sendMessage } from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { look } from "./testing/look.ts";
import { eventually, receiveText, registerPerson, sendAndWait, textsOf } from "./testing/people.ts";
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
  await sendAndWait(ben.client, id, "hello from ben");
  await acceptRequest(page, "ben");
}, 240_000);

afterAll(async () => {
  await ben[Symbol.asyncDispose]();
  await ada[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

describe("[X-7] messages that go, in the app", () => {
  test("a timer is told in a line, above the conversation and beside each message, and what is over goes from both sides", async () => {
    await conversationLink(page, "ben").click();
    await seeMessage(page, "hello from ben");
    await ben.client.changeSettings(id, { timerS: 604_800 });
    await page.locator(".row-system", { hasText: "1 week" }).first().waitFor();
    await page.locator(".conversation-title", { hasText: "Messages go after 1 week" }).waitFor();
    await sendAndWait(ben.client, id, "the key is under the pot");
    await seeMessage(page, "the key is under the pot");
    await messagesWith(page, "the key is under the pot").locator(".timer-mark").waitFor();
    expect(await messagesWith(page, "hello from ben").locator(".timer-mark").count()).toBe(0);

    await page.getByRole("button", { name: "Conversation details" }).click();
    const details = page.getByRole("complementary", { name: "Details" });
    const choice = details.getByRole("combobox", { name: "Messages go after" });
    await choice.waitFor();
    expect(await choice.locator("option").allInnerTexts()).toEqual([
      "Never",
      "30 seconds",
      "5 minutes",
      "1 hour",
      "8 hours",
      "1 day",
      "1 week",
      "4 weeks",
      "Another time…",
    ]);
    expect(await choice.inputValue()).toBe("604800");
    await choice.scrollIntoViewIfNeeded();
    await look(page, "timer-details");
    await choice.selectOption("Another time…");
    const dialog = page.getByRole("dialog", { name: "Another time…" });
    await dialog.getByRole("spinbutton", { name: "How many" }).fill("20");
    await dialog.getByRole("combobox", { name: "Of what" }).selectOption("second");
    expect(await accessibilityProblems(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Set" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.locator(".conversation-title", { hasText: "Messages go after 20 seconds" }).waitFor();
    await page.getByRole("button", { name: "Close details" }).click();
    await eventually(
      ben.client,
      async () => ((await ben.client.details(id)).timerS === 20 ? true : undefined),
      "the other side has the timer",
    );

    await sendMessage(page, "see you at nine");
    await seeTaken(page, "see you at nine");
    await receiveText(ben.client, id, "see you at nine");
    const last = (await ben.client.messages(id, { limit: 1 })).at(-1);
    await ben.client.markRead(id, last?.order ?? 0);
    await look(page, "timer-bubbles");
    await messagesWith(page, "see you at nine").waitFor({ state: "detached", timeout: 60_000 });
    await expect.poll(() => textsOf(ben.client, id), { timeout: 60_000 }).not.toContain("see you at nine");
    expect(await textsOf(ben.client, id)).toContain("the key is under the pot");
    await page.reload();
    await seeMessage(page, "the key is under the pot");
    expect(await messagesWith(page, "see you at nine").count()).toBe(0);
  }, 240_000);
});
