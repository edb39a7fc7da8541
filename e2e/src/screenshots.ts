// node tools/run.js e2e/src/screenshots.ts [FOLDER]: pictures of the running app for the documentation (docs/screenshots), from a real
// server, a real browser and people who write to each other.
import { cpSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { openNodeClient } from "@latchkey/client/node";
import type { Page } from "playwright-core";
import { messageBox, messagesWith, seeMessage, startConversation, taken } from "./testing/app.ts";
import { openBrowser, viewports } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { joinedConversation, registerPerson, sendAndWait } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, freePort, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess } from "./testing/processes.ts";
import { startOperatorProxy } from "./testing/operator-proxy.ts";
import { startWitnessProcess } from "./testing/witness-process.ts";

const target = resolve(process.argv[2] ?? fileURLToPath(new URL("../../docs/screenshots", import.meta.url)));

type Size = keyof typeof viewports;

/** Writes `name-size.png`, and `name-size-dark.png`. */
async function shoot(page: Page, name: string, size: Size, options: { dark?: boolean } = {}): Promise<void> {
  await page.setViewportSize(viewports[size]);
  for (const colorScheme of ["light", ...(options.dark === true ? (["dark"] as const) : [])] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.evaluate(() => document.fonts.ready);
    await settle(page);
    const file = `${name}-${size}${colorScheme === "dark" ? "-dark" : ""}.png`;
    await page.screenshot({ path: join(target, file) });
    process.stdout.write(`${file}\n`);
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
}

/** Two frames later everything that was measured stands where it belongs. */
async function settle(page: Page): Promise<void> {
  await page.evaluate(
    () =>
      new Promise<void>((done) => {
        requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 120)));
      }),
  );
}

async function write(page: Page, text: string): Promise<void> {
  await messageBox(page).fill(text);
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByRole("list", { name: "Messages" }).getByRole("listitem").last().locator(taken).waitFor({ state: "attached" });
}

async function open(page: Page, title: string): Promise<void> {
  await page.getByRole("list", { name: "Conversations", exact: true }).getByRole("link", { name: title, exact: true }).click();
  await page.getByRole("heading", { level: 1, name: title }).waitFor();
}

using folder = createFolder();
mkdirSync(target, { recursive: true });
const port = await freePort();
const url = `http://localhost:${String(port)}`;
const witnesses = await Promise.all(
  ["north", "south", "harbour"].map((name) => startWitnessProcess({ folder: folder.at(name), name: `${name}.example`, server: url })),
);
const inner = await freePort();
// Between the people and the server: at the end it is what an operator under an order might be.
await using operator = await startOperatorProxy({ port, target: inner });
const startServer = (data: string): Promise<ServerProcess> =>
  startServerProcess({
    data,
    port: inner,
    args: [
      "--host",
      `localhost:${String(port)}`,
      "--name",
      "Harbour Street",
      ...witnesses.flatMap(({ url: at, logKey, mapKey }) => ["--witness", `${at} ${logKey} ${mapKey}`]),
      "--witness-quorum",
      "2",
    ],
  });
let server = await startServer(folder.at("data"));
const browser = await openBrowser({ folder: folder.at("ada") });
const { page } = browser;

await page.goto(url);
await page.getByText("Anyone can create an account here.").waitFor();
await shoot(page, "welcome", "phone");
await shoot(page, "welcome", "desktop", { dark: true });

const names: readonly (readonly [string, string])[] = [
  ["ben", "Ben Okafor"],
  ["mika", "Mika Saarinen"],
  ["layla", "ليلى حدّاد"],
  ["anneliese", "Dr. Anneliese von Hohenstein-Sigmaringen"],
];
const people = new Map<string, TestPerson>();
for (const [username, displayName] of names) {
  people.set(username, await registerPerson({ home: folder.at(username), server: url, username, displayName }));
}
const person = (username: string): TestPerson => {
  const found = people.get(username);
  if (found === undefined) throw new Error("nobody of this name");
  return found;
};

