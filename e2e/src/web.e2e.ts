import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import {
  conversationLink,
  createAccount,
  messageBox,
  messageList,
  messagesWith,
  seeMessage,
  seeTaken,
  sendMessage,
  startConversation,
} from "./testing/app.ts";
import { openBrowser, viewports } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { commandLinePeer, createFolder, startServerProcess } from "./testing/processes.ts";
import type { CommandLinePeer, ServerProcess, TemporaryFolder } from "./testing/processes.ts";

let folder: TemporaryFolder;
let server: ServerProcess;
let zacharias: CommandLinePeer;
const open = new Set<BrowserProfile>();

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data"), args: ["--name", "Test harbour"] });
  zacharias = commandLinePeer({ home: folder.at("zacharias"), server: server.url, acceptsRequests: true });
  await zacharias.run("register", "zacharias");
  await commandLinePeer({ home: folder.at("yvonne"), server: server.url, acceptsRequests: true }).run("register", "yvonne");
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

afterEach(async () => {
  for (const browser of open) await browser[Symbol.asyncDispose]();
  open.clear();
});

async function browserOf(name: string, viewport: { width: number; height: number } = viewports.desktop): Promise<BrowserProfile> {
  const browser = await openBrowser({ folder: folder.at(name), viewport, isLogged: true });
  open.add(browser);
  return browser;
}

interface Line {
  readonly body: { readonly text?: string };
}

async function textsOfZacharias(): Promise<string[]> {
  return (await zacharias.run<Line>("read", "--limit", "1000")).flatMap(({ body }) => (body.text === undefined ? [] : [body.text]));
}

