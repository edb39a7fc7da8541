import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  acceptRequest,
  conversationLink,
  createAccount,
  messageBox,
  messageList,
  messagesWith,
  seeMessage,
  seeTaken,
} from "./testing/app.ts";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { registerPerson, sendAndWait } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

/** More than a window of the page holds, and than the client counts at once. */
const missed = 2400;

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let page: Page;
let ben: TestPerson;
let cyd: TestPerson;
let withBen = "";

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ada = await openBrowser({ folder: folder.at("ada"), viewport: { width: 1280, height: 800 } });
  ({ page } = ada);
  await createAccount(page, { url: server.url, username: "ada" });
  await page.getByRole("button", { name: "Later" }).click();
  ben = await registerPerson({ home: folder.at("ben"), server: server.url, username: "ben" });
  cyd = await registerPerson({ home: folder.at("cyd"), server: server.url, username: "cyd" });
  for (const person of [ben, cyd]) {
    const { id } = await person.client.startConversation({ to: ["ada"] });
    await sendAndWait(person.client, id, `hello from ${person.username}`);
    if (person === ben) withBen = id;
    await acceptRequest(page, person.username);
    await seeMessage(page, `hello from ${person.username}`);
    await item(person.username).getByText("unread message").waitFor({ state: "detached" });
  }
  await Promise.all(Array.from({ length: missed }, (_, at) => ben.client.send(withBen, `missed ${at}.`)));
  await ben.client.settle({ timeoutMs: 120_000 });
});

