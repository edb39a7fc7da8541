import { join } from "node:path";
import { expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { openBrowser, viewports } from "./testing/chromium.ts";
import { createFolder, latchkey, startServerProcess } from "./testing/processes.ts";

/** Where a picture of each page goes; none is made without. */
const pictures = process.env["E2E_PICTURES"];

test("an operator reads the server's state at /desk by a link that opens it once; a second browser with it closes it for both, revoked it is closed", async () => {
  using folder = createFolder();
  const data = folder.at("data");
  await using server = await startServerProcess({ data, args: ["--registration", "invitation", "--name", "Elm Street"] });
  const admin = async (...args: string[]): Promise<Record<string, unknown>> => {
    const done = await latchkey(["admin", ...args, "--data", data, "--json"]);
    expect([args, done.status, done.stderr]).toEqual([args, 0, ""]);
    return done.json()[0] ?? {};
  };
  await admin("invite", "create", "--uses", "3");
  await admin("reserve", "mayor");
  await admin("announce", "Down on Sunday <b>from 8 to 9</b>");

  await using browser = await openBrowser({ folder: folder.at("operator") });
  const { page } = browser;
  const photograph = async (name: string): Promise<void> => {
    if (pictures === undefined) return;
    for (const [width, size] of Object.entries(viewports)) {
      await page.setViewportSize(size);
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        await page.screenshot({ path: join(pictures, `${name}-${width}-${colorScheme}.png`) });
      }
    }
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize(viewports.desktop);
  };
  await page.goto(`${server.url}/desk`);
  await page.getByRole("heading", { name: "The desk is closed" }).waitFor();
  await photograph("desk-closed");

  const link = String((await admin("desk", "open"))["link"]);
  await page.goto("about:blank");
  await page.goto(link);
  await page.getByText("The server is well").waitFor();
  // What opens it does not stay in the address.
  expect(page.url()).toBe(`${server.url}/desk`);
  await page.getByText("3 uses left").waitFor();
  await page.getByText("mayor").waitFor();
  await page.getByText("Down on Sunday <b>from 8 to 9</b>").waitFor();
  await page.getByText("Nobody has registered yet.").waitFor();
  await page.getByText("There is no backup").waitFor();
  await photograph("desk");
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.setViewportSize(viewports.phone);
  expect(await accessibilityProblems(page)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  await page.setViewportSize(viewports.desktop);
  await page.reload();
  await page.getByText("The server is well").waitFor();

  // Somebody else who has the link opens nothing, and the operator's page closes.
  await using thief = await openBrowser({ folder: folder.at("thief") });
  await thief.page.goto(link);
  await thief.page.getByRole("heading", { name: "This link was used before" }).waitFor();
  await page.getByRole("button", { name: "Read again" }).click();
  await page.getByRole("heading", { name: "The session has ended" }).waitFor();
  expect(await admin("desk", "list")).toEqual({ doors: [] });

  await page.goto("about:blank");
  await page.goto(String((await admin("desk", "open"))["link"]));
  await page.getByText("The server is well").waitFor();
  await admin("desk", "revoke", "all");
  await page.getByRole("button", { name: "Read again" }).click();
  await page.getByRole("heading", { name: "The session has ended" }).waitFor();
  expect([...browser.violations, ...thief.violations]).toEqual([]);
});
