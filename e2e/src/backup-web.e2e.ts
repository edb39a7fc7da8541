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
    "[B-4] [B-6] is offered when the account is recovered, comes back, and is kept on by the new device",
    { timeout: 240_000 },
    async () => {
      const { page } = fresh;
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
      await look("offered");
      expect(await accessibilityProblems(page)).toEqual([]);
      await page.getByRole("button", { name: "Bring them back" }).click();
      await page.getByText("2 messages came back.").waitFor({ timeout: 60_000 });
      await page.getByText("This device keeps the backup.").waitFor({ timeout: 60_000 });
      await page.getByText(/^Written .* at the server/).waitFor({ timeout: 90_000 });
      await look("kept");
      expect(await accessibilityProblems(page)).toEqual([]);
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