/** Presses Tab until the element of this role and name has the focus. */
async function tabTo(page: Page, role: "button" | "textbox" | "link", name: string): Promise<void> {
  const target = page.getByRole(role, { name, exact: true }).first();
  await target.waitFor();
  for (let presses = 0; presses < 40; presses++) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not reach the ${role} "${name}"`);
}

/** Nothing is wider than the window. */
async function expectNoSidewaysScrolling(page: Page): Promise<void> {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth] as const);
  expect(content).toBeLessThanOrEqual(window);
}

describe("the web app", () => {
  test("two tabs of one profile are one device: what is written in one stands in the other, once", async () => {
    const { context, page: first, errors } = await browserOf("tabs");
    await createAccount(first, { url: server.url, username: "yolanda" });
    await startConversation(first, { to: ["zacharias"] });
    await sendMessage(first, "From the first tab");
    const second = await context.newPage();
    await second.goto(first.url());
    await seeMessage(second, "From the first tab");
    await sendMessage(second, "From the second tab");
    await seeMessage(first, "From the second tab");
    await zacharias.run("send", "yolanda", "To both of you");
    for (const page of [first, second]) {
      await seeMessage(page, "To both of you");
      for (const text of ["From the first tab", "From the second tab", "To both of you"])
        expect(await messagesWith(page, text).count()).toBe(1);
    }
    for (const text of ["From the first tab", "From the second tab"]) await seeTaken(first, text);
    const texts = await textsOfZacharias();
    for (const text of ["From the first tab", "From the second tab"])
      expect(texts.filter((candidate) => candidate === text)).toHaveLength(1);
    // The tab that was there first goes: the other one carries on.
    await first.close();
    await sendMessage(second, "After the first tab closed");
    await seeTaken(second, "After the first tab closed");
    expect(errors).toEqual([]);
  });

  test("one conversation after the other: what is shown is that one, once, and nothing of the others stays", async () => {
    const { page, errors } = await browserOf("switching");
    await createAccount(page, { url: server.url, username: "wanda" });
    await startConversation(page, { to: ["zacharias"] });
    await sendMessage(page, "Said to one");
    await startConversation(page, { to: ["zacharias", "yvonne"], groupName: "Two" });
    await sendMessage(page, "Said in a group");
    for (let turn = 0; turn < 3; turn++) {
      for (const [title, shown, other] of [
        ["zacharias", "Said to one", "Said in a group"],
        ["Two", "Said in a group", "Said to one"],
      ] as const) {
        await conversationLink(page, title).click();
        await seeMessage(page, shown);
        expect(await messageList(page).count()).toBe(1);
        expect(await messageBox(page).count()).toBe(1);
        expect(await messagesWith(page, shown).count()).toBe(1);
        expect(await messagesWith(page, other).count()).toBe(0);
      }
    }
    expect(errors).toEqual([]);
  });

  test("a reload comes back to the same place with everything in it", async () => {
    const { context, page } = await browserOf("reload");
    await createAccount(page, { url: server.url, username: "xenia" });
    await startConversation(page, { to: ["zacharias"] });
    await sendMessage(page, "Before the reload");
    await seeTaken(page, "Before the reload");
    await messageBox(page).fill("A draft that is not sent");
    await page.getByRole("button", { name: "Conversation details", exact: true }).click();
    await page.getByRole("region", { name: "Verification", exact: true }).waitFor();
    const address = page.url();
    // A draft is kept a moment after it was typed: another tab tells when.
    const other = await context.newPage();
    const keptDraft = async (): Promise<string> => {
      await other.goto(address);
      return messageBox(other).inputValue();
    };
    await expect.poll(keptDraft).toBe("A draft that is not sent");
    await other.close();
    await page.reload();
    await page.getByRole("region", { name: "Verification", exact: true }).waitFor();
    expect(page.url()).toBe(address);
    await seeMessage(page, "Before the reload");
    expect(await messageBox(page).inputValue()).toBe("A draft that is not sent");
    // It is written on where it ends.
    await messageBox(page).focus();
    await page.keyboard.type(", yet");
    expect(await messageBox(page).inputValue()).toBe("A draft that is not sent, yet");
    for (let key = 0; key < 5; key++) await page.keyboard.press("Backspace");
    await page.goBack();
    await page.getByRole("region", { name: "Verification", exact: true }).waitFor({ state: "detached" });
  });

  test("on a phone: account, conversation, back to the list, details, all within the width", async () => {
    const { page } = await browserOf("phone", viewports.phone);
    await page.goto(server.url);
    await page.getByText("Test harbour").first().waitFor();
    await expectNoSidewaysScrolling(page);
    await createAccount(page, { url: server.url, username: "wolfgang" });
    await expectNoSidewaysScrolling(page);
    await startConversation(page, { to: ["zacharias"] });
    await sendMessage(page, "From my pocket");
    await expectNoSidewaysScrolling(page);
    // One column: the list is not beside the conversation.
    expect(await page.getByRole("list", { name: "Conversations", exact: true }).isVisible()).toBe(false);
    await page
      .getByRole("button", { name: "Back to conversations" })
      .or(page.getByRole("link", { name: "Back to conversations" }))
      .click();
    await conversationLink(page, "zacharias").waitFor();
    expect(await messageList(page).isVisible()).toBe(false);
    await conversationLink(page, "zacharias").click();
    await seeMessage(page, "From my pocket");
    await page.getByRole("button", { name: "Conversation details", exact: true }).click();
    await page.getByRole("region", { name: "Verification", exact: true }).waitFor();
    await expectNoSidewaysScrolling(page);
    const send = await page
      .evaluate(() => 0)
      .then(async () => {
        await page.goBack();
        return page.getByRole("button", { name: "Record a voice message", exact: true }).boundingBox();
      });
    expect(send?.width).toBeGreaterThanOrEqual(44);
    expect(send?.height).toBeGreaterThanOrEqual(44);
  });

  test("with the keyboard alone: account, group, message, details, removal", async () => {
    const { page } = await browserOf("keyboard");
    const { keyboard } = page;
    await commandLinePeer({ home: folder.at("valentin"), server: server.url }).run("register", "valentin");
    await page.goto(server.url);
    await tabTo(page, "textbox", "Username");
    await keyboard.type("ursula");
    await tabTo(page, "button", "Create account");
    await keyboard.press("Enter");
    await tabTo(page, "button", "New conversation");
    await keyboard.press("Enter");
    await tabTo(page, "textbox", "To");
    await keyboard.type("zacharias, valentin");
    await tabTo(page, "textbox", "Group name");
    await keyboard.type("Keyboard players");
    await keyboard.press("Enter");
    await messageBox(page).waitFor();
    await tabTo(page, "textbox", "Message");
    await keyboard.type("Typed, not clicked");
    await keyboard.press("Enter");
    await seeTaken(page, "Typed, not clicked");
    await tabTo(page, "button", "Conversation details");
    await keyboard.press("Enter");
    await tabTo(page, "button", "What to do with valentin");
    await keyboard.press("Enter");
    await page.getByRole("menuitem", { name: "Remove from the group" }).waitFor();
    await keyboard.press("ArrowUp");
    await keyboard.press("Enter");
    const dialog = page.getByRole("dialog").or(page.getByRole("alertdialog"));
    await dialog.waitFor();
    await tabTo(page, "button", "Remove");
    await keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    await messageList(page).getByText("You removed valentin").waitFor();
    await page.getByRole("button", { name: "What to do with valentin" }).waitFor({ state: "detached" });
    // The list of conversations is a place of its own for the keyboard.
    await tabTo(page, "link", "Keyboard players");
    await keyboard.press("Enter");
    await seeMessage(page, "Typed, not clicked");
    expect(await textsOfZacharias()).toContain("Typed, not clicked");
  });

  test("axe finds nothing wrong on any screen, light or dark", async () => {
    const { page } = await browserOf("axe");
    const problems: Record<string, string[]> = {};
    await page.goto(server.url);
    await page.getByRole("textbox", { name: "Username", exact: true }).waitFor();
    problems["welcome"] = await accessibilityProblems(page);
    await createAccount(page, { url: server.url, username: "theodora" });
    problems["empty"] = await accessibilityProblems(page);
    await page.getByRole("button", { name: "New conversation", exact: true }).first().click();
    await page.getByRole("textbox", { name: "To", exact: true }).waitFor();
    problems["new conversation"] = await accessibilityProblems(page);
    await page.goto(server.url);
    await startConversation(page, { to: ["zacharias"] });
    await messageBox(page).fill("Can everybody read this?\n\n> quoted\n\n`code` https://example.org");
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await seeMessage(page, "Can everybody read this?");
    await zacharias.run("send", "theodora", "Everybody can");
    await seeMessage(page, "Everybody can");
    problems["conversation"] = await accessibilityProblems(page);
    await page.getByRole("button", { name: "Conversation details", exact: true }).click();
    await page.getByRole("region", { name: "Verification", exact: true }).waitFor();
    problems["details"] = await accessibilityProblems(page);
    await page.goto(`${server.url}/settings`);
    await page.getByRole("heading", { name: "Settings" }).waitFor();
    problems["settings"] = await accessibilityProblems(page);
    await page.getByRole("link", { name: "What the server holds about me", exact: true }).click();
    await page.getByText("Your name: theodora.").waitFor();
    problems["holdings, summed up"] = await accessibilityProblems(page);
    await page.getByRole("button", { name: "Show everything, field by field" }).click();
    await page.getByRole("table").first().waitFor();
    await page.getByText("theodora").first().waitFor();
    problems["holdings"] = await accessibilityProblems(page);
    await page.setViewportSize(viewports.phone);
    await page.getByRole("list", { name: "What the server holds about me" }).waitFor();
    expect(await page.getByRole("table").count()).toBe(0);
    await expectNoSidewaysScrolling(page);
    problems["holdings on a phone"] = await accessibilityProblems(page);
    await page.goto(server.url);
    await conversationLink(page, "zacharias").waitFor();
    problems["phone list"] = await accessibilityProblems(page);
    await conversationLink(page, "zacharias").click();
    await seeMessage(page, "Everybody can");
    problems["phone conversation"] = await accessibilityProblems(page);
    expect(Object.fromEntries(Object.entries(problems).filter(([, found]) => found.length > 0))).toEqual({});
  });

  test("[I-4] who writes unasked waits as a request, unread, and is blocked; nothing is wrong with these screens", async () => {
    const { page } = await browserOf("requests");
    const problems: Record<string, string[]> = {};
    await createAccount(page, { url: server.url, username: "wilhelmina" });
    const stranger = commandLinePeer({ home: folder.at("stranger"), server: server.url });
    await stranger.run("register", "waldemar");
    await stranger.run("send", "wilhelmina", "Unasked");
    await page.getByRole("button", { name: "Requests (1)" }).click();
    await page.getByRole("button", { name: /^Accept .?waldemar/u }).waitFor();
    problems["requests"] = await accessibilityProblems(page);
    expect(await page.getByText("Unasked").count()).toBe(0);
    await page.getByRole("button", { name: /^Block .?waldemar/u }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Block", exact: true }).click();
    await page.getByText("Nobody is waiting.").waitFor();
    await page.goto(`${server.url}/settings/blocked`);
    await page.getByRole("button", { name: /^Unblock .?waldemar/u }).waitFor();
    problems["blocked people"] = await accessibilityProblems(page);
    await page.setViewportSize(viewports.phone);
    await expectNoSidewaysScrolling(page);
    expect(Object.fromEntries(Object.entries(problems).filter(([, found]) => found.length > 0))).toEqual({});
  });

  test("something stands there before any script has run, where none runs too, and comes compressed for every browser", async () => {
    const { page, context } = await browserOf("first-frame");
    const session = await context.newCDPSession(page);
    await session.send("Emulation.setScriptExecutionDisabled", { value: true });
    await page.goto(server.url);
    await page.getByRole("heading", { name: "Latchkey", exact: true }).waitFor();
    const mark = await page.locator("main .mark").boundingBox();
    // The styles have it in the middle.
    expect(Math.abs((mark?.x ?? 0) + (mark?.width ?? 0) / 2 - viewports.desktop.width / 2)).toBeLessThan(2);
    const html = await (await fetch(server.url)).text();
    const script = /src="(\/assets\/index-[^"]+\.js)"/u.exec(html)?.[1] ?? "";
    for (const [accepted, coding] of [
      ["br, gzip", "br"],
      ["gzip", "gzip"],
    ] as const) {
      const answer = await fetch(server.url + script, { headers: { "accept-encoding": accepted } });
      expect([answer.status, answer.headers.get("content-encoding"), answer.headers.get("vary")]).toEqual([200, coding, "accept-encoding"]);
    }
  });

  test("asks nobody but its own server for anything, under a policy that it never breaks", async () => {
    const response = await fetch(server.url);
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe-inline|unsafe-eval|https?:|\*/);
    const browser = await browserOf("policy");
    const { page, violations, errors } = browser;
    await createAccount(page, { url: server.url, username: "sebastian" });
    await startConversation(page, { to: ["zacharias"] });
    await messageBox(page).fill(
      "https://third-party.example/picture.png ![x](https://third-party.example/y.png) <img src=https://third-party.example/z>",
    );
    await page.getByRole("button", { name: "Send", exact: true }).click();
    // Pictures of Markdown are links, and HTML is text.
    await seeMessage(page, "https://third-party.example/picture.png !x <img src=https://third-party.example/z>");
    await zacharias.run("send", "sebastian", "<script>alert(1)</script> ![x](https://third-party.example/y.png)");
    await seeMessage(page, "alert(1)");
    await page.goto(`${server.url}/settings/server`);
    await page.getByText("sebastian").first().waitFor();
    const requests = await browser.closeAndListRequests();
    expect(requests.length).toBeGreaterThan(5);
    const own = new RegExp(
      `^(http|ws)://(localhost|127\\.0\\.0\\.1):${String(server.port)}(/|$)|^(data|blob|chrome|chrome-extension|chrome-untrusted|devtools):`,
    );
    expect(requests.filter((url) => !own.test(url))).toEqual([]);
    expect([violations, errors]).toEqual([[], []]);
  });
});
