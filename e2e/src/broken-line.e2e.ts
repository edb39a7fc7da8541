import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAccount, messageList, messagesWith, seeMessage, seeTaken, sendMessage, startConversation } from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import { registerPerson } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
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

/** A fault of the app's: whoever draws this moment fails. Runs in the page. */
function breakDates(): void {
  const { toISOString } = Date.prototype;
  function failing(this: Date): string {
    if (this.getTime() === Number(sessionStorage.getItem("broken"))) throw new Error("a fault");
    return toISOString.call(this);
  }
  Object.defineProperty(globalThis.Date.prototype, "toISOString", { value: failing });
}

describe("[E-61] [P7] a message that the app fails to draw", () => {
  test("says so in its place; what stands around it is read and written as ever", async () => {
    await using browser = await openBrowser({ folder: folder.at("ada") });
    const { page } = browser;
    await page.addInitScript(breakDates);
    await createAccount(page, { url: server.url, username: "ada" });
    await startConversation(page, { to: ["ben"] });
    for (const text of ["before", "the broken one", "after"]) {
      await sendMessage(page, text);
      await seeTaken(page, text);
    }
    const time = messagesWith(page, "the broken one").locator("time");
    const at = Date.parse((await time.getAttribute("datetime")) ?? "");
    await page.evaluate((broken) => sessionStorage.setItem("broken", String(broken)), at);
    await page.reload();
    await messageList(page).getByText("This line cannot be shown.").waitFor();
    await seeMessage(page, "before");
    await seeMessage(page, "after");
    expect(await messagesWith(page, "the broken one").count()).toBe(0);
    await sendMessage(page, "and on");
    await seeMessage(page, "and on");
    // Without the fault it is there again: nothing was lost.
    await page.evaluate(() => sessionStorage.removeItem("broken"));
    await page.reload();
    await seeMessage(page, "the broken one");
  });
});
