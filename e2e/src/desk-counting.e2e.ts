import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { openBrowser } from "./testing/chromium.ts";
import { look } from "./testing/look.ts";
import { commandLinePeer, createFolder, latchkey, startServerProcess } from "./testing/processes.ts";
import { comeToRequests } from "./testing/request-desk.ts";

/** Asks the desk as its page does. */
async function ask(page: Page, operation: string, input: object): Promise<Record<string, unknown>> {
  const answer = await page.evaluate(async ([name, body]) => await (await fetch(`/desk/api/${name}`, { method: "POST", body })).text(), [
    operation,
    JSON.stringify(input),
  ] as const);
  const read = JSON.parse(answer) as Record<string, unknown>;
  if ("code" in read) throw new Error(`${operation}: ${answer}`);
  return read;
}

interface Shown {
  readonly request: { readonly number: number; readonly revision: number };
}

/** A request that is verified and looked up, written down without the form. */
async function request(page: Page, parts: object): Promise<Shown["request"]> {
  const intake = {
    receivedAtMs: Date.now() - 1000,
    channel: "post",
    authority: { name: "County Court", country: "US", reference: "2026-77" },
    officer: { name: "J. Doe" },
    addressee: "Elm Street",
    legalBasis: "18 USC 2703",
    language: "en",
    isEmergency: false,
    identifiers: [{ kind: "username", value: "mallory" }],
    categories: ["subscriber"],
    secrecy: { kind: "none" },
    deliverTo: "County Court",
    ...parts,
  };
  const opened = (await ask(page, "request-open", { intake })) as unknown as Shown;
  const { number, revision } = opened.request;
  const verification = { how: "call-back", contact: "+1 202 555 0100", foundIn: "The court's page", answeredBy: "Clerk" };
  const verified = (await ask(page, "request-verify", { number, revision, verification })) as unknown as Shown;
  const found = (await ask(page, "request-identify", { number, revision: verified.request.revision, place: 1 })) as unknown as Shown;
  return found.request;
}

test("an administrator chooses how it is counted, clears a sealed case and seals one for good; whom they alone let in waits a day; a kept copy is chosen for the request that follows", async () => {
  using folder = createFolder();
  const data = folder.at("data");
  await using server = await startServerProcess({ data, args: ["--name", "Elm Street"] });
  await commandLinePeer({ home: folder.at("mallory"), server: server.url }).run("register", "mallory");
  const begun = await latchkey(["admin", "desk", "start", "Ada", "--data", data, "--json"]);
  await using ada = await openBrowser({ folder: folder.at("ada") });
  const { page } = ada;
  await comeToRequests(page, String(begun.json()[0]?.["link"]));
  const reviewDay = new Date(Date.now() + 40 * 86_400_000).toISOString().slice(0, 10);
  const preserved = await request(page, { type: "us-preservation", secrecy: { kind: "open", reviewDay, basis: "2705(b)" } });
  await ask(page, "request-preserve", { number: preserved.number, revision: preserved.revision });
  await request(page, { type: "us-court-order" });

  await page.getByRole("link", { name: "Counting" }).click();
  await page.getByRole("heading", { name: "Counting", level: 1 }).waitFor();
  await page.getByText("Request 1").first().waitFor();
  await page.getByRole("textbox", { name: "Of them sealed" }).fill("9");
  await page.getByRole("button", { name: "Choose this" }).click();
  await page.getByText("This number cannot be.").waitFor();
  await page.getByRole("textbox", { name: "Of them sealed" }).fill("3");
  await page.getByText("552 in each half-year, whatever there was.").waitFor();
  await page.getByRole("combobox", { name: "National-security orders" }).selectOption({ label: "0 to 249 in a half-year" });
  await page.getByRole("button", { name: "Choose this" }).click();
  await page.getByText("This is chosen.").waitFor();
  await page.getByRole("button", { name: "Request 1: the secrecy ended" }).first().click();
  await page.getByRole("textbox", { name: "Which document ended it" }).fill("Order of the County Court of 1 March 2027");
  await look(page, "desk-counting", { fullPage: true });
  await page.getByRole("button", { name: "Clear for the next opening" }).click();
  await page.getByText(/says Ada/).waitFor();
  await page.getByRole("button", { name: "Request 1: seal for good" }).last().click();
  await page.getByRole("alertdialog", { name: "Seal Request 1 for good?" }).getByRole("button", { name: "Seal for good" }).click();
  await page.getByText("Sealed for good:").waitFor();
  await look(page, "desk-counting-cleared", { fullPage: true });

  await page.getByRole("link", { name: "Requests", exact: true }).click();
  await page.getByRole("link", { name: /^Request 2/ }).click();
  await page.getByRole("combobox", { name: "Of what" }).selectOption({ label: "The copy kept for request 1: County Court, 2026-77" });
  await page.getByText(/^mallory: made/).waitFor();
  await look(page, "requests-kept-copy", { fullPage: true });
  await page.getByRole("button", { name: "Assemble the package" }).click();
  await page.getByText("With the copy that was kept for request 1.").waitFor();
  await page.getByRole("button", { name: "Look at the package" }).click();
  await page.getByText("What you see is what you sign").waitFor();
  await page.getByText(/was held then and is not in the copy/).waitFor();
  await look(page, "requests-kept-package", { fullPage: true });

  await page.getByRole("link", { name: "Staff" }).click();
  await page.getByRole("textbox", { name: "Name at the desk" }).fill("Ben");
  const roles = page.getByRole("region", { name: "Name somebody" });
  await roles.getByRole("checkbox", { name: /^Reviewer/ }).check();
  await roles.getByText("It takes your passkey.").waitFor();
  await page.getByRole("button", { name: "Make a one-time code" }).click();
  const given = page.getByRole("dialog", { name: "Code for Ben" });
  const link = await given.getByRole("textbox", { name: "Link with the code" }).inputValue();
  await given.getByRole("button", { name: "I have handed it over" }).click();
  await using ben = await openBrowser({ folder: folder.at("ben") });
  await comeToRequests(ben.page, link);
  await ben.page.getByRole("link", { name: /^Request 2/ }).click();
  await ben.page.getByText("One administrator alone has let you in").waitFor();
  await page.getByRole("link", { name: "Record" }).click();
  await page.getByRole("link", { name: "Staff" }).click();
  const one = page.getByRole("listitem").filter({ hasText: "Ben" });
  await one.getByText("Let in by one administrator alone").waitFor();
  await look(page, "desk-staff-new", { fullPage: true });
  // Whoever let somebody in is no second one.
  await one.getByRole("button", { name: "Confirm" }).click();
  await page.getByRole("alertdialog", { name: "Is it really Ben?" }).getByRole("button", { name: "Confirm" }).click();
  await page.getByText("somebody else", { exact: false }).first().waitFor();
  expect([...ada.violations, ...ben.violations]).toEqual([]);
});
