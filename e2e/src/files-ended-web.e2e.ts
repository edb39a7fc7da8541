// What happens to files where a browser has no room for them, or somebody logs out in the middle of it.
import { createHash, randomBytes } from "node:crypto";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, statfsSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Message } from "@latchkey/client";
import { createAccount, messageBox, messagesWith, seeTaken, sendMessage, startConversation } from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { keptPieces } from "./testing/kept-pieces.ts";
import { eventually, joinedConversation, registerPerson } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";
import { wav } from "./testing/sound.ts";

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

async function hashAtBen({ id, conversationId: of, files }: Message): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of ben.client.readFile(of, id, files?.[0]?.id ?? "")) hash.update(part);
  return hash.digest("hex");
}

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** How much of an upload lies at the server. */
function comeBytes(): number {
  const uploads = folder.at("data", "blobs", "uploads");
  return Math.max(0, ...readdirSync(uploads).map((name) => statSync(`${uploads}/${name}`, { throwIfNoEntry: false })?.size ?? 0));
}

async function logOut(): Promise<void> {
  await page.goto(`${server.url}/settings/account`);
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Erase" }).click();
  await page.getByRole("button", { name: "Create account" }).waitFor();
}

test("a browser without room says so, the message stays to be sent, and goes once there is room", async (context) => {
  // A browser of its own, on a disk of its own that fills up.
  const small = folder.at("small");
  mkdirSync(small);
  const { error, status } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=400m", "tmpfs", small], { stdio: "ignore" });
  if (error !== undefined || status !== 0) {
    context.skip("mounting a small file system is refused");
    return;
  }
  onTestFinished(() => void spawnSync("umount", ["-l", small]));
  await using cyd = await openBrowser({ folder: join(small, "cyd") });
  await createAccount(cyd.page, { url: server.url, username: "cyd" });
  await startConversation(cyd.page, { to: ["ben"] });
  await sendMessage(cyd.page, "Hello, it is Cyd");
  await seeTaken(cyd.page, "Hello, it is Cyd");
  const bytes = randomBytes(10_000_000);
  await choose(cyd.page, fileWith("large.bin", bytes));
  await messageBox(cyd.page).fill("No room");
  await inTray(cyd.page, "large.bin").waitFor();
  const { bavail, bsize } = statfsSync(small);
  const filler = join(small, "filler");
  try {
    writeFileSync(filler, Buffer.alloc(bavail * bsize));
  } catch {
    // The browser has written something meanwhile.
  }
  truncateSync(filler, statSync(filler).size - 4_000_000);
  await send(cyd.page);
  await cyd.page.getByText("There is no space left").first().waitFor({ timeout: 120_000 });
  // Nothing is lost: neither the words nor the file.
  await expect.poll(() => messageBox(cyd.page).inputValue()).toBe("No room");
  await inTray(cyd.page, "large.bin").waitFor();
  rmSync(join(small, "filler"));
  await send(cyd.page);
  const { id } = await joinedConversation(ben.client, "cyd");
  const message = await eventually(
    ben.client,
    async () => (await ben.client.messages(id, { limit: 10 })).find(({ body }) => body.kind === "text" && body.text === "No room"),
    "it goes",
  );
  expect(await hashAtBen(message)).toBe(hashOf(bytes));
}, 400_000);

test("who logs out while a file is on its way and a sound plays leaves nothing here, and nobody gets half of anything", async () => {
  const sound = wav(randomBytes(6_000_000), { rate: 48_000, bits: 16 });
  const noise = new Blob([new Uint8Array(sound)]);
  await ben.client.send(conversationId, "A noise", {
    files: [{ name: "noise.wav", kind: "audio", mediaType: "audio/wav", sizeBytes: noise.size, content: noise }],
  });
  const message = messagesWith(page, "A noise").last();
  await message.waitFor();
  await message.getByRole("button", { name: "Play" }).click();
  await message.getByRole("button", { name: "Pause" }).waitFor();
  // On a fast machine 40 MB were gone before the page that logs out was open.
  await choose(page, fileWith("huge.bin", randomBytes(250_000_000)));
  await messageBox(page).fill("Half of it");
  await inTray(page, "huge.bin").waitFor();
  await send(page);
  await expect.poll(comeBytes, { interval: 2, timeout: 120_000 }).toBeGreaterThan(500_000);
  await logOut();
  await expect.poll(() => page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length)).toBe(0);
  expect(await keptPieces(page)).toBe(0);
  // What was on its way in the network has arrived.
  let stands = -1;
  await expect.poll(() => stands === (stands = comeBytes()), { interval: 1000, timeout: 30_000 }).toBe(true);
  await ben.client.settle({ timeoutMs: 60_000 });
  expect(
    (await ben.client.messages(conversationId, { limit: 50 })).some(({ body }) => body.kind === "text" && body.text === "Half of it"),
  ).toBe(false);
  // Nobody goes on with it.
  expect(comeBytes()).toBe(stands);
  expect([ada.violations, ada.errors]).toEqual([[], []]);
}, 400_000);
