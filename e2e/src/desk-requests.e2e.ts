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

/** A European order as the interface of ETSI TS 103 120 has it, with one element that no desk knows. */
const order = `<?xml version="1.0" encoding="UTF-8"?>
<HI1Message xmlns="urn:c" xmlns:common="urn:c" xmlns:auth="urn:a" xmlns:task="urn:t" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <Header><Sender><CountryCode>DE</CountryCode><UniqueIdentifier>sta</UniqueIdentifier></Sender><Timestamp>2026-10-20T08:00:00Z</Timestamp></Header>
  <Payload><RequestPayload><ActionRequests><CREATE><ActionIdentifier>0</ActionIdentifier><HI1Object xsi:type="auth:AuthorisationObject">
    <auth:AuthorisationReference>241 Js 100/26</auth:AuthorisationReference>
    <auth:AuthorisationLegalType><common:Owner>ETSI</common:Owner><common:Name>EPOCLegalType</common:Name><common:Value>EPOC</common:Value></auth:AuthorisationLegalType>
    <auth:Unheard>of tomorrow</auth:Unheard>
  </HI1Object></CREATE></ActionRequests></RequestPayload></Payload>
</HI1Message>`;

test("an order that comes as XML is a draft, what was not understood of it stands first; an emergency is called back, and followed up", async () => {
  using folder = createFolder();
  const data = folder.at("data");
  await using _server = await startServerProcess({ data, args: ["--name", "Elm Street"] });
  const begun = await latchkey(["admin", "desk", "start", "Ada", "--data", data, "--json"]);
  await using ada = await openBrowser({ folder: folder.at("ada") });
  const { page } = ada;
  await comeToRequests(page, String(begun.json()[0]?.["link"]));

  await page.getByRole("link", { name: "New request" }).click();
  const file = (text: string) => ({ name: "order.xml", mimeType: "application/xml", buffer: Buffer.from(text) });
  await page.locator("input[type=file]").setInputFiles(file('<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'));
  await page.getByRole("heading", { name: "Nothing of the file was read" }).waitFor();
  await page.locator("input[type=file]").setInputFiles(file(order));
  await page.getByRole("heading", { name: /not understood$/ }).waitFor();
  await page.getByText("of tomorrow").waitFor();
  await look(page, "requests-import", { fullPage: true });
  expect(await page.getByRole("textbox", { name: "Its file number" }).inputValue()).toBe("241 Js 100/26");
  await page.getByRole("link", { name: "All requests" }).click();
  await page.getByText("There is no request here.").waitFor();

  await openRequest(page, { username: "nobody", emergencyGrounds: "A child is missing." });
  await page.getByText("somebody has to be spoken with").waitFor();
  await verify(page);
  await page.getByRole("region", { name: "To do" }).getByText("Follow up the emergency").waitFor();
  await page.getByRole("button", { name: "It is done" }).click();
  await page.getByRole("textbox", { name: "What was found" }).fill("The child was found; the unit confirmed it.");
  await page.getByRole("button", { name: "It is done" }).click();
  await page.getByText("Followed up, Ada").waitFor();
  // Whom nobody knows is an answer.
  await page.getByRole("button", { name: "Look up whether there is such an account" }).click();
  await page.getByText("There is no such account now.").waitFor();
  await look(page, "requests-emergency", { fullPage: true });
  expect(ada.violations).toEqual([]);
});
