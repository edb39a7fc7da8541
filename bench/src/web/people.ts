import type { Page } from "playwright-core";

/** Makes an account in the app, and comes to its conversations. */
export async function signUp(page: Page, url: string, username: string): Promise<void> {
  await page.goto(url);
  await page.getByRole("textbox", { name: "Username", exact: true }).fill(username);
  await page.getByRole("button", { name: "Create account", exact: true }).click();
  await page.getByRole("button", { name: "Later" }).click();
}

/** One writes to the other, who accepts; both are in their conversation then. */
export async function talk(from: Page, to: { readonly page: Page; readonly username: string }): Promise<void> {
  await from.getByRole("button", { name: "New conversation", exact: true }).first().click();
  await from.getByRole("textbox", { name: "To", exact: true }).fill(to.username);
  await from.getByRole("button", { name: "Start", exact: true }).click();
  await from.getByRole("textbox", { name: "Message", exact: true }).fill("the first of all");
  await from.getByRole("button", { name: "Send", exact: true }).click();
  await to.page.getByRole("button", { name: /^Requests \(/u }).click();
  await to.page.getByRole("button", { name: /^Accept / }).click();
  await to.page.getByText("the first of all").first().waitFor();
}

/** Chooses a file of the disk, and sends it once it is ready. */
export async function sendFile(page: Page, path: string): Promise<void> {
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Attach a file", exact: true }).click();
  await (await chooser).setFiles(path);
  const tray = page.getByRole("region", { name: "Files to send", exact: true });
  await tray.getByRole("button", { name: /, [0-9.]+ [kMG]?B/u }).waitFor();
  await page.getByRole("button", { name: "Send", exact: true }).click();
}
