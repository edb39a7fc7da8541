import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { createAccount, messageList, sendMessage, startConversation } from "./testing/app.ts";
import { openBrowser, viewports } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { registerPerson } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

const names = ["ben", "cyd", "dana"] as const;

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let page: Page;
let people: readonly TestPerson[];

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ada = await openBrowser({ folder: folder.at("ada"), viewport: { width: 1280, height: 800 } });
  ({ page } = ada);
  await createAccount(page, { url: server.url, username: "ada" });
  people = await Promise.all(names.map((username) => registerPerson({ server: server.url, home: folder.at(username), username })));
  await startConversation(page, { to: [...names], groupName: "Choir" });
  await sendMessage(page, "Welcome");
  await page.getByRole("button", { name: "Conversation details" }).click();
});

afterAll(async () => {
  for (const { client } of people) await client.close();
  await ada[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const region = (name: string): Locator => page.getByRole("region", { name, exact: true });
const memberOf = (name: string): Locator => region("People").getByRole("listitem").filter({ hasText: name });

async function choose(name: string, action: string): Promise<void> {
  await page.getByRole("button", { name: `What to do with ${name}` }).click();
  await page.getByRole("menuitem", { name: action, exact: true }).click();
}

/** The group as one of the others has it. */
async function seenBy(name: (typeof names)[number]): Promise<{ title: string; description: string; slowModeS: number; roles: string[] }> {
  const { client } = people[names.indexOf(name)] ?? { client: undefined };
  const [conversation] = (await client?.conversations()) ?? [];
  const details = await client?.details(conversation?.id ?? "");
  return {
    title: conversation?.title ?? "",
    description: details?.description ?? "",
    slowModeS: details?.slowModeS ?? -1,
    roles: (details?.members ?? []).map(({ person, role }) => `${person.username} ${role}`).toSorted(),
  };
}

describe("how a group is run, in the app", () => {
  test("[X-13] an owner makes an administrator of one and an owner of another, who asks twice", async () => {
    await choose("ben", "Make administrator");
    await memberOf("ben").getByText("Administrator").waitFor();
    await choose("cyd", "Make owner");
    await page.getByRole("alertdialog", { name: "Make cyd an owner?" }).getByRole("button", { name: "Make owner" }).click();
    await memberOf("cyd").getByText("Owner").waitFor();
    await messageList(page).getByText("You made cyd an owner").waitFor();
    await expect.poll(async () => (await seenBy("dana")).roles).toEqual(["ada owner", "ben administrator", "cyd owner", "dana member"]);
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  test("name and description are one change, and slow mode another; both are told", async () => {
    const settings = region("Group");
    await settings.getByRole("button", { name: "Change name and description" }).click();
    const dialog = page.getByRole("dialog", { name: "Change name and description" });
    await dialog.getByRole("textbox", { name: "Name" }).fill("合".repeat(50));
    await dialog.getByText("22 too long").waitFor();
    expect(await dialog.getByRole("button", { name: "Save" }).isDisabled()).toBe(true);
    await dialog.getByRole("textbox", { name: "Name" }).fill("x".repeat(70));
    await dialog.getByText(`Shown as: ${"x".repeat(64)}`, { exact: true }).waitFor();
    await dialog.getByRole("textbox", { name: "Name" }).fill("Choir of the mill");
    // A tablet that is turned has room for the details beside the conversation, or not: what is typed stays.
    for (const size of [{ width: 820, height: 1180 }, viewports.desktop]) await page.setViewportSize(size);
    expect(await dialog.getByRole("textbox", { name: "Name" }).inputValue()).toBe("Choir of the mill");
    await dialog.getByRole("textbox", { name: "Description" }).fill("Tuesdays at seven");
    expect(await accessibilityProblems(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    await settings.getByText("Tuesdays at seven").waitFor();
    await expect.poll(() => page.title()).toBe("Choir of the mill – Latchkey");
    await settings.getByRole("combobox", { name: "Slow mode" }).selectOption("1 minute");
    await expect.poll(() => seenBy("dana")).toMatchObject({ title: "Choir of the mill", description: "Tuesdays at seven", slowModeS: 60 });
    // More than three in a row are one line, which opens.
    const folded = messageList(page)
      .getByRole("listitem")
      .filter({ hasText: /^You changed the settings \d times/u });
    await folded.getByRole("button", { name: "Show" }).click();
    await messageList(page).getByText("You set slow mode: 1 minute between two messages").waitFor();
  });

  test("[X-13] who may do what is for owners to say, and others see it", async () => {
    await region("Group").getByRole("button", { name: "Who may do what" }).click();
    const dialog = page.getByRole("dialog", { name: "Who may do what" });
    await dialog.getByRole("combobox", { name: "Add people" }).selectOption("Owners");
    expect(await accessibilityProblems(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    const ben = people[0]?.client;
    const [group] = (await ben?.conversations()) ?? [];
    await expect.poll(async () => (await ben?.details(group?.id ?? ""))?.rights?.add).toBe("owner");
  });

  test("[R-5] what newcomers are given is for owners to say, and others see it", async () => {
    await region("Group").getByRole("combobox", { name: "What newcomers are given" }).selectOption("The last week");
    const ben = people[0]?.client;
    const [group] = (await ben?.conversations()) ?? [];
    await expect.poll(async () => (await ben?.details(group?.id ?? ""))?.rights?.history).toBe("7_days");
  });

  test("several go in one commit", async () => {
    await region("People").getByRole("button", { name: "Choose several" }).click();
    for (const name of ["ben", "dana"])
      await region("People")
        .getByRole("checkbox", { name: `Choose ${name}` })
        .check();
    await region("People").getByText("2 people chosen").waitFor();
    await region("People").getByRole("button", { name: "Remove from the group" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
    await messageList(page)
      .getByText(/^You removed (?:ben and dana|dana and ben)$/u)
      .waitFor();
    await expect.poll(() => region("People").getByRole("listitem").count()).toBe(2);
  });

  test("[X-13] the last owner gives the group to somebody before leaving it", async () => {
    await choose("cyd", "Make an ordinary member");
    await memberOf("cyd").getByText("Owner").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Leave conversation" }).click();
    const dialog = page.getByRole("alertdialog", { name: "Leave this conversation?" });
    await expect
      .poll(() => dialog.getByRole("combobox", { name: "Who owns the group after you?" }).locator("option").allInnerTexts())
      .toEqual(["cyd"]);
    expect(await accessibilityProblems(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Leave" }).click();
    await expect.poll(async () => (await seenBy("cyd")).roles).toEqual(["cyd owner"]);
  });

  test("no page broke a policy or threw an error meanwhile", () => {
    expect([ada.violations, ada.errors]).toEqual([[], []]);
  });
});
