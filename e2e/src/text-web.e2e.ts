import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { createAccount, messageBox, messagesWith, sendMessage, startConversation } from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { registerPerson } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let page: Page;
let ben: TestPerson;

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ada = await openBrowser({ folder: folder.at("ada"), viewport: { width: 1280, height: 1600 } });
  ({ page } = ada);
  await createAccount(page, { url: server.url, username: "ada" });
  ben = await registerPerson({ server: server.url, home: folder.at("ben"), username: "ben" });
  await startConversation(page, { to: ["ben"] });
  await sendMessage(page, "Hello");
});

afterAll(async () => {
  await ben.client.close();
  await ada[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** Writes a text of several lines as one message. */
async function write(text: string): Promise<void> {
  await messageBox(page).fill(text);
  await page.getByRole("button", { name: "Send", exact: true }).click();
}

describe("the text of messages, in the app", () => {
  test("is styled: lists, tables, code with a button that copies it, quotes, struck out words", async () => {
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await write("To bring:\n\n- apples\n- **pears**\n\n| who | what |\n|---|--:|\n| Ben | 3 |\n\n> as you said\n\n~~Monday~~ Tuesday");
    const first = messagesWith(page, "To bring");
    await first.getByRole("list").getByRole("listitem").filter({ hasText: "pears" }).waitFor();
    expect(await first.getByRole("cell").allInnerTexts()).toEqual(["Ben", "3"]);
    expect(await first.locator("blockquote").innerText()).toBe("as you said");
    expect(await first.locator("s").innerText()).toBe("Monday");
    await write('```js\nconst a = "b"; // c\n```');
    const code = messagesWith(page, "const a");
    await code.locator(".code-string", { hasText: '"b"' }).waitFor();
    await code.getByRole("button", { name: "Copy this code" }).click();
    await page.getByText("Copied", { exact: true }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('const a = "b"; // c');
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  test("keeps the time at a distance, whichever way the text runs", async () => {
    for (const text of ["See you tomorrow", "\u0646\u0644\u062A\u0642\u064A \u063A\u062F\u0627"]) {
      await write(text);
      const gap = await messagesWith(page, text)
        .locator(".text-paragraph")
        .evaluate((paragraph) => {
          const meta = paragraph.querySelector(".meta");
          if (meta === null) return 0;
          const range = document.createRange();
          range.selectNodeContents(paragraph);
          range.setEndBefore(meta);
          const [words, time] = [range.getBoundingClientRect(), meta.getBoundingClientRect()];
          return Math.max(time.left - words.right, words.left - time.right);
        });
      expect([text, gap >= 8]).toEqual([text, true]);
    }
  });

  test("has no HTML in it, and shows what looks like an entity as it was written", async () => {
    await write("<b>bold?</b> &lt;b> <img src=x onerror=alert(1)>");
    await messagesWith(page, "<b>bold?</b> &lt;b> <img src=x onerror=alert(1)>").waitFor();
    expect(await page.locator(".messages img").count()).toBe(0);
  });

  test("a link whose words name another place asks first, and names the place", async () => {
    await write("See [bank.example](https://evil.example/x) and example.org");
    const message = messagesWith(page, "and example.org");
    expect(await message.getByRole("link", { name: "example.org", exact: true }).getAttribute("href")).toBe("https://example.org");
    await message.getByRole("link", { name: "bank.example" }).click();
    const dialog = page.getByRole("alertdialog", { name: "Open evil.example?" });
    await dialog.getByText("The message shows “bank.example”, but the link leads elsewhere.").waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Cancel" }).click();
    expect(page.context().pages()).toHaveLength(1);
  });

  test("a hostile text of 60 KiB stops nobody: it is read in parts", async () => {
    const [conversation] = await ben.client.conversations();
    const hostile = [`${"[".repeat(20_000)}${"**a".repeat(10_000)}\nthe end`, `first${"\n".repeat(65_000)}last`];
    for (const text of hostile) await ben.client.send(conversation?.id ?? "", text);
    await ben.client.settle({ timeoutMs: 60_000 });
    const more = page.getByRole("button", { name: "Read more" });
    await messagesWith(page, "first").waitFor();
    await expect.poll(() => more.count()).toBe(2);
    const [nested, broken] = [messagesWith(page, "[[[["), messagesWith(page, "first")];
    await broken.getByRole("button", { name: "Read more" }).click();
    expect((await broken.locator(".text").innerText()).split("\n").length).toBeLessThan(410);
    await broken.getByRole("button", { name: "Show less" }).click();
    while (!(await nested.innerText()).includes("the end")) await nested.getByRole("button", { name: "Read more" }).click();
    expect(await nested.getByRole("button", { name: "Read more" }).count()).toBe(0);
    await sendMessage(page, "Still here");
    expect(await messagesWith(page, "Still here").count()).toBe(1);
  });

  test("no page broke a policy or threw an error meanwhile", () => {
    expect([ada.violations, ada.errors]).toEqual([[], []]);
  });
});
