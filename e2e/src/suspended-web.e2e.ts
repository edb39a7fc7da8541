import { join } from "node:path";
import { expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { createAccount, sendMessage, startConversation } from "./testing/app.ts";
import { openBrowser, viewports } from "./testing/chromium.ts";
import { registerPerson } from "./testing/people.ts";
import { createFolder, latchkey, startServerProcess } from "./testing/processes.ts";

/** Where a picture of each page goes; none is made without. */
const pictures = process.env["E2E_PICTURES"];

test("[F-12] somebody with whom one is in touch is suspended: the app says so by itself, once, and what it says goes when it was read", async () => {
  using folder = createFolder();
  const data = folder.at("data");
  await using server = await startServerProcess({ data });
  await using mal = await registerPerson({ home: folder.at("mal"), server: server.url, username: "mallory" });
  await using browser = await openBrowser({ folder: folder.at("ada") });
  const { page } = browser;
  await page.setViewportSize(viewports.desktop);
  await createAccount(page, { url: server.url, username: "ada" });
  await startConversation(page, { to: [mal.username] });
  await sendMessage(page, "Hello");
  expect((await latchkey(["admin", "suspend", "mallory", "--data", data])).status).toBe(0);
  // A device looks within a minute of its start.
  await page.reload();
  const warning = page.getByText("Somebody with whom you are in touch was suspended").first();
  await warning.waitFor({ timeout: 90_000 });
  for (const [name, size] of Object.entries(viewports)) {
    await page.setViewportSize(size);
    await warning.waitFor();
    if (pictures !== undefined) await page.screenshot({ path: join(pictures, `suspended-${name}.png`) });
  }
  await page.setViewportSize(viewports.desktop);
  expect(await accessibilityProblems(page)).toEqual([]);
  expect(browser.violations).toEqual([]);
});