await page.getByRole("textbox", { name: "Username", exact: true }).fill("ada");
await page.getByRole("textbox", { name: "Your name (optional)" }).fill("Ada Lindqvist");
await page.getByRole("button", { name: "Create account", exact: true }).click();
await page.getByRole("button", { name: "Show the 24 words" }).waitFor();
await page.getByRole("button", { name: "Show the 24 words" }).click();
await page.getByRole("button", { name: "Print" }).waitFor();
await shoot(page, "recovery-phrase", "desktop", { dark: true });
await page.setViewportSize(viewports.phone);
// On a phone it stands below the list, as far as one was.
await page.getByRole("button", { name: "Print" }).waitFor();
await shoot(page, "recovery-phrase", "phone");
await page.setViewportSize(viewports.desktop);
await page.getByRole("button", { name: "Later" }).click();
await page.getByRole("button", { name: "Copy link" }).first().waitFor();
await shoot(page, "empty", "desktop");
// A copy of the server's disk as it is now, for the end.
await server.stop();
cpSync(folder.at("data"), folder.at("old"), { recursive: true });
server = await startServer(folder.at("data"));

// A group, with everybody.
const group = "Housemates 🏠";
await startConversation(page, { to: names.map(([username]) => username), groupName: group });
await write(page, "Hello everybody, this is our new home for the house talk");
const groups = new Map<string, string>();
for (const [username] of names) groups.set(username, (await joinedConversation(person(username).client, group)).id);
const say = async (username: string, text: string): Promise<void> => {
  await sendAndWait(person(username).client, groups.get(username) ?? "", text);
};
await say(
  "mika",
  "The boiler makes that noise again. I opened the little valve like last time, now it is quiet, but there is some water on the floor",
);
await say("mika", "Not much!");
await say("ben", "I can call the plumber tomorrow morning");
await write(page, "Please do. I wrote down the number:\n```\n+49 30 555 0199\nMo–Fr 8–16\n```");
await say("anneliese", "Good evening to all of you. I shall bring the tool box.");

// One to one.
const greet = async (username: string, text: string): Promise<string> => {
  const { client } = person(username);
  const conversation = await client.startConversation({ to: ["ada"] });
  await sendAndWait(client, conversation.id, text);
  return conversation.id;
};
// Somebody whom Ada does not know yet.
people.set("ines", await registerPerson({ home: folder.at("ines"), server: url, username: "ines", displayName: "Ines Moreau" }));
await greet("ines", "We met at the harbour festival");
await page.getByRole("button", { name: "Requests (1)" }).click();
await page.getByRole("button", { name: /^Accept .?ines/u }).waitFor();
await shoot(page, "request", "desktop", { dark: true });
await shoot(page, "request", "phone");
await page.setViewportSize(viewports.desktop);
await page.getByRole("button", { name: /^Accept .?ines/u }).click();
await messageBox(page).waitFor();
await greet("anneliese", "The minutes of the house meeting are ready. Shall I send them here?");
await greet("layla", "مرحبا آدا! وصل الطرد صباح اليوم، شكرًا جزيلًا!");
const withAda = await greet("ben", "Hey! I finally moved over here.");
const ben = person("ben").client;
await sendAndWait(ben, withAda, "Took two minutes, no phone number, nothing");
const title = page.getByRole("link", { name: /^(Ben Okafor|ben)$/ });
await title.waitFor();
const benTitle = (await title.textContent()) ?? "ben";
await open(page, benTitle);
await write(page, "Welcome! So much quieter than the old group, isn’t it");
await sendAndWait(ben, withAda, "😄");
await write(page, "Are we still on for tonight?");
await sendAndWait(
  ben,
  withAda,
  "Yes! 19:00 at the usual place. I booked a table for four, under your name because they never get mine right.",
);
await sendAndWait(ben, withAda, "The menu is here: https://example.org/menu/autumn?lang=en (the mushrooms are good)");
await write(page, "> I booked a table for four\n\nPerfect. Mika may be late, the last thing she wrote was `ETA 19:20`");
await write(page, "I’ll bring the **keys** and the book you lent me in spring, promise this time");
await sendAndWait(ben, withAda, "Ha. I had already given up on that one.");
await say("mika", "Who took the big pot");
await say("mika", "🫠");
await write(page, "On my way 🚲");

await page.getByRole("button", { name: "Not now", exact: true }).click();
await page.locator(".list-item-open .list-badge").waitFor({ state: "detached" });
await shoot(page, "conversation", "desktop", { dark: true });
await shoot(page, "conversation", "phone", { dark: true });
await page.setViewportSize(viewports.phone);
await page.getByRole("button", { name: "Back to conversations" }).click();
await shoot(page, "list", "phone", { dark: true });
await page.setViewportSize(viewports.desktop);
await open(page, group);
await shoot(page, "group", "desktop", { dark: true });
await shoot(page, "group", "phone");
await page.getByRole("button", { name: "Conversation details" }).click();
await page.getByRole("region", { name: "Verification" }).waitFor();
await shoot(page, "details", "desktop", { dark: true });
await shoot(page, "details", "phone");
await page.getByRole("button", { name: "Close details" }).click();

