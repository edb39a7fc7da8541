import { join } from "node:path";
import type { Client } from "@latchkey/client";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { chooseAction, conversationLink, createAccount, messagesWith, seeMessage, sendMessage, startConversation } from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { eventually, registerPerson } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

/** Where a picture of each page goes; none is made without. */
const pictures = process.env["E2E_PICTURES"];

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
const people = new Map<string, TestPerson>();
const clientOf = (username: string): Client => {
  const found = people.get(username);
  if (found === undefined) throw new Error(username);
  return found.client;
};

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ada = await openBrowser({ folder: folder.at("ada"), viewport: { width: 1280, height: 800 } });
  await createAccount(ada.page, { url: server.url, username: "ada" });
  for (const username of ["ben", "cyd"])
    people.set(username, await registerPerson({ home: folder.at(username), server: server.url, username }));
});

afterAll(async () => {
  for (const person of people.values()) await person[Symbol.asyncDispose]();
  await ada[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function picture(page: Page, name: string): Promise<void> {
  if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}.png`) });
}

/** The group of a client, once it is there. */
async function groupOf(client: Client): Promise<string> {
  return await eventually(
    client,
    async () => (await client.conversations()).find(({ kind, status }) => kind === "group" && status === "active")?.id,
    "the group comes",
  );
}

test("[X-24] who is removed and kept out comes back neither by a member who adds them nor by a link, until somebody who may remove ends it", async () => {
  const { page } = ada;
  await startConversation(page, { to: ["ben", "cyd"], groupName: "Allotment" });
  await sendMessage(page, "Who has the key?");
  const [ben, cyd] = [clientOf("ben"), clientOf("cyd")];
  const id = await groupOf(cyd);
  await groupOf(ben);
  await page.getByRole("button", { name: "Details" }).first().click();
  await page.getByRole("button", { name: "Make an invite link", exact: true }).click();
  await page.getByRole("dialog", { name: "Make an invite link" }).getByRole("button", { name: "Make link" }).click();
  const url = await page.getByRole("textbox", { name: "Invite link", exact: true }).inputValue();

  await page.getByRole("button", { name: "What to do with ben", exact: true }).click();
  await page.getByRole("menuitem", { name: "Remove from the group", exact: true }).click();
  const dialog = page.getByRole("alertdialog");
  await dialog.getByRole("checkbox", { name: /^Keep them out/u }).check();
  await picture(page, "keep-out-1280");
  expect(await accessibilityProblems(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Remove", exact: true }).click();
  const list = page.getByRole("region", { name: "Kept out" });
  const letIn = list.getByRole("button", { name: "Let in again ben" });
  await letIn.scrollIntoViewIfNeeded();
  await picture(page, "kept-out-1280");
  expect(await accessibilityProblems(page)).toEqual([]);

  await eventually(cyd, async () => ((await cyd.details(id)).keptOut.length === 1 ? true : undefined), "cyd reads of it");
  expect((await cyd.messages(id, { limit: 2 })).map(({ body }) => body.kind).toSorted()).toEqual(["kept_out", "removed"]);
  await expect(cyd.addMembers(id, ["ben"])).rejects.toMatchObject({ code: "kept_out" });
  await ben.knock(url);
  await page.getByRole("button", { name: "Close details", exact: true }).click();
  await page.reload();
  await conversationLink(page, "Allotment").click();
  await page.getByRole("button", { name: "Details" }).first().click();
  await page.getByText("Nobody is waiting.", { exact: true }).waitFor();

  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole("main", { name: "Details" }).waitFor();
  await expect
    .poll(() =>
      letIn.scrollIntoViewIfNeeded().then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
  await picture(page, "kept-out-390");
  await page.setViewportSize({ width: 1280, height: 800 });
  await letIn.click();
  await list.waitFor({ state: "detached" });
  await eventually(cyd, async () => ((await cyd.details(id)).keptOut.length === 0 ? true : undefined), "cyd reads that it ended");
  await cyd.addMembers(id, ["ben"]);
  // Who comes back is asked (M-9).
  const { accountId } = (await cyd.account()) ?? expect.fail("an account");
  await eventually(
    ben,
    async () =>
      (await ben.conversations()).some(({ invitations }) => invitations.some(({ from }) => from.accountId === accountId))
        ? true
        : undefined,
    "ben is invited",
  );
  await ben.acceptInvitation(id, accountId);
  expect((await cyd.details(id)).members.map(({ person }) => person.username).toSorted()).toEqual(["ada", "ben", "cyd"]);
});

test("[X-25] [X-26] a member tells the administrators of a message: they see it with who reported and who added whom, and nobody else does", async () => {
  const { page } = ada;
  const [ben, cyd] = [clientOf("ben"), clientOf("cyd")];
  const id = await groupOf(cyd);
  await groupOf(ben);
  await ben.send(id, "Send me your code and I send you mine");
  const claim = await eventually(
    cyd,
    async () => (await cyd.messages(id, { limit: 5 })).find(({ body }) => body.kind === "text" && body.text.startsWith("Send me")),
    "cyd reads it",
  );
  const before = await ben.messages(id, { limit: 1000 });
  const told = await cyd.reportToAdministrators(id, { messageIds: [claim.id], reason: "fraud", words: "It is a trick." });
  expect(told.map(({ username }) => username)).toEqual(["ada"]);
  // Where one writes it says so, and leads there.
  await page.getByRole("button", { name: "Close details", exact: true }).click();
  await page.getByText("A member reported something").waitFor();
  await picture(page, "reported-line-1280");
  await page.getByRole("button", { name: "Show", exact: true }).click();
  const reports = page.getByRole("region", { name: "Reports by members" });
  await reports.getByText("It is a trick.").waitFor();
  await reports.getByText("Send me your code and I send you mine").waitFor();
  await reports.getByText(/^cyd reported/u).waitFor();
  await reports.scrollIntoViewIfNeeded();
  await page.getByText("added by cyd", { exact: true }).waitFor();
  await picture(page, "reports-1280");
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole("main", { name: "Details" }).waitFor();
  await reports.getByText("It is a trick.").waitFor();
  await picture(page, "reports-390");
  await page.setViewportSize({ width: 1280, height: 800 });
  await reports.getByRole("button", { name: "Dealt with", exact: true }).click();
  await reports.waitFor({ state: "detached" });
  // Whoever wrote it, and a member, have nothing of it: the group's log neither.
  await ben.settle({ timeoutMs: 60_000 });
  expect((await ben.messages(id, { limit: 1000 })).map(({ order }) => order)).toEqual(before.map(({ order }) => order));
  expect([await ben.groupReports(id), await cyd.groupReports(id)]).toEqual([[], []]);
});

test("[X-26] what an administrator's own messages are reported for goes to the others; where there is nobody else, it says so", async () => {
  const { page } = ada;
  const [ben, cyd] = [clientOf("ben"), clientOf("cyd")];
  const id = await groupOf(cyd);
  await sendMessage(page, "I lead this group");
  const said = await eventually(
    cyd,
    async () => (await cyd.messages(id, { limit: 5 })).find(({ body }) => body.kind === "text" && body.text === "I lead this group"),
    "cyd reads it",
  );
  const report = { messageIds: [said.id], reason: "other" } as const;
  await expect(cyd.reportToAdministrators(id, report)).rejects.toMatchObject({ code: "no_administrator" });
  await expect(cyd.reportToAdministrators(id, { messageIds: ["nothing"], reason: "other" })).rejects.toMatchObject({
    code: "unknown_message",
  });
  // In the app: of somebody else's message, by a member, from its menu.
  await page.getByRole("button", { name: "What to do with ben", exact: true }).click();
  await page.getByRole("menuitem", { name: "Make administrator", exact: true }).click();
  await eventually(
    ben,
    async () => ((await ben.details(id)).members.some(({ person, role }) => person.isSelf && role === "administrator") ? true : undefined),
    "ben leads too",
  );
  await page.getByRole("button", { name: "Close details", exact: true }).click();
  await cyd.send(id, "Buy my tomatoes");
  await seeMessage(page, "Buy my tomatoes");
  await chooseAction(page, messagesWith(page, "Buy my tomatoes").first(), "Report to administrators");
  const dialog = page.getByRole("dialog", { name: "Report to the administrators" });
  await dialog.getByText(/^ben will read this message/u).waitFor();
  await dialog.getByRole("textbox", { name: "In your words, if you like" }).fill("Again.");
  await picture(page, "report-1280");
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.setViewportSize({ width: 390, height: 844 });
  await picture(page, "report-390");
  await page.setViewportSize({ width: 1280, height: 800 });
  await dialog.getByRole("button", { name: "Report", exact: true }).click();
  await page.getByText("Reported to ben").waitFor();
  const [got] = await eventually(ben, async () => nonEmpty(await ben.groupReports(id)), "ben is told");
  expect(got).toMatchObject({
    from: { username: "ada" },
    reason: "spam",
    words: "Again.",
    messages: [{ message: { body: { text: "Buy my tomatoes" } } }],
  });
});

function nonEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}
