import type { Client } from "@latchkey/client";
import { openNodeClient } from "@latchkey/client/node";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { conversationLink, createAccount, messageBox, seeMessage, sendMessage, startConversation } from "./testing/app.ts";
import { openBrowser, viewports } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { expectFocus } from "./testing/focus.ts";
import { joinedConversation, registerPerson, sendAndWait } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

/** The first 24 of the list. */
const firstWords =
  "abandon ability able about above absent absorb abstract absurd abuse access accident account accuse achieve acid acoustic acquire across act action actor actress actual".split(
    " ",
  );

let folder: TemporaryFolder;
let server: ServerProcess;
let ben: TestPerson;
const open = new Set<BrowserProfile>();

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ben = await registerPerson({ home: folder.at("ben"), server: server.url, username: "ben", displayName: "Ben Okafor" });
});

afterAll(async () => {
  await ben[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

afterEach(async () => {
  for (const browser of open) await browser[Symbol.asyncDispose]();
  open.clear();
});

async function browserOf(name: string, viewport: { width: number; height: number } = viewports.desktop): Promise<Page> {
  const browser = await openBrowser({ folder: folder.at(name), viewport });
  open.add(browser);
  return browser.page;
}

/** A device without an account, in this process. */
async function freshDevice(name: string): Promise<Client> {
  return await openNodeClient({ home: folder.at(name), serverUrl: server.url, requests: "accept" });
}

/** Resolves when a linking has come so far. */
function linkReaches(client: Client, kind: "compare" | "done"): Promise<void> {
  return new Promise((resolve) => {
    const stop = client.subscribe((event) => {
      if (event.kind !== "link" || event.state.kind !== kind) return;
      stop();
      resolve();
    });
  });
}

describe("the focus", () => {
  test("is where one goes on after an account was made, the words are put off, a chip or a question goes, and Escape", async () => {
    const page = await browserOf("focus");
    await createAccount(page, { url: server.url, username: "frida" });
    await expectFocus(page, /^Your recovery phrase$/);
    await page.getByRole("button", { name: "Later", exact: true }).click();
    await expectFocus(page, /^Nobody here yet$/);

    await page.getByRole("button", { name: "New conversation", exact: true }).click();
    const to = page.getByRole("textbox", { name: "To", exact: true });
    await to.fill("frida,");
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.getByText("That is you", { exact: false }).waitFor();
    await page.getByRole("button", { name: "Remove frida" }).click();
    await expectFocus(page, /^To$/);
    // What was said of who is gone goes too.
    await page.getByText("That is you", { exact: false }).waitFor({ state: "detached" });
    await to.fill("ben");
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await messageBox(page).waitFor();
    await sendMessage(page, "Before the settings");
    const address = page.url();

    // Escape leads back to where one was, not to an empty place beside the list.
    await page.getByRole("button", { name: "Settings", exact: true }).click();
    await page.getByRole("heading", { name: "Settings", exact: true }).waitFor();
    await expectFocus(page, /^Settings$/);
    await page.keyboard.press("Escape");
    await seeMessage(page, "Before the settings");
    expect(page.url()).toBe(address);
    await expectFocus(page, /^Message$/);

    // A mark that is set takes its button away.
    await page.getByRole("button", { name: "Conversation details", exact: true }).click();
    await page
      .getByRole("button", { name: /^Safety number/u })
      .first()
      .click();
    await page.getByRole("button", { name: "Mark as verified", exact: true }).click();
    await page.getByText("You have marked this as verified").waitFor();
    await expectFocus(page, /^Safety number with/);
  });

  test("on a phone is on the conversation that one comes back from; the words are asked for above everything else, and the notes are one line", async () => {
    const page = await browserOf("phone", viewports.phone);
    // As where the system hands over to other apps.
    await page.addInitScript(() => {
      navigator.share = (data) => {
        Reflect.set(globalThis, "shared", data);
        return Promise.resolve();
      };
    });
    await createAccount(page, { url: server.url, username: "gustav" });
    const heading = page.getByRole("heading", { name: "Your recovery phrase" });
    const box = await heading.boundingBox();
    expect(box?.y ?? Number.POSITIVE_INFINITY).toBeLessThan(viewports.phone.height / 3);
    expect(await page.getByText("No conversations yet").count()).toBe(0);
    await page.getByRole("button", { name: "Later", exact: true }).click();
    await page.getByRole("img", { name: "Code of your link" }).waitFor();
    await page.getByRole("button", { name: "Share", exact: true }).click();
    expect(await page.evaluate(() => Reflect.get(globalThis, "shared"))).toMatchObject({ url: `${server.url}/new?to=gustav` });
    expect(await accessibilityProblems(page)).toEqual([]);
    await startConversation(page, { to: ["ben"] });
    await sendMessage(page, "From a phone");
    await page.getByRole("button", { name: "Back to conversations" }).click();
    await conversationLink(page, "Ben Okafor").or(conversationLink(page, "ben")).waitFor();
    await expectFocus(page, /^(Ben Okafor|ben)$/);
    // At twice the size, half the screen is left: what reminds of something takes one line of it.
    await page.setViewportSize({ width: 320, height: 422 });
    const notes = page.getByRole("complementary");
    await expect.poll(() => notes.count()).toBe(1);
    expect((await notes.boundingBox())?.height ?? 999).toBeLessThan(60);
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  test("is on the field after a code that was wrong, and on the page's heading after a device was removed or a warning dealt with", async () => {
    const page = await browserOf("codes");
    await createAccount(page, { url: server.url, username: "jonas" });
    await page.getByRole("button", { name: "Later", exact: true }).click();
    await page.goto(`${server.url}/settings/devices`);
    await page.getByRole("button", { name: "Link a device", exact: true }).click();
    const field = page.getByRole("textbox", { name: "Words or code from the new device" });
    await field.fill("abandon ability able about above absent absorb abstract absurd abuse access zoo");
    await page.getByRole("button", { name: "Go on", exact: true }).click();
    await page.getByText("That is not a linking code").waitFor();
    await expectFocus(page, /^Words or code from the new device/);

    const [second, third] = [await freshDevice("jonas-2"), await freshDevice("jonas-3")];
    const { words } = await second.offerLink({ deviceName: "Laptop" });
    await field.fill(words.join(" "));
    await page.getByRole("button", { name: "Go on", exact: true }).click();
    await page.locator(".link-digits").waitFor();
    await page.getByRole("textbox", { name: /Type “my device”/ }).fill("my device");
    await page.getByRole("button", { name: "Yes, add this device" }).click();
    await second.confirmLink(true);
    await page.getByRole("heading", { name: "The device is linked" }).waitFor();

    // A device that this one did not add itself is a warning.
    const offer = await third.offerLink({ deviceName: "Tablet" });
    const compared = Promise.all([second, third].map((client) => linkReaches(client, "compare")));
    await second.acceptLink(offer.words.join(" "));
    await compared;
    const done = linkReaches(third, "done");
    await Promise.all([second.confirmLink(true), third.confirmLink(true)]);
    await done;
    const alarm = page.getByRole("alert", { name: "Warnings" });
    await alarm.getByText("Another of your devices added a device to your account").waitFor();
    await alarm.getByText(/^Seen by this device since /u).waitFor();
    await alarm.getByRole("button", { name: "Look at your devices" }).click();
    await page.getByRole("listitem").getByText("Tablet").waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await alarm.getByRole("button", { name: "I have dealt with it" }).click();
    await expectFocus(page, /^Take it away$/);
    await page.keyboard.press("Enter");
    await alarm.getByText("Another of your devices").waitFor({ state: "detached" });
    await expectFocus(page, /^Devices$/);

    await page.getByRole("button", { name: "Remove Tablet" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Remove device" }).click();
    await page.getByRole("listitem").getByText("Tablet").waitFor({ state: "detached" });
    await expectFocus(page, /^Devices$/);
    for (const client of [second, third]) await client.close();
  });

  test("details by their address name the people, from the first moment on", async () => {
    const page = await browserOf("named");
    await createAccount(page, { url: server.url, username: "henrike" });
    await startConversation(page, { to: ["ben"] });
    await sendMessage(page, "Hello");
    const { id } = await joinedConversation(ben.client, "henrike");
    await sendAndWait(ben.client, id, "Hello from Ben");
    await seeMessage(page, "Hello from Ben");
    await page.goto(`${page.url()}/details`);
    await page.getByRole("region", { name: "Verification", exact: true }).waitFor();
    const details = page.getByRole("complementary", { name: "Details" });
    await details.getByText("Ben Okafor").first().waitFor();
    expect(await details.innerText()).not.toMatch(/\b[\w-]{8}’s keys/u);
  });
});

describe("the 24 words", () => {
  test("pasted into a field that holds one are all there; a field that is left empty is not called another word", async () => {
    const page = await browserOf("words");
    await createAccount(page, { url: server.url, username: "ingrid" });
    await page.getByRole("button", { name: "Show the 24 words" }).click();
    await page.getByRole("button", { name: "I have written them down" }).click();
    await page.getByRole("button", { name: "Check", exact: true }).click();
    await page
      .getByText(/^Word \d+ is still missing$/)
      .nth(2)
      .waitFor();
    expect(await page.getByText(/is another one/).count()).toBe(0);

    const fresh = await browserOf("words-2");
    await fresh.goto(`${server.url}/recover`);
    const field = (number: number) => fresh.locator(".phrase-input").nth(number - 1);
    await field(3).fill("zoo");
    const phrase = firstWords;
    await fresh.evaluate((text) => {
      const data = new DataTransfer();
      data.setData("text/plain", text);
      document.activeElement?.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    }, phrase.join(" "));
    await expect.poll(() => field(24).inputValue()).toBe(phrase[23]);
    expect(
      await fresh.locator(".phrase-input").evaluateAll((all) => all.map((one) => (one instanceof HTMLInputElement ? one.value : ""))),
    ).toEqual(phrase);
  });
});