// What is done with messages, and what is looked for.
await page.setViewportSize(viewports.desktop);
const boiler = messagesWith(page, "The boiler makes that noise");
await boiler.hover();
await boiler.getByRole("button", { name: "More", exact: true }).click();
await page.getByRole("menu", { name: "What to do with this message" }).waitFor();
await shoot(page, "message-menu", "desktop", { dark: true });
await page.getByRole("menuitem", { name: "Reply", exact: true }).click();
await messageBox(page).pressSequentially("Thank you, @be");
await page.getByRole("listbox", { name: "Members" }).getByRole("option").first().waitFor();
await shoot(page, "mention", "desktop", { dark: true });
await page.keyboard.press("Enter");
await messageBox(page).pressSequentially("please ask them to look at the valve too");
await page.keyboard.press("Enter");
await seeMessage(page, "please ask them to look at the valve too");
await page.getByRole("button", { name: "Choose an emoji" }).click();
await page.getByRole("dialog", { name: "Choose an emoji" }).getByText("😀").first().waitFor();
await shoot(page, "emoji", "desktop");
await page.keyboard.press("Escape");
const search = page.getByRole("searchbox", { name: "Search conversations" });
await search.fill("oiler");
await page.getByText("1 message found").waitFor({ state: "attached" });
await shoot(page, "search", "desktop", { dark: true });
await search.fill("");

// In other languages.
const inLanguage = async (language: string, code: string): Promise<void> => {
  await page.setViewportSize(viewports.desktop);
  const path = new URL(page.url()).pathname;
  await page.goto(`${url}/settings/appearance`);
  await page.locator("select").selectOption(code);
  await page.locator(`html[lang="${code}"]`).waitFor();
  await page.goto(url + path);
  await page.locator(".bubble").first().waitFor();
  await shoot(page, `group-${language}`, "desktop", { dark: true });
  await shoot(page, `group-${language}`, "phone");
};
await inLanguage("german", "de");
await inLanguage("arabic", "ar");
await page.setViewportSize(viewports.desktop);
await page.goto(`${url}/settings/appearance`);
await page.locator("select").waitFor();
await shoot(page, "settings-arabic", "desktop");
await page.locator("select").selectOption("en");
await page.locator('html[lang="en"]').waitFor();
await shoot(page, "appearance", "desktop", { dark: true });
await shoot(page, "appearance", "phone");
await page.setViewportSize(viewports.desktop);
await page.goto(url);
await page.getByRole("button", { name: "New conversation", exact: true }).first().waitFor();
await page.getByRole("button", { name: "New conversation", exact: true }).click();
await page.getByRole("textbox", { name: "To", exact: true }).fill("ben, layla, ");
await page.getByRole("textbox", { name: "Group name" }).fill("Saturday market");
await page
  .getByRole("button", { name: /^Remove / })
  .nth(1)
  .waitFor();
await shoot(page, "new", "desktop", { dark: true });
await shoot(page, "new", "phone");
await page.goto(`${url}/settings`);
await page.getByRole("heading", { name: "Settings" }).waitFor();
await shoot(page, "settings", "desktop");
await shoot(page, "settings", "phone");
await page.getByRole("link", { name: "What the server holds about me" }).click();
await page.getByText("Your name:").waitFor();
await shoot(page, "holdings", "desktop");

// What of it is on this device alone.
for (const part of ["notifications", "lock", "data"]) {
  await page.goto(`${url}/settings/${part}`);
  await page.locator(".section").first().waitFor();
  await shoot(page, part, "desktop", { dark: true });
  await shoot(page, part, "phone");
}

// What is verified of people.
await page.setViewportSize(viewports.desktop);
await page.goto(url);
await open(page, benTitle);
await page.getByRole("button", { name: "Conversation details" }).click();
const region = page.getByRole("region", { name: "Verification" });
await region.getByText(/checked by \d/).waitFor();
await region.getByRole("button", { name: /^Safety number/ }).click();
await page.getByRole("img", { name: /^Code of your safety number/ }).waitFor();
await shoot(page, "safety-number", "desktop", { dark: true });
await page.setViewportSize(viewports.phone);
await page.getByRole("img", { name: /^Code of your safety number/ }).waitFor();
await shoot(page, "safety-number", "phone");
await page.setViewportSize(viewports.desktop);
await page.getByRole("button", { name: "Mark as verified" }).click();
await page.getByText("You have marked this as verified").waitFor();
await page.getByRole("button", { name: "Close", exact: true }).click();
await page.locator(".conversation-header").getByText("Verified").waitFor();
await shoot(page, "verification", "desktop", { dark: true });
await region.scrollIntoViewIfNeeded();
await shoot(page, "verification", "phone");

