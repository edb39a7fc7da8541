// What happens to files where two tabs do the same thing at once, or one is closed in the middle of it.
import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Message } from "@latchkey/client";
import { createAccount, messageBox, messagesWith, seeTaken, sendMessage, startConversation } from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { keptPieces } from "./testing/kept-pieces.ts";
import { eventually, joinedConversation, registerPerson } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let page: Page;
let ben: TestPerson;
let conversationId: string;

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ada = await openBrowser({ folder: folder.at("ada") });
  ({ page } = ada);
  await createAccount(page, { url: server.url, username: "ada" });
  ben = await registerPerson({ server: server.url, home: folder.at("ben"), username: "ben", displayName: "Ben Smith" });
  await startConversation(page, { to: ["ben"] });
  await sendMessage(page, "Hello");
  await seeTaken(page, "Hello");
  conversationId = (await joinedConversation(ben.client, "ada")).id;
});

afterAll(async () => {
  await ben.client.close();
  await ada[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const tray = (tab: Page): Locator => tab.getByRole("region", { name: "Files to send", exact: true });
const send = (tab: Page): Promise<void> => tab.getByRole("button", { name: "Send", exact: true }).click();

/** A file of the tray that is ready. */
const inTray = (tab: Page, name: string): Locator => tray(tab).getByRole("button", { name: new RegExp(`^${name}, [0-9]`, "u") });

/** A file on the disk: its path. */
function fileWith(name: string, bytes: Uint8Array): string {
  const path = folder.at(name);
  writeFileSync(path, bytes);
  return path;
}

async function choose(tab: Page, ...paths: readonly string[]): Promise<void> {
  const chooser = tab.waitForEvent("filechooser");
  await tab.getByRole("button", { name: "Attach a file", exact: true }).click();
  await (await chooser).setFiles([...paths]);
}

/** Another tab of the same browser, at the conversation. */
async function openTab(): Promise<Page> {
  const tab = await ada.context.newPage();
  await tab.goto(page.url());
  await messageBox(tab).waitFor();
  return tab;
}

async function hashAtBen({ id, conversationId: of, files }: Message): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of ben.client.readFile(of, id, files?.[0]?.id ?? "")) hash.update(part);
  return hash.digest("hex");
}

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

test("two tabs that send the same file at once send two messages, each whole, under keys of their own", async () => {
  const bytes = randomBytes(3_000_000);
  const path = fileWith("plans.bin", bytes);
  const other = await openTab();
  const tabs = [page, other];
  await Promise.all(
    tabs.map(async (tab) => {
      await choose(tab, path);
      await inTray(tab, "plans.bin").waitFor();
    }),
  );
  await Promise.all(tabs.map((tab) => send(tab)));
  const messages = await eventually(
    ben.client,
    async () => {
      const found = (await ben.client.messages(conversationId, { limit: 50 })).filter(({ files }) => files?.[0]?.name === "plans.bin");
      return found.length === 2 ? found : undefined;
    },
    "both arrive",
  );
  for (const message of messages) expect(await hashAtBen(message)).toBe(hashOf(bytes));
  expect(new Set(messages.map(({ files }) => files?.[0]?.id)).size).toBe(2);
  for (const tab of tabs) {
    await expect.poll(() => messagesWith(tab, "plans.bin").count()).toBe(2);
    await tray(tab).waitFor({ state: "detached" });
  }
  await other.close();
});

test("a tab that is closed while its pictures are made ready sends nothing and leaves nothing; the others go on", async () => {
  const photo = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(4000, 3000);
    const context = canvas.getContext("2d");
    if (context === null) throw new Error("no canvas");
    for (let line = 0; line < 3000; line += 10) {
      context.fillStyle = `hsl(${String(line % 360)} 80% 50%)`;
      context.fillRect(0, line, 4000, 10);
    }
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 });
    return Array.from(new Uint8Array(await blob.arrayBuffer()));
  });
  const paths = Array.from({ length: 8 }, (_, at) => fileWith(`photo-${String(at)}.jpg`, Uint8Array.from(photo)));
  const before = await keptPieces(page);
  const tab = await openTab();
  await choose(tab, ...paths);
  await messageBox(tab).fill("Never sent");
  // The first picture is at work, and the others wait.
  await tray(tab).waitFor();
  await tab.close({ runBeforeUnload: false });
  await sendMessage(page, "Still here");
  await seeTaken(page, "Still here");
  expect(
    (await ben.client.messages(conversationId, { limit: 50 })).some(({ body }) => body.kind === "text" && body.text === "Never sent"),
  ).toBe(false);
  expect(await keptPieces(page)).toBe(before);
  const again = await openTab();
  expect(await tray(again).count()).toBe(0);
  await again.close();
  await messageBox(page).fill("");
});
