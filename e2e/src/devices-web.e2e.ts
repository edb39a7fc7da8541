import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import {
  acceptRequest,
  conversationLink,
  createAccount,
  messageBox,
  messageList,
  messagesWith,
  seeMessage,
  sendMessage,
  startConversation,
} from "./testing/app.ts";
import { openBrowser, viewports } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { filmCode } from "./testing/film.ts";
import { joinedConversation, registerPerson, sendAndWait, textsOf } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

let folder: TemporaryFolder;
let server: ServerProcess;
let ben: TestPerson;
const open: BrowserProfile[] = [];

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ben = await registerPerson({ home: folder.at("ben"), server: server.url, username: "ben", displayName: "Ben Okafor" });
});

afterAll(async () => {
  for (const browser of open) await browser[Symbol.asyncDispose]();
  await ben[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function browserOf(name: string, params: { camera?: string } = {}): Promise<BrowserProfile> {
  const browser = await openBrowser({ folder: folder.at(name), ...params });
  open.push(browser);
  return browser;
}

/** Types the words that are asked for. */
async function fillWords(page: Page, phrase: readonly string[]): Promise<void> {
  const fields = page.getByRole("textbox", { name: /^Word \d+$/ });
  await fields.first().waitFor();
  for (const field of await fields.all()) {
    const label = await field.evaluate((element) => (element instanceof HTMLInputElement ? (element.labels?.[0]?.textContent ?? "") : ""));
    await field.fill(phrase[Number(label.replace(/\D/g, "")) - 1] ?? "");
  }
}

/** Keeps the call that erases the recovery phrase from the worker until `goOnErasing` is called. Runs in the page. */
function holdErasing(): void {
  const { postMessage } = MessagePort.prototype;
  MessagePort.prototype.postMessage = function held(this: MessagePort, message: unknown): void {
    const send = (): void => Reflect.apply(postMessage, this, [message]);
    if (typeof message === "object" && message !== null && Reflect.get(message, "method") === "forgetRecoveryPhrase")
      Reflect.set(globalThis, "goOnErasing", send);
    else send();
  };
}

/** A new device offers itself; its words and its code are on the screen. */
async function offer(page: Page): Promise<string> {
  await page.goto(server.url);
  await page.getByRole("button", { name: "I have an account: link this device" }).click();
  await page.getByRole("img", { name: "Code for linking this device" }).waitFor();
  const words = await page.locator(".link-words b").allTextContents();
  return words.join(" ");
}

async function digitsOn(page: Page): Promise<string> {
  return (await page.locator(".link-digits").textContent()) ?? "";
}

async function enterWords(page: Page, words: string): Promise<void> {
  await page.goto(`${server.url}/settings/devices`);
  await page.getByRole("button", { name: "Link a device", exact: true }).click();
  await page.getByRole("textbox", { name: "Words or code from the new device" }).fill(words);
  await page.getByRole("button", { name: "Go on", exact: true }).click();
}

/** Both people look at both screens and agree. */
async function agree(old: Page, fresh: Page): Promise<void> {
  await fresh.locator(".link-digits").waitFor();
  await old.locator(".link-digits").waitFor();
  const digits = await digitsOn(old);
  expect(digits).toMatch(/^\d{3} \d{3}$/);
  expect(await digitsOn(fresh)).toBe(digits);
  const add = old.getByRole("button", { name: "Yes, add this device" });
  // Nothing is added by a hasty click.
  await expect(add.getAttribute("aria-disabled")).resolves.toBe("true");
  await old.getByRole("textbox", { name: /Type “my device”/ }).fill("my device");
  await add.click();
  await fresh.getByRole("button", { name: "Yes, they are the same" }).click();
}

async function deviceCount(page: Page): Promise<number> {
  await page.goto(`${server.url}/settings/devices`);
  const devices = page.getByRole("list", { name: "Your devices" }).getByRole("listitem");
  await devices.first().waitFor();
  return devices.count();
}

describe("devices in the browser", () => {
  test("a second device is linked by its camera code, has the history, stays in step, and is removed again", async () => {
    const first = await browserOf("ada-1");
    await createAccount(first.page, { url: server.url, username: "ada" });
    await startConversation(first.page, { to: ["ben"] });
    await sendMessage(first.page, "Written before there was a second device");
    const { id: conversationId } = await joinedConversation(ben.client, "ada");
    await sendAndWait(ben.client, conversationId, "Answered before, too");
    await seeMessage(first.page, "Answered before, too");
    await first[Symbol.asyncDispose]();

    const second = await browserOf("ada-2");
    await offer(second.page);
    const film = folder.at("code.y4m");
    await filmCode(second.page.getByRole("img", { name: "Code for linking this device" }), film);

    const { page: old, violations, errors } = await browserOf("ada-1", { camera: film });
    await old.goto(`${server.url}/settings/devices`);
    await old.getByRole("button", { name: "Link a device", exact: true }).click();
    await old.getByRole("button", { name: "Scan the code" }).click();
    await agree(old, second.page);
    await old.getByRole("heading", { name: "The device is linked" }).waitFor();

    // The new device has what was there before, and calls people as the other one does, without a reload.
    const fresh = second.page;
    await conversationLink(fresh, "Ben Okafor").click();
    await seeMessage(fresh, "Written before there was a second device");
    await seeMessage(fresh, "Answered before, too");

    // Both are one account from now on.
    await sendMessage(fresh, "From the second device");
    await old.getByRole("button", { name: "To your devices" }).click();
    expect(await deviceCount(old)).toBe(2);
    await old.goto(fresh.url());
    await seeMessage(old, "From the second device");
    await sendAndWait(ben.client, conversationId, "To both of them");
    for (const page of [old, fresh]) await seeMessage(page, "To both of them");
    expect(await textsOf(ben.client, conversationId)).toContain("From the second device");
    await messageList(old).getByText("You added a device").waitFor();
    const told = await ben.client.messages(conversationId, { limit: 100 });
    expect(told.map(({ body }) => body.kind)).toContain("device_added");

    // The first one takes it out again.
    await deviceCount(old);
    await old.getByRole("button", { name: /^Remove / }).click();
    await old.getByRole("alertdialog").getByRole("button", { name: "Remove device" }).click();
    await old.getByRole("alertdialog").waitFor({ state: "detached" });
    expect(await deviceCount(old)).toBe(1);
    await fresh.getByRole("heading", { name: "This device was removed from the account" }).waitFor();
    await old.goto(`${server.url}/c/${conversationId}`);
    await messageList(old).getByText("You removed a device").waitFor();
    await sendAndWait(ben.client, conversationId, "Only for the first one");
    await seeMessage(old, "Only for the first one");
    await fresh.reload();
    await fresh.getByRole("button", { name: "Read what is here" }).click();
    await conversationLink(fresh, "Ben Okafor").or(conversationLink(fresh, "ben")).first().click();
    await seeMessage(fresh, "To both of them");
    expect(await messagesWith(fresh, "Only for the first one").count()).toBe(0);
    // And it can be begun anew with.
    await fresh.reload();
    await fresh.getByRole("button", { name: "Erase and start again" }).click();
    await fresh.getByRole("alertdialog").getByRole("button", { name: "Erase", exact: true }).click();
    await fresh.getByRole("button", { name: "Create account", exact: true }).waitFor();
    expect([violations, errors]).toEqual([[], []]);
  });

  test("digits that differ, a wrong code and a linking broken off leave nothing behind on either side", async () => {
    const { page: old } = await browserOf("cyd-1");
    await createAccount(old, { url: server.url, username: "cyd" });
    const { page: fresh } = await browserOf("cyd-2");
    await enterWords(old, "abandon ability able about above absent absorb abstract absurd abuse access zoo");
    await old.getByText("That is not a linking code").waitFor();

    await enterWords(old, await offer(fresh));
    await old.locator(".link-digits").waitFor();
    await fresh.locator(".link-digits").waitFor();
    await old.getByRole("button", { name: "No", exact: true }).click();
    await old.getByRole("heading", { name: "The device was not linked" }).waitFor();
    await fresh.getByRole("heading", { name: "The device was not linked" }).waitFor();
    expect(await deviceCount(old)).toBe(1);

    await fresh.getByRole("button", { name: "Start again" }).click();
    await fresh.getByRole("img", { name: "Code for linking this device" }).waitFor();
    const words = await fresh.locator(".link-words b").allTextContents();
    await enterWords(old, words.join(" "));
    await old.locator(".link-digits").waitFor();
    await fresh.locator(".link-digits").waitFor();
    await fresh.getByRole("button", { name: "Cancel" }).click();
    await fresh.getByRole("button", { name: "Create account" }).waitFor();
    await old.getByRole("heading", { name: "The device was not linked" }).waitFor();
    expect(await deviceCount(old)).toBe(1);

    // A third try works, by typed words.
    await enterWords(old, await offer(fresh));
    await agree(old, fresh);
    await old.getByRole("heading", { name: "The device is linked" }).waitFor();
    expect(await deviceCount(old)).toBe(2);
    await fresh.getByRole("button", { name: "New conversation", exact: true }).first().waitFor();

    // Logged out, it is no device of the account any more, and nobody has to take it out.
    await deviceCount(fresh);
    await fresh.getByRole("button", { name: "Log out and erase this device" }).click();
    await fresh.getByRole("alertdialog").getByText("your other devices, go on as before").waitFor();
    await fresh.getByRole("alertdialog").getByRole("button", { name: "Erase", exact: true }).click();
    await fresh.getByRole("button", { name: "Create account", exact: true }).waitFor();
    await expect.poll(() => old.getByRole("list", { name: "Your devices" }).getByRole("listitem").count()).toBe(1);
  });

  test("[A-4] the recovery phrase is written down, checked, and brings the account back on a new device", async () => {
    const { page } = await browserOf("dana-1");
    await createAccount(page, { url: server.url, username: "dana" });
    await page.getByRole("button", { name: "Show the 24 words" }).click();
    await page.locator(".phrase b").nth(23).waitFor();
    const phrase = await page.locator(".phrase b").allTextContents();
    expect(phrase).toHaveLength(24);
    // On a phone that is turned they stand elsewhere, and are still there; whoever goes somewhere else finds them hidden again.
    await page.setViewportSize(viewports.phone);
    await page.locator(".column-list .phrase b").nth(23).waitFor();
    await page.setViewportSize(viewports.desktop);
    await page.locator(".column-place-empty .phrase b").nth(23).waitFor();
    await page.getByRole("button", { name: "Settings", exact: true }).click();
    await page.getByRole("button", { name: "Back", exact: true }).click();
    expect(await page.locator(".phrase b").count()).toBe(0);
    await page.getByRole("button", { name: "Show the 24 words" }).click();
    await page.getByRole("button", { name: "I have written them down" }).click();
    const fields = page.getByRole("textbox", { name: /^Word \d+$/ });
    await fields.nth(2).waitFor();
    expect(await fields.count()).toBe(3);
    await fields.first().fill("wrong");
    await page.getByRole("button", { name: "Check", exact: true }).click();
    await page
      .getByText(/^Word \d+ is another one$/)
      .first()
      .waitFor();
    await fillWords(page, phrase);
    await page.getByRole("button", { name: "Check", exact: true }).click();
    await page.getByText("this device has erased them").waitFor();
    await page.goto(`${server.url}/settings/recovery`);
    await page.getByText("This device does not keep the words any more").waitFor();
    await page.goto(server.url);
    await startConversation(page, { to: ["ben"] });
    await sendMessage(page, "Before the recovery");

    const { page: fresh } = await browserOf("dana-2");
    await fresh.goto(server.url);
    await fresh.getByRole("button", { name: "Recover", exact: true }).click();
    await fresh.getByRole("textbox", { name: "Username" }).fill("dana");
    const first = fresh
      .getByRole("combobox", { name: "Word 1", exact: true })
      .or(fresh.getByRole("textbox", { name: "Word 1", exact: true }));
    await first.focus();
    // As people paste it: one text in the first field.
    await fresh.evaluate((text) => {
      const data = new DataTransfer();
      data.setData("text/plain", text);
      document.activeElement?.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    }, phrase.join(" "));
    await fresh.getByRole("button", { name: "Recover account" }).click();
    await fresh.getByRole("button", { name: "New conversation", exact: true }).first().waitFor();
    expect(await deviceCount(fresh)).toBe(1);
    await page.getByRole("heading", { name: "This device was removed from the account" }).waitFor();
    await fresh.goto(server.url);
    await startConversation(fresh, { to: ["ben"] });
    await sendMessage(fresh, "After the recovery");
  });

  test("[A-4] the words are said to be erased when they are, not before", async () => {
    const { page } = await browserOf("dora");
    await page.addInitScript(holdErasing);
    await createAccount(page, { url: server.url, username: "dora" });
    await page.getByRole("button", { name: "Show the 24 words" }).click();
    await page.locator(".phrase b").nth(23).waitFor();
    const phrase = await page.locator(".phrase b").allTextContents();
    await page.getByRole("button", { name: "I have written them down" }).click();
    await fillWords(page, phrase);
    await page.getByRole("button", { name: "Check", exact: true }).click();
    await page.waitForFunction(() => Reflect.has(globalThis, "goOnErasing"));
    expect(await page.getByText("this device has erased them").count()).toBe(0);
    expect(await page.getByRole("button", { name: "Check", exact: true }).isDisabled()).toBe(true);
    await page.evaluate(() => Reflect.apply(Reflect.get(globalThis, "goOnErasing"), undefined, []));
    await page.getByText("this device has erased them").waitFor();
    await page.goto(`${server.url}/settings/recovery`);
    await page.getByText("This device does not keep the words any more").waitFor();
  });

  test("two people compare safety numbers, by eye and by camera, and are shown as verified", async () => {
    const seen = await browserOf("eve-1");
    const { page } = seen;
    await createAccount(page, { url: server.url, username: "eve" });
    await startConversation(page, { to: ["ben"] });
    await sendMessage(page, "Shall we compare?");
    await page.getByRole("button", { name: "Conversation details", exact: true }).click();
    const region = page.getByRole("region", { name: "Verification", exact: true });
    await region
      .getByText(/public record/)
      .first()
      .waitFor();
    await region.getByRole("button", { name: /^Safety number with/ }).click();
    const digits = page.getByRole("list", { name: "Safety number", exact: true }).getByRole("listitem");
    await digits.last().waitFor();
    const shown = await digits.allTextContents();
    expect(shown).toHaveLength(12);
    const eve = (await ben.client.conversations()).find(({ peer }) => peer?.username === "eve")?.peer;
    const { groups } = await ben.client.safetyNumber(eve?.accountId ?? "");
    expect(shown).toEqual(groups);
    await page.getByRole("button", { name: "Mark as verified" }).click();
    await page.getByText("You have marked this as verified").waitFor();
    await page.getByRole("button", { name: "Take the mark back" }).click();
    await page.getByRole("button", { name: "Mark as verified" }).waitFor();

    // The other way: what the other side's screen shows, before the camera.
    const place = page.url();
    const film = folder.at("safety.y4m");
    const other = await browserOf("fay-1");
    await createAccount(other.page, { url: server.url, username: "fay" });
    await startConversation(other.page, { to: ["eve"] });
    await sendMessage(other.page, "Hold yours before the camera");
    await other.page.getByRole("button", { name: "Conversation details", exact: true }).click();
    await other.page.getByRole("button", { name: /^Safety number with/ }).click();
    await filmCode(other.page.getByRole("img", { name: /^Code of your safety number/ }), film);
    await seen[Symbol.asyncDispose]();
    const { page: again } = await browserOf("eve-1", { camera: film });
    // Before the wrong person's name it does not count.
    await again.goto(place);
    await again.getByRole("button", { name: /^Safety number with/ }).click();
    await again.getByRole("button", { name: /^Scan / }).click();
    await again.getByText("This is the code of another person").waitFor();
    await again.getByRole("button", { name: "Close", exact: true }).click();
    await acceptRequest(again, "fay");
    await again.getByRole("button", { name: "Conversation details", exact: true }).click();
    await again.getByRole("button", { name: "Safety number with fay" }).click();
    await again.getByRole("button", { name: "Scan fay’s code" }).click();
    await again.getByText("The same on both sides").first().waitFor();
    await again.getByRole("button", { name: "Close", exact: true }).click();
    await again.locator(".conversation-header").getByText("Verified").waitFor();
    await again.reload();
    await again.locator(".conversation-header").getByText("Verified").waitFor();
  });

  test("axe finds nothing wrong on these screens, and a phone shows them whole", async () => {
    const { page } = await browserOf("gil-1");
    const problems: Record<string, string[]> = {};
    const look = async (name: string): Promise<void> => {
      for (const size of [viewports.desktop, viewports.phone]) {
        await page.setViewportSize(size);
        const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth] as const);
        expect(content, name).toBeLessThanOrEqual(window);
      }
      problems[name] = await accessibilityProblems(page);
      await page.setViewportSize(viewports.desktop);
    };
    await page.goto(`${server.url}/recover`);
    await page.getByRole("button", { name: "Recover account" }).waitFor();
    await look("recover");
    await offer(page);
    await look("offer");
    await createAccount(page, { url: server.url, username: "gil" });
    await page.getByRole("button", { name: "Show the 24 words" }).waitFor();
    await look("before the words");
    await page.goto(`${server.url}/settings/recovery`);
    await page.getByRole("button", { name: "Show the 24 words" }).click();
    await page.getByRole("button", { name: "Print" }).waitFor();
    await look("the words");
    await page.getByRole("button", { name: "I have written them down" }).click();
    await page.getByRole("button", { name: "Check", exact: true }).click();
    await look("check");
    await page.goto(`${server.url}/settings/devices/link`);
    await page.getByRole("button", { name: "Scan the code" }).waitFor();
    await look("link");
    await page.goto(`${server.url}/settings/devices`);
    await page.getByRole("listitem").getByText("This device").waitFor();
    await look("devices");
    await page.goto(server.url);
    await startConversation(page, { to: ["ben"] });
    await page.getByRole("button", { name: "Conversation details", exact: true }).click();
    await page.getByRole("button", { name: /^Safety number with/ }).click();
    await page.getByRole("img", { name: /^Code of your safety number/ }).waitFor();
    problems["safety number"] = await accessibilityProblems(page);
    expect(Object.fromEntries(Object.entries(problems).filter(([, found]) => found.length > 0))).toEqual({});
  });

  test("who writes to somebody that deleted their account is told so, and keeps what they wrote", async () => {
    const { page } = await browserOf("ida-1");
    await createAccount(page, { url: server.url, username: "ida" });
    const gus = await registerPerson({ home: folder.at("gus"), server: server.url, username: "gus", displayName: "Gus Amado" });
    await startConversation(page, { to: ["gus"] });
    await sendMessage(page, "Hello Gus");
    await joinedConversation(gus.client, "ida");
    await gus.client.deleteAccount();
    await gus[Symbol.asyncDispose]();
    await messageList(page).getByText("left", { exact: false }).waitFor();
    // Until this device has taken the other one out, what is written still goes into their conversation.
    const told = page.getByText("has no account here any more. Nothing was sent.", { exact: false });
    const write = async (): Promise<number> => {
      await messageBox(page).fill("Are you there?");
      await page.getByRole("button", { name: "Send", exact: true }).click();
      return await told.count();
    };
    await expect.poll(write, { interval: 500 }).toBeGreaterThan(0);
    await expect.poll(() => messageBox(page).inputValue()).toBe("Are you there?");
  });

  test("deleting the account asks for the username, says what is gone, and leaves an empty browser", async () => {
    const { page } = await browserOf("hal-1");
    await createAccount(page, { url: server.url, username: "hal" });
    await startConversation(page, { to: ["ben"] });
    await sendMessage(page, "Before I go");
    await page.goto(`${server.url}/settings/account`);
    await page.getByRole("button", { name: "Delete account…" }).click();
    const dialog = page.getByRole("alertdialog");
    // In the middle of the window, whatever it was opened from.
    const { y, height } = (await dialog.boundingBox()) ?? { y: 0, height: 0 };
    expect(Math.abs(y * 2 + height - viewports.desktop.height)).toBeLessThanOrEqual(2);
    await dialog.getByRole("textbox").fill("hall");
    expect(await dialog.getByRole("button", { name: "Delete for good" }).isDisabled()).toBe(true);
    await dialog.getByRole("textbox").fill("hal");
    await dialog.getByRole("button", { name: "Delete for good" }).click();
    await page.getByRole("heading", { name: "This account was deleted" }).waitFor();
    await page.getByRole("button", { name: "To the beginning" }).click();
    await page.getByRole("button", { name: "Create account" }).waitFor();
    expect(await page.getByText("Before I go").count()).toBe(0);
    await page.reload();
    await page.getByRole("textbox", { name: "Username", exact: true }).fill("hal");
    // The name stays reserved: nobody can pretend to be who was here.
    await page.getByText(/Taken|not allowed/).waitFor();
    await page.getByRole("textbox", { name: "Username", exact: true }).fill("hal2");
    await page.getByRole("button", { name: "Create account", exact: true }).click();
    await page.getByRole("button", { name: "New conversation", exact: true }).first().waitFor();
    expect(await conversationLink(page, "ben").count()).toBe(0);
  });
});
