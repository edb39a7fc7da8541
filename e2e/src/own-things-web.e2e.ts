import type { Client } from "@latchkey/client";
import { openNodeClient } from "@latchkey/client/node";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import {
  chooseAction,
  acceptRequest,
  conversationLink,
  createAccount,
  messageBox,
  messagesWith,
  seeMessage,
  seeTaken,
  sendMessage,
} from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { eventually, registerPerson, sendAndWait } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

/** How long is waited for what another device says. */

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let page: Page;
/** Ada's second device. */
let second: Client;
const people: TestPerson[] = [];
let withBen = "";

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
    await sendAndWait(person.client, id, `hello from ${username}`);
    if (username === "ben") withBen = id;
    await acceptRequest(page, username);
  }
  second = await openNodeClient({ home: folder.at("ada-2"), serverUrl: server.url, requests: "accept" });
});

afterAll(async () => {
  await second.close();
  for (const person of people) await person[Symbol.asyncDispose]();
  await ada[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function linkSecond(): Promise<void> {
  const { words } = await second.offerLink({ deviceName: "Laptop" });
  const done = new Promise<void>((resolve) => {
    second.subscribe((event) => {
      if (event.kind === "link" && event.state.kind === "done") resolve();
    });
  });
  await page.goto(`${server.url}/settings/devices`);
  await page.getByRole("button", { name: "Link a device", exact: true }).click();
  await page.getByRole("textbox", { name: "Words or code from the new device" }).fill(words.join(" "));
  await page.getByRole("button", { name: "Go on", exact: true }).click();
  await page.locator(".link-digits").waitFor();
  await page.getByRole("textbox", { name: /Type “my device”/ }).fill("my device");
  await page.getByRole("button", { name: "Yes, add this device" }).click();
  await second.confirmLink(true);
  await done;
}

const openDetails = async (name: string): Promise<Locator> => {
  await conversationLink(page, name).click();
  const region = page.getByRole("complementary", { name: "Details" });
  if (!(await region.isVisible())) await page.getByRole("button", { name: "Conversation details" }).click();
  await region.getByRole("heading", { name: "For you alone" }).waitFor();
  return region;
};
const item = (name: string): Locator =>
  page.getByRole("list", { name: "Conversations", exact: true }).getByRole("listitem").filter({ hasText: name });
const order = async (): Promise<string[]> =>
  (await page.getByRole("list", { name: "Conversations", exact: true }).getByRole("link").allInnerTexts()).map((text) => text.trim());
const ofBen = async (client: Client): Promise<Awaited<ReturnType<Client["conversations"]>>[number] | undefined> =>
  (await client.conversations()).find(({ id }) => id === withBen);

describe("[X-18] what a person sets for themselves, in the app", () => {
  test("a note to oneself; a conversation on top, muted, archived and marked as unread", async () => {
    await page.getByRole("button", { name: "New conversation", exact: true }).first().click();
    await page.getByRole("button", { name: "Note to self" }).click();
    await messageBox(page).waitFor();
    await sendMessage(page, "buy milk");
    await seeTaken(page, "buy milk");
    await page.getByRole("heading", { level: 1, name: "Note to self" }).waitFor();
    await expect.poll(async () => (await order())[0]).toBe("Note to self");

    const details = await openDetails("ben");
    await details.getByRole("button", { name: "Put on top" }).click();
    await details.getByRole("button", { name: "Take from the top" }).waitFor();
    await expect.poll(async () => (await order())[0]).toBe("ben");
    await details.getByRole("combobox", { name: "Notices" }).selectOption("Mute for 8 hours");
    await item("ben").getByText("Muted").waitFor({ state: "attached" });
    expect(await details.getByRole("combobox", { name: "Notices" }).locator("option:checked").innerText()).toMatch(/^Muted until /u);
    expect(await accessibilityProblems(page)).toEqual([]);

    await (await openDetails("cyd")).getByRole("button", { name: "Archive" }).click();
    await conversationLink(page, "cyd").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Archived (1)" }).click();
    await expect.poll(order).toEqual(["cyd"]);
    await page.getByRole("button", { name: "Archived. Back to all conversations" }).click();
    const [, cyd] = people;
    await sendAndWait(cyd?.client ?? second, (await cyd?.client.conversations())?.[0]?.id ?? "", "are you there?");
    await conversationLink(page, "cyd").waitFor();

    const cydsDetails = await openDetails("cyd");
    await item("cyd").getByText("unread message").waitFor({ state: "detached" });
    await cydsDetails.getByRole("button", { name: "Mark as unread" }).click();
    await item("cyd").getByText("Marked as unread").waitFor({ state: "attached" });
    await conversationLink(page, "cyd").click();
    await item("cyd").getByText("Marked as unread").waitFor({ state: "detached" });
  });

  test("a star stands beside the message and in the details, and goes again", async () => {
    await conversationLink(page, "ben").click();
    const message = messagesWith(page, "hello from ben");
    await message.hover();
    await chooseAction(page, message, "Star");
    await message.getByText("Starred").waitFor({ state: "attached" });
    const details = await openDetails("ben");
    await details.getByRole("list", { name: "Starred messages" }).getByText("hello from ben").waitFor();
    await page.reload();
    await messagesWith(page, "hello from ben").getByText("Starred").waitFor({ state: "attached" });
    await details.getByRole("button", { name: "Take the star away" }).click();
    await message.getByText("Starred").waitFor({ state: "detached" });
    await expect.poll(() => details.getByRole("list", { name: "Starred messages" }).count()).toBe(0);
  });

  test("[X-16] another device has all of it; its draft stands in the field, and beside one that is written here", async () => {
    await linkSecond();
    await eventually(second, async () => ((await ofBen(second))?.own.pinnedPlace === 0 ? true : undefined), "the second device has it");
    expect(typeof (await ofBen(second))?.own.mutedUntil).toBe("number");
    await page.goto(`${server.url}/c/${withBen}`);
    await messageBox(page).waitFor();
    await second.saveDraft(withBen, "from the laptop");
    await expect.poll(() => messageBox(page).inputValue()).toBe("from the laptop");
    await conversationLink(page, "cyd").click();
    await item("ben").getByText("Draft:").waitFor();
    await conversationLink(page, "ben").click();
    await messageBox(page).fill("from the browser");
    const isOffered = async (): Promise<true | undefined> =>
      (await ofBen(second))?.own.otherDraft === "from the browser" ? true : undefined;
    await eventually(second, isOffered, "the second device offers what is written in the browser");
    await second.saveDraft(withBen, "from the laptop, on");
    await page.getByText("On another device you wrote:").waitFor();
    expect(await messageBox(page).inputValue()).toBe("from the browser");
    await page.getByRole("button", { name: "Use it" }).click();
    await expect.poll(() => messageBox(page).inputValue()).toBe("from the laptop, on");
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await seeMessage(page, "from the laptop, on");
    await eventually(second, async () => ((await ofBen(second))?.draft === "" ? true : undefined), "no draft is left");
  });

  test("a conversation deleted for oneself is gone on both devices", async () => {
    const details = await openDetails("ben");
    await details.getByRole("button", { name: "Delete for me" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete for me" }).click();
    await conversationLink(page, "ben").waitFor({ state: "detached" });
    await eventually(second, async () => ((await ofBen(second)) === undefined ? true : undefined), "it is gone on the second device");
    const [ben] = people;
    await sendAndWait(ben?.client ?? second, withBen, "one more thing");
    await conversationLink(page, "ben").click();
    await seeMessage(page, "one more thing");
    expect(await messagesWith(page, "hello from ben").count()).toBe(0);
    expect([ada.violations, ada.errors]).toEqual([[], []]);
  });
});
