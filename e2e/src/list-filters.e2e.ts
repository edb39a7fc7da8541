import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { acceptRequest, conversationLink, createAccount, messageBox, sendMessage, seeMessage, seeTaken } from "./testing/app.ts";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { eventually, registerPerson, sendAndWait } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let page: Page;
let ben: TestPerson;
let garden = "";
let direct = "";

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ada = await openBrowser({ folder: folder.at("ada"), viewport: { width: 1280, height: 800 } });
  ({ page } = ada);
  await createAccount(page, { url: server.url, username: "ada" });
  await page.getByRole("button", { name: "Later" }).click();
  ben = await registerPerson({ home: folder.at("ben"), server: server.url, username: "ben" });
  ({ id: direct } = await ben.client.startConversation({ to: ["ada"] }));
  await sendAndWait(ben.client, direct, "hello from ben");
  await acceptRequest(page, "ben");
  await seeMessage(page, "hello from ben");
  await seeAllRead();
  ({ id: garden } = await ben.client.startConversation({ to: ["ada"], name: "Garden" }));
  await conversationLink(page, "Garden").click();
  await messageBox(page).waitFor();
  await sendMessage(page, "Shall I bring the spade?");
  await seeTaken(page, "Shall I bring the spade?");
  await seeAllRead();
  await page.goto(server.url);
  await conversationLink(page, "ben").waitFor();
});

afterAll(async () => {
  await ben[Symbol.asyncDispose]();
  await ada[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const list = (): Locator => page.getByRole("list", { name: "Conversations", exact: true });
/** What was seen counts as read a moment later. */
const seeAllRead = (): Promise<void> =>
  list()
    .getByText(/unread message/)
    .waitFor({ state: "detached" });
const titles = async (): Promise<string[]> => (await list().getByRole("link").allInnerTexts()).map((text) => text.trim()).toSorted();
const filter = (name: string): Locator => page.getByRole("radio", { name, exact: true });

describe("the filters of the list", () => {
  test("show people or groups, by the arrow keys, and are remembered", async () => {
    expect(await accessibilityProblems(page)).toEqual([]);
    await filter("All").focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    expect(await filter("People").isChecked()).toBe(true);
    await expect.poll(titles).toEqual(["ben"]);
    await page.keyboard.press("ArrowRight");
    await expect.poll(titles).toEqual(["Garden"]);
    await page.reload();
    await conversationLink(page, "Garden").waitFor();
    expect([await filter("Groups").isChecked(), await titles()]).toEqual([true, ["Garden"]]);
  });

  test("stand in one row at the usual width of the list, and what is chosen is seen whole", async () => {
    const row = page.getByRole("group", { name: "Show conversations", exact: true });
    const shown = async (name: string): Promise<{ left: number; right: number; top: number }> => {
      const [all, one] = [await row.boundingBox(), await row.getByText(name, { exact: true }).boundingBox()];
      if (all === null || one === null) throw new Error("not drawn");
      return { left: one.x - all.x, right: all.x + all.width - one.x - one.width, top: one.y };
    };
    const { top } = await shown("All");
    for (const name of ["Mentions", "All", "Mentions"]) {
      await filter(name).check({ force: true });
      await expect.poll(() => shown(name)).toMatchObject({ top });
      const { left, right } = await shown(name);
      expect(Math.min(left, right)).toBeGreaterThanOrEqual(0);
    }
    await filter("Groups").check({ force: true });
  });

  test("say where there is nothing, and lead back to all", async () => {
    await filter("Unread").check({ force: true });
    await page.getByText("Nothing is unread.").waitFor();
    await filter("Mentions").check({ force: true });
    await page.getByText("Nothing unread names you or answers you.").waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByRole("button", { name: "Show all" }).click();
    await expect.poll(titles).toEqual(["Garden", "ben"]);
  });

  test("what is unread stays while it is open; what answers one is found before and after a reload, and read it is none", async () => {
    await sendAndWait(ben.client, garden, "Hello, all");
    const asked = await eventually(
      ben.client,
      async () =>
        (await ben.client.messages(garden, { limit: 20 })).find(({ body }) => body.kind === "text" && body.text.includes("spade")),
      "ben has the question",
    );
    await filter("Unread").check({ force: true });
    await expect.poll(titles).toEqual(["Garden"]);
    await filter("Mentions").check({ force: true });
    await page.getByText("Nothing unread names you or answers you.").waitFor();
    await ben.client.send(garden, "Yes, please", { inReplyTo: asked.id });
    await expect.poll(titles).toEqual(["Garden"]);
    await list().getByText("You are named").waitFor({ state: "attached" });
    await page.reload();
    await expect.poll(titles).toEqual(["Garden"]);
    await conversationLink(page, "Garden").click();
    await seeMessage(page, "Yes, please");
    await list().getByText("You are named").waitFor({ state: "detached" });
    expect(await titles()).toEqual(["Garden"]);
    await filter("All").check({ force: true });
    await conversationLink(page, "ben").click();
    await filter("Mentions").check({ force: true });
    await expect.poll(titles).toEqual(["ben"]);
    await page.goto(server.url);
    await page.getByText("Nothing unread names you or answers you.").waitFor();
    expect([ada.violations, ada.errors]).toEqual([[], []]);
  });

  test("somebody who types is seen in the list, and for as long as they do", async () => {
    await page.getByRole("button", { name: "Show all" }).click();
    await ben.client.typing(direct, true);
    await list().getByText("typing…").waitFor();
    await ben.client.typing(direct, false);
    await list().getByText("typing…").waitFor({ state: "detached" });
    expect(await titles()).toEqual(["Garden", "ben"]);
  });
});
