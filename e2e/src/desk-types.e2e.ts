import { expect, test } from "vitest";
import { openBrowser } from "./testing/chromium.ts";
import { look } from "./testing/look.ts";
import { commandLinePeer, createFolder, latchkey, startServerProcess } from "./testing/processes.ts";
import { comeToRequests, openRequest, verify } from "./testing/request-desk.ts";

const national = "Order of an authority by national law";

test("a row of the table is the operator's to change, and counts for requests that come from then on; a copy is preserved, extended and ended; what may not be answered is refused, with its letter", async () => {
  using folder = createFolder();
  const data = folder.at("data");
  await using server = await startServerProcess({ data, args: ["--name", "Elm Street"] });
  const begun = await latchkey(["admin", "desk", "start", "Ada", "--data", data, "--json"]);
  await using ada = await openBrowser({ folder: folder.at("ada") });
  await commandLinePeer({ home: folder.at("mallory"), server: server.url }).run("register", "mallory");
  const { page } = ada;
  await comeToRequests(page, String(begun.json()[0]?.["link"]));

  await page.getByRole("link", { name: "Types of requests" }).click();
  await page.getByRole("button", { name: `Change “${national}”` }).click();
  const field = (name: string) => page.getByRole("textbox", { name, exact: true });
  await field("Answer within").fill("ten days");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("alert").getByText("Something here cannot be").waitFor();
  await field("Answer within").fill("P9D");
  await page.getByRole("checkbox", { name: "A copy is kept", exact: true }).check();
  await field("Copy is kept").fill("P30D");
  await field("Extension").fill("P30D");
  await page.getByLabel("How often it is extended at most").fill("1");
  await page.getByRole("button", { name: "Save" }).click();
  const row = page.getByRole("listitem").filter({ hasText: national });
  await row.getByText(/^changed by Ada/).waitFor();
  await row
    .getByText(/9 days/)
    .first()
    .waitFor();
  await look(page, "types-changed", { fullPage: true });

  await page.getByRole("link", { name: "Requests", exact: true }).click();
  await openRequest(page, { username: "mallory" });
  await look(page, "requests-by-changed-row", { fullPage: true });
  await page.getByRole("region", { name: "Times" }).getByText("Answer by").first().waitFor();

  const copy = page.getByRole("region", { name: "Preserved copy" });
  await copy.getByText("First verify who asks.").waitFor();
  await verify(page);
  await copy.getByRole("button", { name: "Preserve a copy now" }).click();
  await copy.getByText("A copy is kept, sealed.").waitFor();
  await copy.getByRole("button", { name: "Extend" }).click();
  await copy.getByRole("textbox", { name: "In your own words" }).fill("Their letter of today, received by mail.");
  await copy.getByRole("button", { name: "Extend" }).click();
  await copy.getByText("once", { exact: true }).waitFor();
  await look(page, "requests-preserved", { fullPage: true });
  await copy.getByRole("button", { name: "End it now" }).click();
  await copy.getByRole("textbox", { name: "In your own words" }).fill("They withdrew the order.");
  await copy.getByRole("button", { name: "End it now" }).click();
  await copy.getByText("No copy is kept any more.").waitFor();

  await page.getByText("Refuse it").first().click();
  const other = page.getByRole("region", { name: "What else can be done" });
  const refuse = other.getByRole("button", { name: "Refuse it" });
  expect(await refuse.isDisabled()).toBe(true);
  await other.getByRole("combobox", { name: "Reason" }).selectOption({ label: "It was withdrawn" });
  await other.getByRole("textbox", { name: "In your own words" }).fill("Withdrawn by their letter of today.");
  await refuse.click();
  await page.getByText("refused", { exact: true }).first().waitFor();
  await page.getByRole("button", { name: "Write a letter" }).click();
  await page.getByRole("button", { name: "See what it would say" }).click();
  await page.locator("pre").getByText("Withdrawn by their letter of today.").waitFor();
  await look(page, "requests-refused", { fullPage: true });

  // The row as it came is a button away; what was opened meanwhile keeps what it went by.
  await page.getByRole("link", { name: "All requests" }).click();
  await page.getByRole("link", { name: "Types of requests" }).click();
  await page.getByRole("button", { name: `As it came: “${national}”` }).click();
  await row.getByText(/^changed by Ada/).waitFor({ state: "detached" });
  expect(ada.violations).toEqual([]);
});
