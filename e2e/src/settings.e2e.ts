import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { conversationLink, createAccount, messageBox, seeMessage, sendMessage, startConversation } from "./testing/app.ts";
import { openBrowser, viewports } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { expectFocus } from "./testing/focus.ts";
import { joinedConversation, registerPerson } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

/** Where a picture of each page goes; none is made without. */
const pictures = process.env["E2E_PICTURES"];
/** Every page of the settings, with its heading. */
const parts = {
  profile: "Profile",
  notifications: "Notifications",
  lock: "Lock",
  privacy: "Privacy",
  appearance: "Appearance",
  storage: "Storage",
  account: "Account",
  about: "About",
  licences: "Licences",
  devices: "Devices",
  server: "What the server holds about me",
};

let folder: TemporaryFolder;
let server: ServerProcess;
let ben: TestPerson;
let ada: BrowserProfile;
let page: Page;
let conversation = "";

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ben = await registerPerson({ home: folder.at("ben"), server: server.url, username: "ben", displayName: "Ben Okafor" });
  ada = await openBrowser({ folder: folder.at("ada") });
  ({ page } = ada);
  await createAccount(page, { url: server.url, username: "ada" });
  await page.getByRole("button", { name: "Later", exact: true }).click();
  await startConversation(page, { to: ["ben"] });
  await sendMessage(page, "Before the settings");
  conversation = page.url();
});

