import { expect, test } from "vitest";
import { openBrowser } from "./testing/chromium.ts";
import { look } from "./testing/look.ts";
import { addAuthenticator } from "./testing/passkeys.ts";
import { createFolder, latchkey, startServerProcess } from "./testing/processes.ts";

test("whoever has the first code makes a passkey, names others, and signs in again; an auditor's browser verifies the record, and sees a head that is gone", async () => {
  using folder = createFolder();
  const data = folder.at("data");
  await using server = await startServerProcess({ data, args: ["--name", "Elm Street"] });
  await using first = await openBrowser({ folder: folder.at("first") });
  const { page } = first;
  await page.goto(`${server.url}/desk`);
  await page.getByRole("heading", { name: "The desk is closed" }).waitFor();

  const begun = await latchkey(["admin", "desk", "start", "Ada", "--data", data, "--json"]);
  expect([begun.status, begun.stderr]).toEqual([0, ""]);
  const link = String(begun.json()[0]?.["link"]);
  await page.goto("about:blank");
  await page.goto(link);
  await addAuthenticator(page);
  await page.getByRole("heading", { name: "Come to the desk" }).waitFor();
  // Its ground is the whole window, and the card stands in the middle of it.
  const [ground, card] = [await page.locator(".welcome").boundingBox(), await page.locator(".welcome-card").boundingBox()];
  const height = page.viewportSize()?.height ?? 0;
  expect([ground?.height, Math.round((card?.y ?? 0) * 2 + (card?.height ?? 0))]).toEqual([height, height]);
  // What lets somebody in does not stay in the address.
  expect(page.url()).toBe(`${server.url}/desk`);
  await look(page, "desk-enrol", { fullPage: true });
  await page.getByRole("button", { name: "Make a passkey" }).click();
  // Whoever begins the desk has every role; nobody has reported anything.
  await page.getByRole("heading", { name: "Cases" }).waitFor();
  await page.getByText("There is nothing here.").waitFor();
  await page.getByRole("link", { name: "Staff" }).click();
  await page.getByRole("heading", { name: "Staff" }).waitFor();

  await page.getByRole("textbox", { name: "Name at the desk" }).fill("Ben");
  const roles = page.getByRole("region", { name: "Name somebody" });
  await roles.getByRole("checkbox", { name: /^Auditor/ }).check();
  await page.getByRole("button", { name: "Make a one-time code" }).click();
  const given = page.getByRole("dialog", { name: "Code for Ben" });
  const code = await given.getByRole("textbox", { name: "One-time code" }).inputValue();
  await given.getByRole("button", { name: "I have handed it over" }).click();
  await page.getByRole("listitem").filter({ hasText: "Ben" }).getByText("has not come yet").waitFor();
  await look(page, "desk-staff", { fullPage: true });

  // Ada's own code is used up: who finds the link afterwards gets nothing by it.
  await using second = await openBrowser({ folder: folder.at("second") });
  await second.page.goto(link);
  await addAuthenticator(second.page);
  await second.page.getByRole("button", { name: "Make a passkey" }).click();
  await second.page.getByText("The code does not count").waitFor();
  await second.page.getByRole("textbox", { name: "One-time code" }).fill(code);
  await second.page.getByRole("button", { name: "Make a passkey" }).click();
  // Ben is an auditor and of the intake: the record is his, the staff is not.
  await second.page.getByRole("link", { name: "Record" }).click();
  await second.page.getByRole("heading", { name: "Record" }).waitFor();
  await second.page.getByText("each follows from the one before").waitFor();
  await second.page.getByText("This browser had seen none of it before").waitFor();
  await second.page.getByText("Ben: passkey made").waitFor();
  expect(await second.page.getByRole("link", { name: "Staff" }).count()).toBe(0);
  await look(second.page, "desk-record", { fullPage: true });
  await second.page.getByRole("button", { name: "Read again" }).click();
  await second.page.getByText("is still there, unchanged").waitFor();

  // Somebody wrote the record anew: the server says nothing of it, and this browser knows.
  await second.page.evaluate(() => {
    localStorage.setItem("latchkey.desk.trail", JSON.stringify({ number: 2, hash: "00" }));
  });
  await second.page.getByRole("button", { name: "Read again" }).click();
  await second.page.getByRole("alert").getByText("Entry 2 is not the one that this browser saw").waitFor();

  // Texts for cases that are alike: what is missing is named, and what is saved is there again.
  await page.getByRole("link", { name: "Saved reasons" }).click();
  await page.getByRole("button", { name: "Write a reason" }).click();
  await page.getByRole("textbox", { name: "What the desk calls it" }).fill("Advertising");
  await page.getByRole("radio", { name: /^Restriction/ }).check();
  await page.getByText("the server does not know who writes there").waitFor();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("alert").getByText("Law or rule").waitFor();
  await page.getByRole("checkbox", { name: /^no tokens/ }).check();
  await page.getByRole("textbox", { name: "Law or rule" }).fill("Terms, no. 3");
  await page.getByRole("textbox", { name: "Why it applies" }).fill("Advertising nobody asked for.");
  await page.getByRole("textbox", { name: "Facts" }).fill("Message 1 advertises.");
  await page.getByRole("combobox", { name: "Category" }).selectOption({ label: "Scams and fraud" });
  await look(page, "desk-reason", { fullPage: true });
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("button", { name: "Change “Advertising”" }).click();
  expect(await page.getByRole("textbox", { name: "Facts" }).inputValue()).toBe("Message 1 advertises.");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("Restriction (no tokens)").waitFor();
  await page.getByRole("link", { name: "Staff" }).click();

  // Signing out, and in again with the passkey alone.
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await page.getByRole("heading", { name: "Staff" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Staff" }).waitFor();

  // Whoever is locked out is out at once.
  const ben = page.getByRole("listitem").filter({ hasText: "Ben" });
  await ben.getByRole("button", { name: "Lock out" }).click();
  await page.getByRole("alertdialog", { name: "Lock out Ben?" }).getByRole("button", { name: "Lock out" }).click();
  await ben.getByText("locked out").waitFor();
  await second.page.getByRole("button", { name: "Read again" }).click();
  await second.page.getByText("You are signed out").waitFor();
  await second.page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await second.page.getByText("The desk does not know this passkey").waitFor();
  await look(second.page, "desk-sign-in", { fullPage: true });
  expect([...first.violations, ...second.violations]).toEqual([]);
});
