import type { Page } from "playwright-core";
import { addAuthenticator } from "./passkeys.ts";

/** Comes to the desk with a code, by its link, and opens the requests. */
export async function comeToRequests(page: Page, link: string): Promise<void> {
  await page.goto(link);
  await addAuthenticator(page);
  await page.getByRole("button", { name: "Make a passkey" }).click();
  await page.getByRole("link", { name: "Requests", exact: true }).click();
  await page.getByRole("heading", { name: "Requests", level: 1 }).waitFor();
}

/** What intake writes down of a request by national law. */
export interface WrittenRequest {
  readonly type?: string;
  readonly username: string;
  readonly emergencyGrounds?: string;
}

/** Writes a request down and opens it. Resolves once its page is there. */
export async function openRequest(
  page: Page,
  { type = "Order of an authority by national law", username, emergencyGrounds }: WrittenRequest,
): Promise<void> {
  await page.getByRole("link", { name: "New request" }).click();
  await page.getByRole("combobox", { name: "Type" }).selectOption({ label: type });
  const write = async (name: string, text: string): Promise<void> => page.getByRole("textbox", { name, exact: true }).fill(text);
  await write("Legal basis, as the request says it", "Section 100j StPO");
  if (emergencyGrounds !== undefined) {
    await page.getByRole("checkbox", { name: /^It says that it is an emergency/ }).check();
    await write("Why, in its words", emergencyGrounds);
  }
  await write("Authority", "Public prosecutor of Elm County");
  await page.getByRole("textbox", { name: "Its country" }).first().fill("DE");
  await write("Its file number", "12 Js 345/26");
  await write("Officer", "K. Brandt");
  await write("Telephone in the request (optional)", "+49 30 1234567");
  await write("Identifier 1", username);
  await page.getByRole("checkbox", { name: /^Subscriber/ }).check();
  await write("Where the answer goes", "Elm County, PO box 7");
  await page.getByRole("button", { name: "Open the request" }).click();
  await page.getByRole("heading", { name: /^Request \d+$/ }).waitFor();
}

/** Verifies who asks, by calling back. */
export async function verify(page: Page): Promise<void> {
  await page.getByRole("textbox", { name: "Number, address or record" }).fill("+49 30 9990");
  await page.getByRole("textbox", { name: "Where that was found" }).fill("The authority’s own page");
  await page.getByRole("textbox", { name: "Who answered" }).fill("Switchboard, then K. Brandt");
  await page.getByRole("button", { name: "It is from whom it says" }).click();
  await page.getByText(/^Verified by /).waitFor();
}
