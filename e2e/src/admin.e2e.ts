import { join } from "node:path";
import { expect, test } from "vitest";
import { openBrowser, viewports } from "./testing/chromium.ts";
import { createFolder, latchkey, startServerProcess } from "./testing/processes.ts";

/** Where a picture of each page goes; none is made without. */
const pictures = process.env["E2E_PICTURES"];

test("an operator invites somebody by a link, who registers with it in a browser, once; an announcement is everybody's, and a suspension is told", async () => {
  using folder = createFolder();
  const data = folder.at("data");
  await using server = await startServerProcess({ data, args: ["--registration", "invitation", "--name", "Elm Street"] });
  const admin = async (...args: string[]): Promise<Record<string, unknown>> => {
    const done = await latchkey(["admin", ...args, "--data", data, "--json"]);
    expect([args, done.status, done.stderr]).toEqual([args, 0, ""]);
    return done.json()[0] ?? {};
  };
  const invitation = await admin("invite", "create");
  const link = String(invitation["link"]);
  expect(link).toBe(`${server.url}/#invitation=${String(invitation["code"])}`);
  await admin("announce", "The server is down on Sunday <b>from 8 to 9</b>.");

  await using browser = await openBrowser({ folder: folder.at("anna") });
  const { page } = browser;
  await page.goto(link);
  await page.getByText("You need an invitation code to create an account here.").waitFor();
  const code = page.getByRole("textbox", { name: "Invitation code" });
  await expect.poll(() => code.inputValue()).toBe(invitation["code"]);
  // What lets somebody in does not stay in the address.
  expect(page.url()).toBe(`${server.url}/`);
  const announcement = page.getByRole("complementary", { name: "Announcement of the server" });
  await announcement.getByText("The server is down on Sunday <b>from 8 to 9</b>.").waitFor();
  for (const [name, size] of Object.entries(viewports)) {
    await page.setViewportSize(size);
    if (pictures !== undefined) await page.screenshot({ path: join(pictures, `welcome-${name}.png`) });
  }
  await page.setViewportSize(viewports.desktop);
  await page.getByRole("textbox", { name: "Username" }).fill("anna");
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("heading", { name: "Chats" }).waitFor();
  await announcement.waitFor();
  if (pictures !== undefined) await page.screenshot({ path: join(pictures, "announced-desktop.png") });
  // Whoever has read it puts it away, for good; another one is shown again.
  await announcement.getByRole("button", { name: "Dismiss" }).click();
  await announcement.waitFor({ state: "detached" });
  await page.reload();
  await page.getByRole("heading", { name: "Chats" }).waitFor();
  expect(await announcement.count()).toBe(0);
  await admin("announce", "It is up again.");
  await page.reload();
  await announcement.getByText("It is up again.").waitFor();
  expect(await admin("invite", "list")).toEqual({ invitations: [] });
  expect(await admin("accounts")).toMatchObject({ count: 1, accounts: [{ username: "anna" }] });

  await admin("suspend", "anna");
  await page.reload();
  await page.getByText("The server has suspended your account").first().waitFor();
  expect(browser.violations).toEqual([]);
});
