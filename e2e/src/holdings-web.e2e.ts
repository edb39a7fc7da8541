import { readFileSync } from "node:fs";
import { join } from "node:path";
import { httpPaths } from "@latchkey/protocol";
import { expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { createAccount } from "./testing/app.ts";
import { openBrowser, viewports } from "./testing/chromium.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";

/** Where a picture of each page goes; none is made without. */
const pictures = process.env["E2E_PICTURES"];

test("[F-20] [F-21] a person sees what is held, why, and that a copy may be kept; saves it whole; is told before an end what stays", async () => {
  using folder = createFolder();
  await using server = await startServerProcess({ data: folder.at("data") });
  await using browser = await openBrowser({ folder: folder.at("browser") });
  const { page } = browser;
  const shoot = async (name: string): Promise<void> => {
    for (const [size, viewport] of Object.entries(viewports)) {
      await page.setViewportSize(viewport);
      if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}-${size}.png`) });
    }
    await page.setViewportSize(viewports.desktop);
  };
  await page.setViewportSize(viewports.desktop);
  await createAccount(page, { url: server.url, username: "theodora" });
  await page.goto(`${server.url}/settings/server`);
  await page.getByText("Your name: theodora.").waitFor();
  // Said to everybody, beside whatever else there is.
  await page.getByText("A copy of what is held about an account may be kept under an order").waitFor();
  await shoot("holdings");
  expect(await accessibilityProblems(page)).toEqual([]);

  const saving = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download" }).click();
  const saved = await saving;
  expect(saved.suggestedFilename()).toBe("latchkey-theodora.json");
  const path = folder.at("saved.json");
  await saved.saveAs(path);
  const held = JSON.parse(readFileSync(path, "utf8")) as { usernames: { username: string }[]; copy_kept: string; not_held: string };
  expect(held.usernames).toMatchObject([{ username: "theodora" }]);
  expect(held.copy_kept).toMatch(/^A copy of what is held about an account may be kept under an order/);

  await page.getByText("What this server keeps of everybody, and why").click();
  await page
    .getByText(held.not_held.split(" Nor does")[0] ?? "")
    .first()
    .waitFor();
  await page.getByRole("region", { name: "accounts.sqlite · accounts" }).waitFor();
  await shoot("inventory");
  expect(await accessibilityProblems(page)).toEqual([]);

  // Cut off on the way it is no package: the person is told, and asks again.
  let cuts = 1;
  await page.route(`**${httpPaths.holdings}`, async (route) => {
    if (cuts-- > 0) await route.abort("connectionreset");
    else await route.continue();
  });
  await page.reload();
  await page.getByText("The server could not be asked.").waitFor();
  const asked = page.getByText("Asked from the server just now.");
  expect(await asked.count()).toBe(0);
  await shoot("holdings-failed");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText("Your name: theodora.").waitFor();
  await asked.waitFor();

  await page.goto(`${server.url}/settings/account`);
  await page.getByRole("button", { name: "Delete account…" }).click();
  await page.getByText("A copy may be kept under an order").waitFor();
  await page.getByText("your last signed entry").waitFor();
  await shoot("deletion");
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.getByRole("textbox", { name: /^Type your username/ }).fill("theodora");
  await page.getByRole("button", { name: "Delete for good" }).click();
  await page.getByText("The server has erased what it held").waitFor();
  await shoot("deleted");
  expect(browser.violations).toEqual([]);
});
