import type { Locator, Page } from "playwright-core";

// The accessible names that the app keeps.

/** The conversation's messages. */
export function messageList(page: Page): Locator {
  return page.getByRole("list", { name: "Messages", exact: true });
}

/** Messages that contain `text`. */
export function messagesWith(page: Page, text: string): Locator {
  return messageList(page).getByRole("listitem").filter({ hasText: text });
}

/** Resolves when a message with `text` is shown. */
export async function seeMessage(page: Page, text: string): Promise<void> {
  await messagesWith(page, text).first().waitFor();
}

/** The mark of a message of one's own that the server has: how far it came beyond that, the others' devices tell when they like. */
export const taken = ".delivery-accepted, .delivery-delivered, .delivery-read";

/** Resolves when the server has a message of one's own; until then it stands here alone. */
export async function seeTaken(page: Page, text: string): Promise<void> {
  await messagesWith(page, text).locator(taken).waitFor({ state: "attached" });
}

/** Opens the menu of a message as a mouse does, and chooses a line of it. */
export async function chooseAction(page: Page, message: Locator, action: string): Promise<void> {
  await message.hover();
  await message.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("menuitem", { name: action, exact: true }).click();
}

/** The entry of a conversation in the list. */
export function conversationLink(page: Page, title: string): Locator {
  return page.getByRole("list", { name: "Conversations", exact: true }).getByRole("link", { name: title });
}

/** Opens the app and creates an account. */
export async function createAccount(page: Page, params: { url: string; username: string }): Promise<void> {
  await page.goto(params.url);
  await page.getByRole("textbox", { name: "Username", exact: true }).fill(params.username);
  await page.getByRole("button", { name: "Create account", exact: true }).click();
  await page.getByRole("button", { name: "New conversation", exact: true }).first().waitFor();
}

/** Starts a conversation; several people make a group. */
export async function startConversation(page: Page, params: { to: readonly string[]; groupName?: string }): Promise<void> {
  await page.getByRole("button", { name: "New conversation", exact: true }).first().click();
  await page.getByRole("textbox", { name: "To", exact: true }).fill(params.to.join(", "));
  if (params.groupName !== undefined) await page.getByRole("textbox", { name: "Group name", exact: true }).fill(params.groupName);
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await messageBox(page).waitFor();
}

/** Accepts somebody who wrote for the first time; their conversation is opened. */
export async function acceptRequest(page: Page, username: string): Promise<void> {
  await page.getByRole("button", { name: /^Requests \(/ }).click();
  await page.getByRole("button", { name: new RegExp(`^Accept .?${username}`, "u") }).click();
  await messageBox(page).waitFor();
}

/** Where one writes. */
export function messageBox(page: Page): Locator {
  return page.getByRole("textbox", { name: "Message", exact: true });
}

/** Writes and sends a message in the conversation that is open, and sees it there: nobody else has it yet. */
export async function sendMessage(page: Page, text: string): Promise<void> {
  await messageBox(page).fill(text);
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await seeMessage(page, text);
}
