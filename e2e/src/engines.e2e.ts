import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasFirefox, openFirefox } from "./testing/engines/firefox.ts";
import { click, enter, fill, textOf, waitFor } from "./testing/engines/page.ts";
import type { EnginePage } from "./testing/engines/page.ts";
import { hasWebKit, openWebKit } from "./testing/engines/webkit.ts";
import { joinedConversation, receiveText, registerPerson, sendAndWait } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { isNightly } from "./testing/profile.ts";
import { commandLinePeer, createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

let folder: TemporaryFolder;
let server: ServerProcess;
let ben: TestPerson;

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ben = await registerPerson({ home: folder.at("ben"), server: server.url, username: "ben" });
});

afterAll(async () => {
  await ben[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const engines = [
  { name: "firefox", isHere: hasFirefox, open: openFirefox },
  { name: "webkit", isHere: hasWebKit, open: openWebKit },
] as const;

for (const { name, isHere } of engines)
  if (!isHere)
    process.stdout.write(`engines.e2e.ts: ${name} is not installed (firefox-esr; webkit2gtk-driver and xvfb): not tried in it\n`);

/** What the page loaded from anywhere else than its server. */
const foreignRequests = async (page: EnginePage): Promise<unknown> =>
  await page.run(
    `() => performance.getEntriesByType("resource").map(({ name }) => name).filter((name) => !name.startsWith(location.origin) && !name.startsWith("blob:"))`,
    [],
  );

async function accountIn(page: EnginePage, username: string): Promise<void> {
  await page.open(server.url);
  await fill(page, /^Username$/u, username);
  await click(page, "button", /^Create account$/u);
  await waitFor(page, { role: "button", name: /^New conversation$/u });
}

async function say(page: EnginePage, text: string): Promise<void> {
  await click(page, "textbox", /^Message$/u);
  await page.type(text);
  await page.type(enter);
  await see(page, text);
}

const see = async (page: EnginePage, text: string): Promise<void> => {
  await waitFor(page, { role: "listitem", name: new RegExp(text, "u") });
};

// By night all of it; of each engine that people talk, always.
describe.each(engines)("in $name", ({ name, isHere, open }) => {
  test.skipIf(!isHere)("two people talk; a reload and a way back keep everything", async () => {
    await using page = await open({ folder: folder.at(`${name}-talk`) });
    const username = `talk.${name}`;
    await accountIn(page, username);
    await click(page, "button", /^New conversation$/u);
    await fill(page, /^To$/u, "ben");
    await click(page, "button", /^Start$/u);
    await waitFor(page, { role: "textbox", name: /^Message$/u });
    await say(page, "Written in another engine");
    const { id } = await joinedConversation(ben.client, username);
    await receiveText(ben.client, id, "Written in another engine");
    await sendAndWait(ben.client, id, "Answered");
    await see(page, "Answered");
    await page.reload();
    await see(page, "Answered");
    // The page that is left may be kept as it is, with its worker: the next one must not wait for it.
    await page.open(`${server.url}/settings/devices`);
    await waitFor(page, { role: "button", name: /^Link a device$/u });
    await page.open("about:blank");
    await page.back();
    await waitFor(page, { role: "button", name: /^Link a device$/u });
    await page.open(`${server.url}/c/${id}`);
    await say(page, "And again");
    await receiveText(ben.client, id, "And again");
    expect(await foreignRequests(page)).toEqual([]);
  });

  test.skipIf(!isHere || !isNightly)("a device is linked", async () => {
    await using page = await open({ folder: folder.at(`${name}-link`) });
    const username = `link.${name}`;
    const old = commandLinePeer({ home: folder.at(`${name}-old`), server: server.url });
    await old.run("register", username);
    await old.run("send", "ben", "from the old device");
    await page.open(server.url);
    await click(page, "button", /^I have an account: link this device$/u);
    const words = await untilWords(page);
    const accepted = old.run("link", "accept", ...words, "--yes");
    await click(page, "button", /^Yes, they are the same$/u);
    await accepted;
    await click(page, "link", /ben/u);
    await see(page, "from the old device");
    await say(page, "from the new one");
    const { id } = await joinedConversation(ben.client, username);
    await receiveText(ben.client, id, "from the new one");
    expect(await old.run("devices")).toHaveLength(2);
  });

  test.skipIf(!isHere || !isNightly)("an account is recovered", async () => {
    const username = `lost.${name}`;
    const lost = commandLinePeer({ home: folder.at(`${name}-lost`), server: server.url });
    const [account] = await lost.run<{ recoveryPhrase?: string }>("register", username);
    await using page = await open({ folder: folder.at(`${name}-recover`) });
    await page.open(server.url);
    await click(page, "button", /^Recover$/u);
    await waitFor(page, { role: "heading", name: /^Recover your account$/u });
    await fill(page, /^Username$/u, username);
    for (const [at, word] of (account?.recoveryPhrase ?? "").split(" ").entries())
      await fill(page, new RegExp(`^Word ${String(at + 1)}$`, "u"), word);
    await click(page, "button", /^Recover account$/u);
    await waitFor(page, { role: "heading", name: /^Your account is back$/u });
    expect(await textOf(page)).toContain("Your account is back");
  });
});

test.skipIf(!hasFirefox)("[E-3] Firefox that lets sites store nothing is told so, with a way on", async () => {
  await using page = await openFirefox({ folder: folder.at("blocked"), blocksCookies: true });
  await page.open(server.url);
  await waitFor(page, { role: "button", name: /^Try again$/u });
  expect(await textOf(page)).toContain("does not let Latchkey store anything");
});

/** The words that a new device shows. */
async function untilWords(page: EnginePage): Promise<string[]> {
  await waitFor(page, { role: "listitem", name: /\d\s*\w{3,}/u });
  const words = await page.run(`() => [...document.querySelectorAll(".link-words b")].map((word) => word.textContent)`, []);
  return Array.isArray(words) ? words.map(String) : [];
}
