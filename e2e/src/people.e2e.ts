import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import {
  chooseAction,
  createAccount,
  messageBox,
  messageList,
  messagesWith,
  seeMessage,
  sendMessage,
  startConversation,
} from "./testing/app.ts";
import { openBrowser, viewports } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { expectFocus } from "./testing/focus.ts";
import { eventually, joinedConversation, registerPerson, sendAndWait } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

/** Where a picture of each page goes; none is made without. */
const pictures = process.env["E2E_PICTURES"];
const names = ["ben", "cyd", "dan", "eva", "flo", "gil", "hal", "ivy"];

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let page: Page;
const people = new Map<string, TestPerson>();
let group = "";

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ada = await openBrowser({ folder: folder.at("ada") });
  ({ page } = ada);
  await createAccount(page, { url: server.url, username: "ada" });
  await page.getByRole("button", { name: "Later", exact: true }).click();
  for (const username of names) {
    const displayName = username === "ben" ? "Ben Okafor" : username;
    people.set(username, await registerPerson({ home: folder.at(username), server: server.url, username, displayName }));
  }
  await startConversation(page, { to: names, groupName: "Allotment" });
  await sendMessage(page, "Who has the key?");
  group = page.url();
  const ben = person("ben");
  const { id } = await joinedConversation(ben.client, "Allotment");
  await sendAndWait(ben.client, id, "I have it");
  await seeMessage(page, "I have it");
});

afterAll(async () => {
  for (const one of people.values()) await one[Symbol.asyncDispose]();
  await ada[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

function person(username: string): TestPerson {
  const found = people.get(username);
  if (found === undefined) throw new Error(`${username} is not there`);
  return found;
}

async function picture(name: string): Promise<void> {
  if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}.png`) });
}

const card = (name: string): ReturnType<Page["getByRole"]> => page.getByRole("dialog", { name });

describe("people", () => {
  test("an author's name, and what the menu of a message says of them, open a card with who they are and how far their keys were checked", async () => {
    await messagesWith(page, "I have it").getByRole("button", { name: "Ben Okafor" }).click();
    const ben = card("Ben Okafor");
    await ben.getByText(/^ben@localhost/u).waitFor();
    await ben.getByText(/Ben Okafor’s keys are in (?:the|this server’s) public record/u).waitFor();
    await ben.getByRole("heading", { name: "Groups that you are both in" }).waitFor();
    await ben.getByRole("link", { name: "Allotment" }).waitFor();
    await picture("person-card-1280");
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.setViewportSize(viewports.phone);
    await picture("person-card-390");
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.setViewportSize(viewports.desktop);
    await page.keyboard.press("Escape");
    await ben.waitFor({ state: "detached" });

    // By keys and fingers, from the menu of the message.
    await chooseAction(page, messagesWith(page, "I have it"), "About this person");
    await ben.waitFor();
    await ben.getByRole("button", { name: "Close" }).click();
    await ben.waitFor({ state: "detached" });
    expect(page.url()).toBe(group);
  });

  test("from the card one compares safety numbers, blocks and unblocks, and writes", async () => {
    await messagesWith(page, "I have it").getByRole("button", { name: "Ben Okafor" }).click();
    const ben = card("Ben Okafor");
    await ben.getByRole("button", { name: "Verify" }).click();
    await page.getByRole("button", { name: "Mark as verified", exact: true }).click();
    await page.getByText("You have marked this as verified").waitFor();
    await page.keyboard.press("Escape");
    await ben.getByText("Verified: you have compared safety numbers with").waitFor();
    await expectFocus(page, /^Safety number$/);

    await ben.getByRole("button", { name: "Block", exact: true }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Block", exact: true }).click();
    await ben.getByRole("button", { name: "Unblock" }).waitFor();
    expect(await ben.getByRole("button", { name: "Write" }).isDisabled()).toBe(true);
    await ben.getByRole("button", { name: "Unblock" }).click();
    await ben.getByRole("button", { name: "Block", exact: true }).waitFor();

    await ben.getByRole("button", { name: "Write" }).click();
    await page
      .getByRole("button", { name: "Remove Ben Okafor" })
      .or(page.getByRole("button", { name: "Remove ben" }))
      .waitFor();
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await messageBox(page).waitFor();
    await sendMessage(page, "To you alone");
    const direct = page.url();
    await page.goto(group);
    await messagesWith(page, "I have it").getByRole("button", { name: "Ben Okafor" }).click();
    await ben.getByRole("button", { name: "Write" }).click();
    await seeMessage(page, "To you alone");
    expect(page.url()).toBe(direct);
    await page.goto(group);
  });

  test("whom a line of the group or a text names opens the card too; oneself, the profile", async () => {
    await messageList(page)
      .getByText(/^You (?:started|created)/u)
      .first()
      .waitFor();
    const cyd = person("cyd");
    const { id } = await joinedConversation(cyd.client, "Allotment");
    const ben = (await cyd.client.details(id)).members.find(({ person: one }) => one.username === "ben")?.person;
    await sendAndWait(cyd.client, id, `ask [@Somebody](mimi://${ben?.host ?? ""}/u/${ben?.accountId ?? ""})`);
    await messagesWith(page, "ask").getByRole("button", { name: "@Ben Okafor" }).click();
    await card("Ben Okafor").getByRole("button", { name: "Close" }).click();

    await page.getByRole("button", { name: "Conversation details", exact: true }).click();
    const details = page.getByRole("complementary", { name: "Details" });
    await details.getByRole("button", { name: "What to do with dan" }).waitFor();
    await cyd.client.changeProfile({ displayName: "Cyd of the hedge" });
    await details.getByRole("button", { name: "Cyd of the hedge", exact: true }).click();
    await card("Cyd of the hedge").getByRole("button", { name: "Close" }).click();
    await expectFocus(page, /^Cyd of the hedge$/);
    await details.getByRole("button", { name: /^ada$/u }).click();
    await page.getByRole("heading", { level: 1, name: "Profile" }).waitFor();
    await page.keyboard.press("Escape");
    await details.waitFor();
  });

  test("of many members one looks for some, and takes several out together; the line of it names them", async () => {
    const details = page.getByRole("complementary", { name: "Details" });
    await details.getByRole("searchbox").fill("H");
    const members = details.getByRole("list", { name: "People", exact: true }).getByRole("listitem");
    await expect.poll(() => members.allInnerTexts()).toEqual([expect.stringContaining("Cyd of the hedge"), expect.stringContaining("hal")]);
    await details.getByRole("searchbox").fill("");
    await details.getByRole("button", { name: "Choose several" }).click();
    for (const name of ["dan", "eva"]) await details.getByRole("checkbox", { name: `Choose ${name}` }).check();
    await picture("members-selected-1280");
    expect(await accessibilityProblems(page)).toEqual([]);
    await details.getByRole("button", { name: "Remove from the group" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Remove", exact: true }).click();
    const line = messageList(page)
      .getByRole("listitem")
      .filter({ hasText: /^You removed/u });
    await line.getByRole("button", { name: "dan" }).waitFor();
    await line.getByRole("button", { name: "eva" }).click();
    await card("eva")
      .getByText(/^eva@localhost/u)
      .waitFor();
    expect(await card("eva").getByRole("heading", { name: "Groups that you are both in" }).count()).toBe(0);
    await page.keyboard.press("Escape");
    const { id } = await joinedConversation(person("ben").client, "Allotment");
    await eventually(
      person("ben").client,
      async () => ((await person("ben").client.details(id)).members.length === names.length - 1 ? true : undefined),
      "both are out",
    );
    expect([ada.violations, ada.errors]).toEqual([[], []]);
  });
});
