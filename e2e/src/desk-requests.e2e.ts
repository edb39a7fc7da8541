import { expect, test } from "vitest";
import { openBrowser } from "./testing/chromium.ts";
import { look } from "./testing/look.ts";
import { commandLinePeer, createFolder, latchkey, startServerProcess } from "./testing/processes.ts";
import { comeToRequests, openRequest, verify } from "./testing/request-desk.ts";

test("a request is written down, verified by a number that does not stand in it, looked up only then, narrowed and answered by letters and files", async () => {
  using folder = createFolder();
  const data = folder.at("data");
  await using server = await startServerProcess({ data, args: ["--name", "Elm Street"] });
  const begun = await latchkey(["admin", "desk", "start", "Ada", "--data", data, "--json"]);
  await using ada = await openBrowser({ folder: folder.at("ada") });
  await commandLinePeer({ home: folder.at("mallory"), server: server.url }).run("register", "mallory");
  const { page } = ada;
  await comeToRequests(page, String(begun.json()[0]?.["link"]));
  await page.getByText("There is no request here.").waitFor();
  await look(page, "requests-empty");

  // What a type means stands there before anything is written down, and what is missing is named.
  await page.getByRole("link", { name: "New request" }).click();
  await page.getByRole("combobox", { name: "Type" }).selectOption({ label: "European Production Order" });
  await page.getByText("A copy of what is held is preserved as soon as you open it.").waitFor();
  await page.getByRole("button", { name: "Open the request" }).click();
  await page.getByRole("alert").getByText("Authority").waitFor();
  await look(page, "requests-intake", { fullPage: true });
  await page.getByRole("link", { name: "All requests" }).click();

  await openRequest(page, { username: "mallory" });
  await page.getByText("First verify who asks.").first().waitFor();
  await look(page, "requests-received", { fullPage: true });
  // A number that stands in the request verifies nothing.
  await page.getByRole("textbox", { name: "Number, address or record" }).fill("030 1234567");
  await page.getByRole("textbox", { name: "Where that was found" }).fill("The letter");
  await page.getByRole("textbox", { name: "Who answered" }).fill("Somebody");
  await page.getByRole("button", { name: "It is from whom it says" }).click();
  await page.getByText("That stands in the request itself.").waitFor();
  await verify(page);

  await page.getByRole("button", { name: "Look up whether there is such an account" }).click();
  await page.getByText("Account: mallory").waitFor();

  await page.getByRole("button", { name: "Write a letter" }).click();
  await page.getByRole("button", { name: "See what it would say" }).click();
  await page.getByText("12 Js 345/26").first().waitFor();
  await look(page, "requests-letter", { fullPage: true });
  await page.getByRole("button", { name: "Write it like this" }).click();
  const [pdf] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download “Acknowledgement” as PDF" }).click(),
  ]);
  expect(pdf.suggestedFilename()).toBe("request-1-letter-1-acknowledgement.pdf");

  // More than a part of it.
  await page
    .getByRole("region", { name: "Files" })
    .locator("input[type=file]")
    .setInputFiles({
      name: "order.pdf",
      mimeType: "application/pdf",
      buffer: Buffer.alloc(1_200_000, 7),
    });
  await page.getByRole("link", { name: "order.pdf" }).waitFor();
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "order.pdf" }).click()]);
  expect(file.suggestedFilename()).toBe("order.pdf");

  await page.getByText("Narrow it").first().click();
  const narrow = page.getByRole("region", { name: "What else can be done" });
  await narrow.getByRole("textbox", { name: "In your own words" }).first().fill("Only the subscriber.");
  await narrow.getByRole("button", { name: "Narrow it" }).click();
  await page.getByText("narrowed", { exact: true }).waitFor();
  await look(page, "requests-page", { fullPage: true });
  await page.getByRole("link", { name: "All requests" }).click();
  await page.getByRole("link", { name: /^Request 1/ }).waitFor();
  await look(page, "requests-queue");
  await page.getByRole("link", { name: "Types of requests" }).click();
  await page.getByText("was not checked against the law").or(page.getByText("were not checked against the law")).waitFor();
  await look(page, "requests-types", { fullPage: true });
  expect(ada.violations).toEqual([]);
});
