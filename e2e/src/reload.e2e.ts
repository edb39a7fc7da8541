import { expect, test } from "vitest";
import { createAccount } from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";

test("a page that is loaded again and again opens each time, whenever the worker of the one before ends", async () => {
  using folder = createFolder();
  await using server = await startServerProcess({ data: folder.at("data") });
  await using browser = await openBrowser({ folder: folder.at("ada") });
  const { page, errors } = browser;
  await createAccount(page, { url: server.url, username: "ada" });
  for (let round = 0; round < 25; round++) {
    await page.goto(`${server.url}/${round % 2 === 0 ? "settings/appearance" : "settings/devices"}`);
    await page.locator(".shell h1:visible").first().waitFor();
  }
  expect(errors).toEqual([]);
});
