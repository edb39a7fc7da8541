import type { Locator } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAccount, seeMessage, startConversation } from "./testing/app.ts";
import { openBrowser, viewports } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { joinedConversation, registerPerson, sendAndWait } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

const title = "Donaudampfschifffahrtsgesellschaftsversammlung";

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let people: TestPerson[];

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ada = await openBrowser({ folder: folder.at("ada") });
  const anneliese = await registerPerson({
    home: folder.at("anneliese"),
    server: server.url,
    username: "anneliese",
    displayName: "Dr. Anneliese Theresia von Hohenstein-Sigmaringen",
  });
  people = [anneliese, await registerPerson({ home: folder.at("ben"), server: server.url, username: "ben" })];
  await createAccount(ada.page, { url: server.url, username: "ada" });
  await startConversation(ada.page, { to: ["anneliese", "ben"], groupName: title });
  const { id } = await joinedConversation(anneliese.client, title);
  await sendAndWait(anneliese.client, id, "Die Donaudampfschifffahrtsgesellschaftskapitänswitwe lässt grüßen.");
  await seeMessage(ada.page, "grüßen");
});

afterAll(async () => {
  await ada[Symbol.asyncDispose]();
  for (const person of people) await person[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** Whether a name is too long for its place, says so by an ellipsis, and loses its own end: it runs from left to right. */
const losesItsEnd = (name: Locator): Promise<boolean> =>
  name.evaluate((element) => {
    const { textOverflow, direction } = getComputedStyle(element);
    return element.scrollWidth > element.clientWidth && textOverflow === "ellipsis" && direction === "ltr";
  });

describe("a long name", () => {
  test("is cut off at its end in the details of a group, on a computer and on a phone", async () => {
    const { page } = ada;
    await page.getByRole("button", { name: "Details" }).click();
    for (const size of Object.values(viewports)) {
      await page.setViewportSize(size);
      const name = page.getByRole("list", { name: "People" }).getByRole("button", { name: /^Dr\. Anneliese/u });
      await expect.poll(() => losesItsEnd(name.locator("bdi"))).toBe(true);
    }
    await page.setViewportSize(viewports.desktop);
    await page.getByRole("button", { name: "Close details", exact: true }).click();
  });

  test("leaves room for what was found", async () => {
    const { page } = ada;
    await page.keyboard.press("Control+k");
    await page.keyboard.insertText("grüßen");
    const mark = page.locator(".found mark");
    // In the lines that are shown, not in those below them.
    const below = await mark.evaluate(
      (element) => element.getBoundingClientRect().bottom - (element.closest(".found-text")?.getBoundingClientRect().bottom ?? 0),
    );
    expect(below).toBeLessThanOrEqual(1);
    expect(await losesItsEnd(page.locator(".found-author bdi"))).toBe(true);
    await page.keyboard.press("Escape");
  });

  test("loses its own end on a page that runs from right to left, too", async () => {
    const { page } = ada;
    await page.setViewportSize(viewports.phone);
    await page.evaluate(() => localStorage.setItem("latchkey.language", "ar"));
    await page.reload();
    await page.locator('html[dir="rtl"]').waitFor();
    await expect.poll(() => losesItsEnd(page.locator(".conversation-title h1 > bdi"))).toBe(true);
    await expect.poll(() => losesItsEnd(page.locator(".bubble-author > bdi"))).toBe(true);
    await page.goto(server.url);
    await expect.poll(() => losesItsEnd(page.locator(".list-author > bdi"))).toBe(true);
  });
});
