import { join } from "node:path";
import { expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { createAccount, seeMessage, sendMessage, startConversation } from "./testing/app.ts";
import { openBrowser, viewports } from "./testing/chromium.ts";
import { registerPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";

/** Where a picture of each page goes; none is made without. */
const pictures = process.env["E2E_PICTURES"];

/** Keeps the profile's database busy, in a page that is not the app, until `letGo` there is called. */
function keepBusy(): Promise<void> {
  return new Promise((resolve) => {
    const opening = indexedDB.open("latchkey/default");
    opening.addEventListener("success", () => {
      const meta = opening.result.transaction(["records", "meta"], "readwrite").objectStore("meta");
      let isHeld = true;
      Reflect.set(globalThis, "letGo", () => (isHeld = false));
      const again = (): void => {
        const asked = meta.get("owner");
        asked.addEventListener("success", () => {
          resolve();
          if (isHeld) again();
          else opening.result.close();
        });
      };
      again();
    });
  });
}

test("a browser that does not hand over what is stored: the page says so after a while, with a way on, and goes on by itself once it has it", async () => {
  using folder = createFolder();
  await using server = await startServerProcess({ data: folder.at("data") });
  await using ben = await registerPerson({ home: folder.at("ben"), server: server.url, username: "ben" });
  await using browser = await openBrowser({ folder: folder.at("ada") });
  const { context, page } = browser;
  await createAccount(page, { url: server.url, username: "ada" });
  await startConversation(page, { to: [ben.username] });
  await sendMessage(page, "Still here");
  const conversation = page.url();
  const other = await context.newPage();
  await other.goto(`${server.url}/healthz`);
  // The worker ends with its last page, and the next one finds the database taken.
  await page.goto("about:blank");
  await other.evaluate(keepBusy);
  await page.clock.install();
  await page.goto(conversation);
  await page.getByText("Opening").waitFor();
  await page.clock.fastForward(10_000);
  await page.getByRole("heading", { name: "Latchkey is still opening" }).waitFor();
  await page.getByRole("button", { name: "Reload", exact: true }).waitFor();
  for (const [name, size] of Object.entries(viewports)) {
    await page.setViewportSize(size);
    if (pictures !== undefined) await page.screenshot({ path: join(pictures, `opening-${name}.png`) });
  }
  expect(await accessibilityProblems(page)).toEqual([]);
  await other.evaluate(() => Reflect.apply(Reflect.get(globalThis, "letGo"), undefined, []));
  await seeMessage(page, "Still here");
});
