// A lost device is not a lost history: what was said comes back on a new device by the 24 words, and is kept on from there.
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { conversationLink, seeMessage } from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { joinedConversation, receiveText, registerPerson, sendAndWait } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

let folder: TemporaryFolder;
let server: ServerProcess;
let ben: TestPerson;
let fresh: BrowserProfile;
let phrase: string;

/** Ada has talked with Ben, and kept a backup, on a device that is gone now. */
beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ben = await registerPerson({ home: folder.at("ben"), server: server.url, username: "ben", displayName: "Ben Adeyemi" });
  const ada = await registerPerson({ home: folder.at("ada"), server: server.url, username: "ada" });
  const { id } = await ben.client.startConversation({ to: ["ada"], name: "Lighthouse walk" });
  await joinedConversation(ada.client, "Lighthouse walk");
  await sendAndWait(ben.client, id, "Meet me where the path ends");
  await receiveText(ada.client, id, "Meet me where the path ends");
  await sendAndWait(ada.client, id, "At seven, with a lamp");
  phrase = ((await ada.client.recoveryPhrase()) ?? []).join(" ");
  await ada.client.keepHistoryBackup();
  await ada.client.writeHistoryBackup();
  await ada[Symbol.asyncDispose]();
  fresh = await openBrowser({ folder: folder.at("ada-2"), viewport: { width: 1280, height: 800 } });
}, 180_000);

afterAll(async () => {
  await fresh[Symbol.asyncDispose]();
  await ben[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** Ada recovers her account in a browser that knows nothing of her, by the words as they are pasted. */
async function recover({ page }: BrowserProfile): Promise<void> {
  await page.goto(`${server.url}/recover`);
  await page.getByLabel("Username").fill("ada");
  await page.getByLabel("Word 1", { exact: true }).focus();
  await page.evaluate((text) => {
    const data = new DataTransfer();
    data.setData("text", text);
    document.activeElement?.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  }, phrase);
  await page.getByRole("button", { name: "Recover" }).click();
  await page.getByText(/^Your server has a backup of .* with 2 messages/).waitFor({ timeout: 90_000 });
}

/** What a person sees, on a wide and a narrow screen, where somebody wants to look at it. */
async function look(name: string): Promise<void> {
  const shots = process.env["SHOTS"];
  if (shots === undefined) return;
  const { page } = fresh;
  await page.screenshot({ path: join(shots, `${name}-wide.png`) });
  await page.setViewportSize({ width: 390, height: 844 });
  await page.screenshot({ path: join(shots, `${name}-narrow.png`), fullPage: true });
  await page.setViewportSize({ width: 1280, height: 800 });
}

describe("a backup", () => {
  test(
    "[B-4] [B-6] that is declined brings nothing, makes room for another, and stays at the server until there is one",
    { timeout: 240_000 },
    async () => {
      await using other = await openBrowser({ folder: folder.at("ada-3"), viewport: { width: 1280, height: 800 } });
      const { page } = other;
      await recover(other);
      await page.goto(`${server.url}/settings/data`);
      await page.getByRole("button", { name: "Bring them back" }).waitFor({ timeout: 60_000 });
      const takeOver = page.getByRole("button", { name: "Keep it on this device" });
      expect(await takeOver.count()).toBe(0);
      await page.getByRole("button", { name: "Do without them" }).click();
      await takeOver.waitFor({ timeout: 60_000 });
      expect(await page.getByRole("heading", { name: "Your messages from before" }).count()).toBe(0);
      await page.reload();
      await takeOver.waitFor({ timeout: 60_000 });
      expect(await page.getByRole("button", { name: "Bring them back" }).count()).toBe(0);
      await page.goto(`${server.url}/`);
      await page.getByText("This is its only device now.", { exact: false }).waitFor({ timeout: 60_000 });
      expect(await conversationLink(page, "Lighthouse walk").count()).toBe(0);
    },
  );

  test(
    "[B-4] [B-6] is offered when the account is recovered, comes back, and is kept on by the new device",
    { timeout: 240_000 },
    async () => {
      const { page } = fresh;
      await recover(fresh);
      await look("offered");
      expect(await accessibilityProblems(page)).toEqual([]);
      await page.getByRole("button", { name: "Bring them back" }).click();
      await page.getByText("2 messages came back.").waitFor({ timeout: 60_000 });
      await page.getByText("This device keeps the backup.").waitFor({ timeout: 60_000 });
      await page.getByText(/^Written .* at the server/).waitFor({ timeout: 90_000 });
      await look("kept");
      expect(await accessibilityProblems(page)).toEqual([]);
      // Whoever erases this only device is told what comes back, and from when.
      await page.goto(`${server.url}/settings/account`);
      await page.getByRole("button", { name: "Log out and erase this device" }).click();
      const question = page.getByRole("alertdialog");
      await question.getByText(/bring the account back, and its conversations from the backup of /).waitFor();
      await question.getByRole("button", { name: "Cancel" }).click();
      await page.goto(`${server.url}/`);
      await conversationLink(page, "Lighthouse walk").click({ timeout: 60_000 });
      await seeMessage(page, "Meet me where the path ends");
      await seeMessage(page, "At seven, with a lamp");
      await look("read");
      await page.goto(`${server.url}/settings/data`);
      await page.getByRole("button", { name: "Turn it off" }).click();
      await page.getByRole("button", { name: "Turn off and erase" }).click();
      await page.getByRole("button", { name: "Keep a backup" }).waitFor({ timeout: 60_000 });
    },
  );
});
