import { join } from "node:path";
import type { Client } from "@latchkey/client";
import { describe, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { createAccount, sendMessage, startConversation } from "./testing/app.ts";
import { openBrowser, viewports } from "./testing/chromium.ts";
import { registerPerson } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, latchkey, startServerProcess } from "./testing/processes.ts";

// What comes within a minute at random, and no sooner: all of it is waited for side by side.

/** Where a picture of each page goes; none is made without. */
const pictures = process.env["E2E_PICTURES"];

/** The minute, and what a busy machine takes besides. */
const minuteMs = 150_000;

describe.concurrent("within a minute", () => {
  test("[R-3] in a group of more than twenty a message causes no entry by itself; who has read it is told to its author who asks, by those who say what they read", async ({
    expect,
  }) => {
    using folder = createFolder();
    await using server = await startServerProcess({ data: folder.at("data") });
    await using people = new AsyncDisposableStack();
    const register = (username: string): Promise<TestPerson> => registerPerson({ home: folder.at(username), server: server.url, username });
    const here = async (username: string): Promise<Client> => people.use(await register(username)).client;
    const open = [await here("ada"), await here("ben"), await here("cyd"), await here("dan")] as const;
    const [ada, ben, cyd, dan] = open;
    const absent = Array.from({ length: 18 }, (_, number) => `absent-${String(number)}`);
    for (const name of absent) await (await register(name)).client.close();
    const { id } = await ada.startConversation({ to: ["ben", "cyd", "dan", ...absent], name: "Village" });
    for (const client of [...open, ...open]) await client.settle({ timeoutMs: 60_000 });
    await dan.changePrivacySettings({ receipts: false });
    const { id: messageId } = await ada.send(id, "the well is dry");
    for (const client of [...open, ...open]) await client.settle({ timeoutMs: 60_000 });
    for (const reader of [ben, dan]) {
      const [last] = await reader.messages(id, { limit: 1 });
      await reader.markRead(id, last?.order ?? 0);
    }
    const readers = async (): Promise<readonly string[]> => (await ada.messageInfo(id, messageId)).readBy.map(({ username }) => username);
    expect(await readers()).toEqual([]);
    await expect(ben.whoHasRead(id, messageId)).rejects.toMatchObject({ code: "not_permitted" });
    await ada.whoHasRead(id, messageId);
    await expect(ada.whoHasRead(id, messageId)).rejects.toMatchObject({ code: "rate_limited" });
    await expect.poll(readers, { timeout: minuteMs, interval: 1000 }).toEqual(["ben"]);
    // A question and an answer are no lines, and nothing that anybody has to read.
    for (const client of open) {
      await client.settle({ timeoutMs: 60_000 });
      expect((await client.messages(id, { limit: 1 }))[0]?.id).toBe(messageId);
    }
    expect((await cyd.details(id)).conversation.unreadCount).toBe(1);
  });

  test("[F-12] somebody with whom one is in touch is suspended: the app says so by itself, once, and what it says goes when it was read", async ({
    expect,
  }) => {
    using folder = createFolder();
    const data = folder.at("data");
    await using server = await startServerProcess({ data });
    await using mal = await registerPerson({ home: folder.at("mal"), server: server.url, username: "mallory" });
    await using browser = await openBrowser({ folder: folder.at("ada") });
    const { page } = browser;
    await page.setViewportSize(viewports.desktop);
    await createAccount(page, { url: server.url, username: "ada" });
    await startConversation(page, { to: [mal.username] });
    await sendMessage(page, "Hello");
    expect((await latchkey(["admin", "suspend", "mallory", "--data", data])).status).toBe(0);
    // A device looks within a minute of its start.
    await page.reload();
    const warning = page.getByText("Somebody with whom you are in touch was suspended").first();
    await warning.waitFor({ timeout: minuteMs });
    for (const [name, size] of Object.entries(viewports)) {
      await page.setViewportSize(size);
      await warning.waitFor();
      if (pictures !== undefined) await page.screenshot({ path: join(pictures, `suspended-${name}.png`) });
    }
    await page.setViewportSize(viewports.desktop);
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(browser.violations).toEqual([]);
  });
});