afterAll(async () => {
  for (const person of [ben, cyd]) await person[Symbol.asyncDispose]();
  await ada[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const item = (name: string): ReturnType<typeof conversationLink> =>
  page.getByRole("list", { name: "Conversations", exact: true }).getByRole("listitem").filter({ hasText: name });

/** The message on top of the screen, and how far its upper edge is from the list's. */
const top = (): Promise<{ readonly text: string; readonly atPx: number }> =>
  page.locator(".messages-scroll").evaluate((element) => {
    const edge = element.getBoundingClientRect().top;
    const rows = [...element.querySelectorAll(".messages-item")].map((row) => ({ row, box: row.getBoundingClientRect() }));
    const [first] = rows
      .filter(({ row, box }) => box.bottom > edge + 1 && row.querySelector(".bubble") !== null)
      .toSorted((a, b) => a.box.top - b.box.top);
    return { text: /missed \d+\./.exec(first?.row.textContent ?? "")?.[0] ?? "", atPx: Math.round((first?.box.top ?? 0) - edge) };
  });

const scrollTo = (place: "top" | "bottom"): Promise<void> =>
  page.locator(".messages-scroll").evaluate((element, where) => {
    element.scrollTop = where === "top" ? 0 : element.scrollHeight;
  }, place);

/** Scrolls on and on until the message on top of the screen is about there. */
async function scrollUntil(place: "top" | "bottom", isThere: (missedAt: number) => boolean): Promise<void> {
  await expect
    .poll(
      async () => {
        await scrollTo(place);
        return isThere(Number(/\d+/.exec((await top()).text)?.[0] ?? Number.NaN));
      },
      { interval: 30 },
    )
    .toBe(true);
}

/** Scrolls on and on until a message is there. */
async function scrollToEdge(place: "top" | "bottom", text: string): Promise<void> {
  await expect
    .poll(
      async () => {
        await scrollTo(place);
        return await messagesWith(page, text).count();
      },
      { interval: 30 },
    )
    .toBeGreaterThan(0);
}

const unread = async (): Promise<number> => Number(await item("ben").locator(".list-badge").getAttribute("data-count"));

describe("a long history", () => {
  test("opens at the line of new messages, of which those are read that were on the screen, and counts down as one reads on", async () => {
    await item("ben").getByText("2,400 unread messages").waitFor({ state: "attached" });
    await conversationLink(page, "ben").click();
    await messageList(page).getByText("2,400 new messages").waitFor();
    // The day that floats above covers nothing of that line.
    await expect
      .poll(() =>
        page.locator(".row-new").evaluate((line) => {
          const day = document.querySelector(".messages-day")?.getBoundingClientRect();
          const range = document.createRange();
          range.selectNodeContents(line);
          return day !== undefined && day.bottom <= range.getBoundingClientRect().top;
        }),
      )
      .toBe(true);
    await messagesWith(page, "missed 0.").waitFor();
    await expect.poll(unread).toBeLessThan(missed);
    expect(await unread()).toBeGreaterThan(missed - 60);
    await scrollUntil("bottom", (at) => at >= 300);
    await expect.poll(unread).toBeLessThan(missed - 280);
    expect(await unread()).toBeGreaterThan(1500);
  });

  test("is read to its end and back to its beginning, and holds no more than a window of it", async () => {
    await scrollToEdge("bottom", `missed ${missed - 1}.`);
    await item("ben").locator(".list-badge").waitFor({ state: "detached" });
    await scrollToEdge("top", "hello from ben");
    await page.getByRole("button", { name: "Jump to the newest message" }).click();
    await messagesWith(page, `missed ${missed - 1}.`).waitFor();
    await page.getByRole("button", { name: "Jump to the newest message" }).waitFor({ state: "detached" });
    expect(await messageList(page).getByRole("listitem").count()).toBeLessThan(60);
  });

  test("is gone through by date: from the row of a day, by keys, to the first message of it", async () => {
    await scrollToEdge("top", "hello from ben");
    await messageList(page).getByRole("button", { name: "Today" }).focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Go to a date" });
    await dialog.waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Jump to the newest message" }).click();
    await messagesWith(page, `missed ${missed - 1}.`).waitFor();
    await scrollUntil("top", (at) => at < 2000);
    await page.locator(".messages-day").click();
    await dialog.getByRole("button", { name: "Go there" }).click();
    await messagesWith(page, "hello from ben").waitFor();
    await expect.poll(() => page.evaluate(() => document.activeElement?.closest(".messages-item") !== null)).toBe(true);
    expect(await page.locator(".messages-scroll").evaluate((element) => element.scrollTop)).toBeLessThan(300);
    await page.locator(".messages-scroll").evaluate((element) => element.scrollTo(0, 0));
    await messageList(page).getByRole("button", { name: "Today" }).click();
    await dialog.getByLabel("Date").fill("2001-01-01");
    await dialog.getByRole("button", { name: "Go there" }).click();
    await messagesWith(page, "hello from ben").waitFor();
    // It stood there before: who goes on must be past the one that was gone to.
    await dialog.waitFor({ state: "detached" });
    await expect.poll(() => page.evaluate(() => document.activeElement?.closest(".messages-item") !== null)).toBe(true);
  });

  test("stands where it was left: after another conversation, after a reload, and whatever comes below", async () => {
    await page.getByRole("button", { name: "Jump to the newest message" }).click();
    await messagesWith(page, `missed ${missed - 1}.`).waitFor();
    await scrollUntil("top", (at) => at < 1200);
    await page.locator(".messages-scroll").evaluate((element) => element.scrollBy(0, 333));
    await expect.poll(async () => (await top()).text).not.toBe("");
    let before = await top();
    await expect
      .poll(async () => {
        const [last, now] = [before, await top()];
        before = now;
        // Until what is above the first row is here, that row stands as the first of a run, and is higher.
        const isLoading = (await page.locator(".messages-loading").count()) > 0;
        return !isLoading && now.text === last.text && now.atPx === last.atPx;
      })
      .toBe(true);
    await conversationLink(page, "cyd").click();
    await seeMessage(page, "hello from cyd");
    await conversationLink(page, "ben").click();
    await expect.poll(top).toEqual(before);
    await sendAndWait(ben.client, withBen, "one more below");
    await page
      .getByRole("button", { name: /^Jump to the newest message/u })
      .getByText("1")
      .waitFor();
    expect(await top()).toEqual(before);
    await page.reload();
    await messageBox(page).waitFor();
    await expect.poll(top).toEqual(before);
    await messageBox(page).fill("an answer from far above");
    await page.keyboard.press("Enter");
    await seeMessage(page, "an answer from far above");
    await seeTaken(page, "an answer from far above");
    await seeMessage(page, "one more below");
    expect([ada.violations, ada.errors]).toEqual([[], []]);
  });
});
