import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { conversationLink, createAccount, seeMessage, sendMessage, startConversation } from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { registerPerson } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

/** Where a picture of each page goes; none is made without. */
const pictures = process.env["E2E_PICTURES"];

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let cyd: BrowserProfile;
const people: TestPerson[] = [];

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  [ada, cyd] = [
    await openBrowser({ folder: folder.at("ada"), viewport: { width: 1280, height: 800 } }),
    await openBrowser({ folder: folder.at("cyd"), viewport: { width: 390, height: 844 } }),
  ];
  await createAccount(ada.page, { url: server.url, username: "ada" });
  for (const username of ["ben", "dan"]) people.push(await registerPerson({ home: folder.at(username), server: server.url, username }));
});

afterAll(async () => {
  for (const person of people) await person[Symbol.asyncDispose]();
  for (const browser of [ada, cyd]) await browser[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function picture(page: Page, name: string): Promise<void> {
  if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}.png`) });
}

test("[X-14] a link made in the details of a group is opened by somebody without an account, who asks, is let in, and is there", async () => {
  const { page } = ada;
  await startConversation(page, { to: ["ben", "dan"], groupName: "Allotment" });
  await sendMessage(page, "Who has the key?");
  await page.getByRole("button", { name: "Details" }).first().click();
  await page.getByRole("button", { name: "Make an invite link", exact: true }).click();
  const form = page.getByRole("dialog", { name: "Make an invite link" });
  await form.getByRole("combobox", { name: "Holds for" }).selectOption("1 day");
  await form.getByRole("combobox", { name: "Lets in" }).selectOption("10 people");
  await picture(page, "make-link-1280");
  expect(await accessibilityProblems(page)).toEqual([]);
  await form.getByRole("button", { name: "Make link" }).click();
  const field = page.getByRole("textbox", { name: "Invite link", exact: true });
  await field.waitFor();
  const url = await field.inputValue();
  expect(new URL(url)).toMatchObject({ origin: server.url, pathname: "/join" });
  await field.scrollIntoViewIfNeeded();
  await page.getByText(/0 of 10 came in/u).waitFor();
  const links = page.getByRole("region", { name: "Invite link" });
  await links.getByRole("button", { name: "Show as a code" }).click();
  await links.getByRole("img", { name: "Code of the invite link" }).waitFor();
  await picture(page, "invite-link-1280");
  expect(await accessibilityProblems(page)).toEqual([]);

  const requested: string[] = [];
  cyd.page.on("request", (request) => requested.push(request.url()));
  await cyd.page.goto(url);
  await cyd.page.getByText("You were given a link into a group.").waitFor();
  await cyd.page.getByRole("textbox", { name: "Username", exact: true }).fill("cyd");
  await cyd.page.getByRole("button", { name: "Create account", exact: true }).click();
  const ask = cyd.page.getByRole("button", { name: "Ask to join", exact: true });
  await ask.waitFor();
  await cyd.page.getByRole("heading", { name: "Ask to join “Allotment”?" }).waitFor();
  await picture(cyd.page, "ask-to-join-390");
  expect(await accessibilityProblems(cyd.page)).toEqual([]);
  await cyd.page.setViewportSize({ width: 1280, height: 800 });
  await picture(cyd.page, "ask-to-join-1280");
  await cyd.page.setViewportSize({ width: 390, height: 844 });
  await ask.click();
  await cyd.page.getByRole("heading", { name: "You asked to join" }).waitFor();
  await picture(cyd.page, "asked-390");
  await cyd.page.getByRole("button", { name: "Go to conversations", exact: true }).click();
  // Where one waits stands above the list, and can be withdrawn; who asks again waits again.
  await cyd.page.getByRole("button", { name: "You wait to be let in (1)" }).click();
  const waits = cyd.page.getByRole("list", { name: "Where you wait to be let in" });
  await waits.getByText("Allotment").waitFor();
  await picture(cyd.page, "where-one-waits-390");
  expect(await accessibilityProblems(cyd.page)).toEqual([]);
  await waits.getByRole("button", { name: "Withdraw the request to join Allotment" }).click();
  await cyd.page.getByText("You are not waiting to be let in anywhere.").waitFor();
  // Whoever asked nowhere hears nothing of it.
  await cyd.page.reload();
  await cyd.page.getByRole("heading", { name: "Requests" }).waitFor();
  expect(await cyd.page.getByRole("heading", { name: "Where you wait to be let in" }).count()).toBe(0);
  await cyd.page.goto(url);
  await ask.click();
  await cyd.page.getByRole("button", { name: "Go to conversations", exact: true }).click();
  await cyd.page.getByRole("button", { name: "You wait to be let in (1)" }).waitFor();
  // What stands behind the address is nobody's to see: no request had it, and it is gone from there.
  const [, secret = ""] = url.split("#v1.");
  expect(requested.filter((asked) => asked.includes(secret.slice(0, 40)))).toEqual([]);
  expect(cyd.page.url()).not.toContain(secret.slice(0, 40));

  // Who leads the group is told where they write too, within the two minutes in which their device looks, or when the app is opened.
  await page.getByRole("button", { name: "Close details", exact: true }).click();
  await page.reload();
  await page.getByText("1 person waits to be let in").waitFor();
  await picture(page, "waiting-line-1280");
  await page.getByRole("button", { name: "Show", exact: true }).click();
  const letIn = page.getByRole("button", { name: "Let in cyd", exact: true });
  await letIn.waitFor();
  await letIn.scrollIntoViewIfNeeded();
  await picture(page, "waiting-1280");
  await page.setViewportSize({ width: 390, height: 844 });
  // The details become the page itself: what stood in the pane is drawn anew.
  await page.getByRole("main", { name: "Details" }).waitFor();
  await expect
    .poll(() =>
      letIn.scrollIntoViewIfNeeded().then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
  await picture(page, "waiting-390");
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.setViewportSize({ width: 1280, height: 800 });
  await letIn.click();
  await page.getByText("Nobody is waiting.", { exact: true }).waitFor();
  await page.getByText(/1 of 10 came in/u).waitFor();
  await conversationLink(cyd.page, "Allotment").click();
  await sendMessage(cyd.page, "I am cyd");
  await seeMessage(page, "I am cyd");
});

test("[X-14] a link that was taken back says so, and one that is cut short is none", async () => {
  const { page } = ada;
  const url = await page.getByRole("textbox", { name: "Invite link", exact: true }).inputValue();
  await cyd.page.goto(url.slice(0, -10));
  await cyd.page.getByRole("alert").getByText("That is not an invite link").waitFor();
  await page.getByRole("button", { name: "Take back", exact: true }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Take back", exact: true }).click();
  await page.getByRole("button", { name: "Make an invite link", exact: true }).click();
  const form = page.getByRole("dialog", { name: "Make an invite link" });
  await form.getByRole("switch", { name: /^The link says the group’s name/u }).uncheck();
  await form.getByRole("button", { name: "Make link" }).click();
  const unnamed = await page.getByRole("textbox", { name: "Invite link", exact: true }).inputValue();
  await cyd.page.goto(unnamed);
  await cyd.page.getByRole("heading", { name: "Ask to join a group?" }).waitFor();
  await page.getByRole("button", { name: "Take back", exact: true }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Take back", exact: true }).click();
  await page.getByRole("button", { name: "Make an invite link", exact: true }).waitFor();
  await cyd.page.goto(url);
  // Only what stands behind the address is another.
  await cyd.page.getByRole("button", { name: "Ask to join", exact: true }).click();
  await cyd.page.getByRole("alert").getByText("This link does not hold any more").waitFor();
  await picture(cyd.page, "taken-back-390");
  await cyd.page.getByRole("button", { name: "Not now", exact: true }).click();
  await conversationLink(cyd.page, "Allotment").waitFor();
  expect(await page.getByRole("textbox", { name: "Invite link", exact: true }).count()).toBe(0);
});

test("[E-116] somebody's own link, opened without an account, says whose it is, and leads to them once there is one; other words in it are not shown", async () => {
  await using eva = await openBrowser({ folder: folder.at("eva"), viewport: { width: 390, height: 844 } });
  const { page } = eva;
  await page.goto(`${server.url}/new?to=${encodeURIComponent("ada, your bank needs you")}`);
  await page.getByRole("textbox", { name: "Username", exact: true }).waitFor();
  expect(await page.getByText(/your bank|You were given a link/u).count()).toBe(0);
  await page.goto(`${server.url}/new?to=ada`);
  await page.getByText("You were given a link to ada.").waitFor();
  await picture(page, "own-link-390");
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.getByRole("textbox", { name: "Username", exact: true }).fill("eva");
  await page.getByRole("button", { name: "Create account", exact: true }).click();
  await page.getByRole("heading", { name: "New conversation" }).waitFor();
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await sendMessage(page, "You gave me your link");
  await seeMessage(page, "You gave me your link");
});