afterAll(async () => {
  await ben[Symbol.asyncDispose]();
  await ada[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function picture(name: string): Promise<void> {
  if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}.png`) });
}

const part = (name: string): ReturnType<Page["getByRole"]> =>
  page.getByRole("navigation", { name: "Settings" }).getByRole("link", { name, exact: true });
const heading = (name: string): ReturnType<Page["getByRole"]> => page.getByRole("heading", { level: 1, name, exact: true });

async function expectNoSidewaysScrolling(): Promise<void> {
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  expect(await page.evaluate(cutOff)).toEqual([]);
}

/** Words that are beyond the edge of the screen, and in nothing that scrolls sideways or shortens them. Runs in the page. */
function cutOff(): string[] {
  const found: string[] = [];
  for (const element of document.querySelectorAll("main *, [role=complementary] *")) {
    const { left, right, width } = element.getBoundingClientRect();
    if (width <= 1 || (left >= -1 && right <= innerWidth + 1) || element.children.length > 0) continue;
    let isHeld = false;
    for (let above: Element | null = element; above !== null && !above.matches("main, [role=complementary]"); above = above.parentElement)
      isHeld ||= above.matches(".visually-hidden") || getComputedStyle(above).overflowX !== "visible";
    if (!isHeld) found.push(element.textContent);
  }
  return found;
}

describe("the settings", () => {
  test("stand where the list of conversations was; Escape leads back to the conversation from any part, and the way back from behind one", async () => {
    await page.goto(conversation);
    await seeMessage(page, "Before the settings");
    await page.getByRole("button", { name: "Settings", exact: true }).click();
    await expectFocus(page, /^Settings$/);
    expect(await page.getByRole("list", { name: "Conversations", exact: true }).count()).toBe(0);
    for (const name of ["Privacy", "Appearance"]) {
      await part(name).click();
      await heading(name).waitFor();
      await expectFocus(page, new RegExp(`^${name}$`, "u"));
      expect(await part(name).getAttribute("aria-current")).toBe("page");
    }
    await page.keyboard.press("Escape");
    await seeMessage(page, "Before the settings");
    expect(page.url()).toBe(conversation);
    await expectFocus(page, /^Message$/);
    await conversationLink(page, "Ben Okafor").or(conversationLink(page, "ben")).waitFor();

    // A page behind a part leads to that part, and the list's own button out of all of them.
    await page.getByRole("button", { name: "Settings", exact: true }).click();
    await part("Privacy").click();
    await page.getByRole("button", { name: "Blocked people" }).click();
    await heading("Blocked people").waitFor();
    expect(await part("Privacy").getAttribute("aria-current")).toBe("page");
    await page.keyboard.press("Escape");
    await heading("Privacy").waitFor();
    await page.getByRole("button", { name: "Blocked people" }).click();
    await heading("Blocked people").waitFor();
    await page.getByRole("complementary", { name: "Settings" }).getByRole("button", { name: "Back" }).click();
    await seeMessage(page, "Before the settings");

    // Whoever looks for a conversation has the list again.
    await page.getByRole("button", { name: "Settings", exact: true }).click();
    await part("Storage").click();
    await heading("Storage").waitFor();
    await page.keyboard.press("Control+k");
    await expectFocus(page, /^Search/u);
  });

  test("on a phone are a list, and a page for each part, with the way back between them", async () => {
    await page.setViewportSize(viewports.phone);
    await page.goto(server.url);
    await page.getByRole("button", { name: "Settings", exact: true }).click();
    await heading("Settings").waitFor();
    await expectFocus(page, /^Settings$/);
    expect(await accessibilityProblems(page)).toEqual([]);
    await part("Notifications").click();
    await heading("Notifications").waitFor();
    await page.getByRole("main").getByRole("button", { name: "Back", exact: true }).click();
    await heading("Settings").waitFor();
    await page.keyboard.press("Escape");
    await conversationLink(page, "Ben Okafor").or(conversationLink(page, "ben")).waitFor();
    await page.setViewportSize(viewports.desktop);
  });

  test("[X-21] the name is changed, is shown as others will see it while it is typed, and they see it", async () => {
    await page.goto(`${server.url}/settings/profile`);
    const field = page.getByRole("textbox", { name: "Name that others see" });
    const save = page.getByRole("button", { name: "Save name" });
    expect(await field.inputValue()).toBe("ada");
    expect(await save.isDisabled()).toBe(true);
    await field.fill("\u200B\u200B!");
    await page.getByText("A name has a letter, a digit or an emoji.").waitFor();
    expect(await save.isDisabled()).toBe(true);
    await field.fill(`Ada   Lovelace\u202E ${"x".repeat(300)}`);
    await page.getByText(/^Shown as: Ada Lovelace x+$/u).waitFor();
    await field.fill("Ada  Lovelace");
    await page.getByText("Shown as: Ada Lovelace", { exact: true }).waitFor();
    await picture("profile-1280");
    await save.click();
    await page.getByRole("status").getByText("Your name is changed").waitFor();
    expect(await field.inputValue()).toBe("Ada Lovelace");
    await page.getByRole("link", { name: /^Ada Lovelace/u }).waitFor();
    const { id } = await joinedConversation(ben.client, "Ada Lovelace");
    const seen = (await ben.client.details(id)).members.map(({ person }) => person.displayName);
    expect(seen).toContain("Ada Lovelace");
  });

  test("quiet hours are set by the day, and for all days; they are there again, and on what is muted one looks and ends it", async () => {
    await page.goto(`${server.url}/settings/notifications`);
    const days = page.getByRole("list", { name: "Quiet hours" });
    await days.getByRole("checkbox", { name: "Monday" }).check();
    const from = days.getByLabel("Monday, quiet from");
    expect(await from.inputValue()).toBe("22:00");
    await from.fill("21:30");
    await days.getByLabel("Monday, quiet until").fill("06:45");
    await days.getByText("the next day").waitFor();
    await page.getByRole("button", { name: "Every day as on Monday" }).click();
    await days.getByLabel("Sunday, quiet from").waitFor();
    await days.getByRole("checkbox", { name: "Friday" }).uncheck();
    await picture("notifications-1280");
    await page.reload();
    await days.getByLabel("Sunday, quiet from").waitFor();
    expect(await days.getByLabel("Sunday, quiet from").inputValue()).toBe("21:30");
    expect(await days.getByLabel("Monday, quiet until").inputValue()).toBe("06:45");
    expect(await days.getByRole("checkbox", { name: "Friday" }).isChecked()).toBe(false);
    // All of a day: whatever the clock says now, it is quiet.
    for (const name of await days.getByRole("checkbox").all()) await name.check();
    for (const label of [/quiet from$/u, /quiet until$/u])
      for (const field of await days.getByLabel(label).all()) await field.fill("00:00");
    await page.getByText(/^Quiet now, until /u).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);

    await page.getByText("None. A conversation is muted in its details.").waitFor();
    await page.goto(`${conversation}/details`);
    const notices = page.getByRole("combobox", { name: "Notices" });
    await notices.selectOption("Mute always");
    // It says what is kept: a page that is left before that leaves nothing.
    await expect.poll(() => notices.inputValue()).toBe("always");
    await page.goto(`${server.url}/settings/notifications`);
    const muted = page.getByRole("list", { name: "Muted conversations" });
    await muted.getByText("Always muted").waitFor();
    await muted.getByRole("button", { name: /^Unmute / }).click();
    await page.getByText("None. A conversation is muted in its details.").waitFor();
    await expectFocus(page, /^Notifications$/);
  });

  test("text of twice the size is kept, is everywhere, and leaves every page whole on a phone", async () => {
    await page.goto(`${server.url}/settings/appearance`);
    const usual = await page.evaluate(() => Number.parseFloat(getComputedStyle(document.documentElement).fontSize));
    await page.getByRole("radio", { name: /^200/u }).check();
    await page.getByRole("radio", { name: "Dark" }).check();
    await page.reload();
    await heading("Appearance").waitFor();
    const size = (): Promise<number> => page.evaluate(() => Number.parseFloat(getComputedStyle(document.documentElement).fontSize));
    expect(await size()).toBeCloseTo(2 * usual, 1);
    expect(await page.getByRole("radio", { name: "Dark" }).isChecked()).toBe(true);
    expect(await page.evaluate(() => document.documentElement.dataset["theme"])).toBe("dark");
    await picture("appearance-200-1280");
    for (const width of [viewports.phone, viewports.desktop]) {
      await page.setViewportSize(width);
      for (const path of [
        "/",
        "/settings",
        "/settings/notifications",
        "/settings/appearance",
        "/settings/devices",
        new URL(conversation).pathname,
      ]) {
        await page.goto(`${server.url}${path}`);
        await page
          .getByRole("button", { name: /^(?:Settings|Back|Back to conversations)$/u })
          .first()
          .waitFor();
        if (path.startsWith("/c/")) await messageBox(page).waitFor();
        await expectNoSidewaysScrolling();
        await picture(`text-200-${String(width.width)}${path.startsWith("/c/") ? "-conversation" : path.replaceAll("/", "-")}`);
      }
    }
    await page.goto(`${server.url}/settings/appearance`);
    await page.getByRole("radio", { name: /^100/u }).check();
    await page.getByRole("radio", { name: "System" }).check();
    expect(await size()).toBeCloseTo(usual, 1);
  });

  test("which build it is, whose work is in it, and how much of this device it uses", async () => {
    await page.goto(`${server.url}/settings/about`);
    await page.getByText(/^Version \d+\.\d+\.\d+/u).waitFor();
    const build = await page.evaluate(() => document.querySelector("script[type=module]")?.getAttribute("src") ?? "");
    await page.getByText(`Build ${/index-([\w-]+)\.js/u.exec(build)?.[1] ?? "none"}`).waitFor();
    await page.getByRole("button", { name: "Licences" }).click();
    const list = page.getByRole("list", { name: "Licences" });
    await list.getByText(/react-dom \d/u).click();
    await list
      .getByText(/Permission is hereby granted, free of charge/u)
      // Of the one that was opened.
      .filter({ visible: true })
      .waitFor();
    await picture("licences-1280");
    await page.goto(`${server.url}/settings/storage`);
    const used = page.getByText(/^[\d.,]+.(?:byte|kB|MB|GB) used$/u);
    await used.waitFor();
    expect(Number.parseFloat(await used.innerText())).toBeGreaterThan(0);
  });

  test.each(["desktop", "phone"] as const)("nothing is wrong with any part, in light and dark: %s", async (size) => {
    const problems: Record<string, string[]> = {};
    await page.setViewportSize(viewports[size]);
    for (const [name, title] of Object.entries(parts)) {
      await page.goto(`${server.url}/settings/${name}`);
      await heading(title).waitFor();
      const found = await accessibilityProblems(page);
      if (found.length > 0) problems[name] = found;
      await expectNoSidewaysScrolling();
      await page.emulateMedia({ colorScheme: "light" });
      await picture(`settings-${name}-${size}`);
    }
    expect(problems).toEqual({});
    expect([ada.violations, ada.errors]).toEqual([[], []]);
  });
});