// A second device.
const fresh: BrowserProfile = await openBrowser({ folder: folder.at("ada-2"), viewport: viewports.phone });
await fresh.page.goto(url);
await fresh.page.getByRole("button", { name: "I have an account: link this device" }).click();
await fresh.page.getByRole("img", { name: "Code for linking this device" }).waitFor();
await shoot(fresh.page, "link-new-device", "phone", { dark: true });
await shoot(fresh.page, "link-new-device", "desktop");
const code = (await fresh.page.locator(".link-words b").allTextContents()).join(" ");
await page.setViewportSize(viewports.desktop);
await page.goto(`${url}/settings/devices`);
await page.getByRole("button", { name: "Link a device", exact: true }).click();
await page.getByRole("button", { name: "Scan the code" }).waitFor();
await shoot(page, "link-own-device", "desktop");
await shoot(page, "link-own-device", "phone");
await page.getByRole("textbox", { name: "Words or code from the new device" }).fill(code);
await page.getByRole("button", { name: "Go on", exact: true }).click();
await page.locator(".link-digits").waitFor();
await fresh.page.locator(".link-digits").waitFor();
await shoot(page, "link-compare", "desktop", { dark: true });
await shoot(page, "link-compare", "phone");
await shoot(fresh.page, "link-compare-new", "phone");
await page.getByRole("textbox", { name: /Type “my device”/ }).fill("my device");
await page.getByRole("button", { name: "Yes, add this device" }).click();
await fresh.page.getByRole("button", { name: "Yes, they are the same" }).click();
await page.getByRole("button", { name: "To your devices" }).click();
await page.getByRole("list", { name: "Your devices" }).getByRole("listitem").nth(1).waitFor();
await shoot(page, "devices", "desktop", { dark: true });
await shoot(page, "devices", "phone");
await fresh[Symbol.asyncDispose]();

// Somebody lost every device, and came back with the recovery phrase.
const mika = person("mika");
const phrase = ((await mika.client.recoveryPhrase()) ?? []).join(" ");
const recovered = await openNodeClient({ home: folder.at("mika-2"), serverUrl: url, requests: "accept" });
await recovered.recover({ username: "mika", phrase, deviceName: "New phone" });
const again = await recovered.startConversation({ to: ["ada"] });
await sendAndWait(recovered, again.id, "My old phone lies in the harbour. It is me, on the new one");
await page.setViewportSize(viewports.desktop);
await page.goto(url);
await open(page, group);
await page
  .getByRole("button", { name: /^Let .* back in$/ })
  .first()
  .waitFor({ timeout: 60_000 });
await shoot(page, "let-back", "desktop", { dark: true });
await shoot(page, "let-back", "phone");
await recovered.close();

// The operator answers with keys of its own under somebody's name.
const standIn = await registerPerson({ home: folder.at("ghost"), server: url, username: "ghost" });
const victim = await registerPerson({ home: folder.at("rita"), server: url, username: "rita" });
operator.putGhost({ username: "rita", ghost: "ghost" });
await page.setViewportSize(viewports.desktop);
await page.goto(`${url}/new`);
await page.getByRole("textbox", { name: "To", exact: true }).fill("rita,");
await page.getByText("The server did not prove").waitFor();
await shoot(page, "ghost-refused", "desktop", { dark: true });
await shoot(page, "ghost-refused", "phone");
await standIn[Symbol.asyncDispose]();
await victim[Symbol.asyncDispose]();

// The server was put back from an older copy of its disk: the conversation says so, and can be gone on with in a new one.
await page.setViewportSize(viewports.desktop);
await page.goto(url);
await open(page, benTitle);
await server.stop();
server = await startServer(folder.at("old"));
await page.reload();
await page.getByText("The server does not have this conversation now").first().waitFor({ timeout: 60_000 });
await shoot(page, "restored", "desktop", { dark: true });
await shoot(page, "restored", "phone");

for (const one of people.values()) await one[Symbol.asyncDispose]();
await browser[Symbol.asyncDispose]();
await server[Symbol.asyncDispose]();
for (const witness of witnesses) await witness.kill();
