import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { acceptRequest, conversationLink, createAccount, seeMessage } from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { registerPerson, sendAndWait } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

const groups = 16;

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let page: Page;
let ben: TestPerson;
const ids: string[] = [];

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ada = await openBrowser({ folder: folder.at("ada"), viewport: { width: 1280, height: 600 } });
  ({ page } = ada);
  await createAccount(page, { url: server.url, username: "ada" });
  await page.getByRole("button", { name: "Later" }).click();
  ben = await registerPerson({ home: folder.at("ben"), server: server.url, username: "ben" });
  const { id } = await ben.client.startConversation({ to: ["ada"] });
  await sendAndWait(ben.client, id, "hello from ben");
  await acceptRequest(page, "ben");
  await seeMessage(page, "hello from ben");
  for (let at = 0; at < groups; at += 1) {
    const made = await ben.client.startConversation({ to: ["ada"], name: `Group ${String(at).padStart(2, "0")}` });
    ids.push(made.id);
    await conversationLink(page, `Group ${String(at).padStart(2, "0")}`).waitFor();
  }
});

afterAll(async () => {
  await ben[Symbol.asyncDispose]();
  await ada[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** The conversation on top of what is seen of the list, and how far its upper edge is from the list's. */
const top = (): Promise<{ readonly title: string; readonly atPx: number }> =>
  page.locator(".list-scroll").evaluate((element) => {
    const edge = element.getBoundingClientRect().top;
    const rows = [...element.querySelectorAll("[data-id]")].map((row) => ({ row, box: row.getBoundingClientRect() }));
    const first = rows.find(({ box }) => box.bottom > edge + 1);
    return { title: first?.row.querySelector("a")?.textContent ?? "", atPx: Math.round((first?.box.top ?? 0) - edge) };
  });

describe("the list of conversations", () => {
  test("stands where one looks while another conversation moves to its top", async () => {
    await page.locator(".list-scroll").evaluate((element) => element.scrollTo(0, 300));
    await expect.poll(async () => (await top()).title).toMatch(/^Group/u);
    const before = await top();
    // The oldest of them stands at the end, below what is seen.
    await sendAndWait(ben.client, ids[0] ?? "", "news of the oldest");
    await expect.poll(() => page.locator("[data-id]").first().innerText()).toContain("news of the oldest");
    expect(await top()).toEqual(before);
    expect([ada.violations, ada.errors]).toEqual([[], []]);
  });
});
