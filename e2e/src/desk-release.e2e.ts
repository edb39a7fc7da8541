import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { openBrowser } from "./testing/chromium.ts";
import { look } from "./testing/look.ts";
import { addAuthenticator } from "./testing/passkeys.ts";
import { commandLinePeer, createFolder, latchkey, startServerProcess } from "./testing/processes.ts";
import { comeToRequests, openRequest, verify } from "./testing/request-desk.ts";

test("what is held of an account goes out when two people signed what their own browsers hashed, can be verified without a server, and the person is told", async () => {
  using folder = createFolder();
  const data = folder.at("data");
  await using server = await startServerProcess({ data, args: ["--name", "Elm Street"] });
  const mallory = commandLinePeer({ home: folder.at("mallory"), server: server.url });
  await mallory.run("register", "mallory");
  const begun = await latchkey(["admin", "desk", "start", "Ada", "--data", data, "--json"]);
  await using ada = await openBrowser({ folder: folder.at("ada") });
  const { page } = ada;
  await comeToRequests(page, String(begun.json()[0]?.["link"]));

  await openRequest(page, { username: "mallory" });
  await verify(page);
  await page.getByRole("button", { name: "Look up whether there is such an account" }).click();
  await page.getByText("Account: mallory").waitFor();
  await page.getByRole("button", { name: "Assemble the package" }).click();
  // What does not come is no other package, and is looked at again.
  await page.route("**/desk/api/request-package-file", (route) => route.abort(), { times: 1 });
  await page.getByRole("button", { name: "Look at the package" }).click();
  const late = page.getByRole("alert").filter({ hasText: "Not all of the package came" });
  await late.waitFor();
  await look(page, "requests-package-late", { fullPage: true });
  await late.getByRole("button", { name: "Read again" }).click();
  await page.getByText("What you see is what you sign").waitFor();
  await page.getByRole("button", { name: "Look at", exact: false }).first().click();
  await look(page, "requests-package", { fullPage: true });
  await page.getByRole("button", { name: "Approve with your passkey" }).click();
  await page.getByText("You have approved it. Somebody else has to as well.").waitFor();
  expect(await page.getByRole("button", { name: "Release", exact: true }).count()).toBe(0);

  // Somebody outside sees what goes out, and nothing else.
  await page.getByRole("textbox", { name: "Name of who approves from outside" }).fill("Dr. Rau");
  await page.getByRole("button", { name: "Make a link" }).click();
  const given = page.getByRole("dialog", { name: "Link for Dr. Rau" });
  const link = await given.getByRole("textbox", { name: "Link for approving" }).inputValue();
  await given.getByRole("button", { name: "I have handed it over" }).click();
  await using rau = await openBrowser({ folder: folder.at("rau") });
  await rau.page.goto(link);
  await addAuthenticator(rau.page);
  // The link is used up before anything is read: what does not come then is read again.
  await rau.page.route("**/desk/api/outside-file", (route) => route.abort(), { times: 1 });
  await rau.page.getByRole("button", { name: "Make a passkey and look" }).click();
  await rau.page.getByText("Not all of the package came").waitFor();
  await look(rau.page, "requests-outside-late", { fullPage: true });
  await rau.page.getByRole("button", { name: "Read again" }).click();
  await rau.page.getByText("What you see is what you sign").waitFor();
  // What lets somebody in does not stay in the address.
  expect(rau.page.url()).toBe(`${server.url}/desk`);
  await look(rau.page, "requests-outside", { fullPage: true });
  await rau.page.getByRole("button", { name: "Approve with the passkey" }).click();
  await rau.page.getByText("The desk sees it.").waitFor();
  // The link is used up.
  await rau.page.goto("about:blank");
  await rau.page.goto(link);
  await rau.page.getByText("The link does not count").waitFor();

  await page.getByRole("button", { name: "Read again" }).click();
  await page.getByText("Approved by one person of the desk and one from outside.").waitFor();
  await page.getByRole("button", { name: "Release", exact: true }).click();
  await page.getByRole("alertdialog", { name: "Release request 1?" }).getByRole("button", { name: "Release" }).click();
  await page.getByText(/^Released by Ada/).waitFor();
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download the package" }).click()]);
  const zip = folder.at("release.zip");
  await file.saveAs(zip);
  const verified = await latchkey(["verify-release", zip, "--json"]);
  expect([verified.status, verified.stderr]).toEqual([0, ""]);

  const notice = page.getByRole("region", { name: "Telling the person" });
  await notice.getByText("This server tells the person").waitFor();
  const readAgain = async (): Promise<number> => {
    await page.getByRole("button", { name: "Read again" }).click();
    return await notice.getByText("It was sent, encrypted.").count();
  };
  await expect.poll(readAgain, { interval: 1000 }).toBe(1);
  await look(page, "requests-released", { fullPage: true });
  expect([...ada.violations, ...rau.violations]).toEqual([]);
});

test("who works alone at the desk waits a day, sees how long, and gets nothing out before; two of the desk release from intake in under three minutes of clicking", async () => {
  using folder = createFolder();
  const data = folder.at("data");
  await using server = await startServerProcess({ data, args: ["--name", "Elm Street"] });
  await commandLinePeer({ home: folder.at("mallory"), server: server.url }).run("register", "mallory");
  const begun = await latchkey(["admin", "desk", "start", "Ada", "--data", data, "--json"]);
  await using ada = await openBrowser({ folder: folder.at("ada") });
  const { page } = ada;
  await comeToRequests(page, String(begun.json()[0]?.["link"]));
  const approve = async (of: Page): Promise<void> => {
    await of.getByRole("button", { name: "Look at the package" }).click();
    await of.getByRole("button", { name: "Approve with your passkey" }).click();
  };
  const toApproval = async (): Promise<void> => {
    await openRequest(page, { username: "mallory" });
    await verify(page);
    await page.getByRole("button", { name: "Look up whether there is such an account" }).click();
    await page.getByRole("button", { name: "Assemble the package" }).click();
    await approve(page);
    await page.getByText("You have approved it. Somebody else has to as well.").waitFor();
  };

  // Alone.
  await toApproval();
  await page.getByRole("button", { name: "Wait a day instead" }).click();
  await page.getByText(/One person approved.*left/).waitFor();
  await page.getByText("The wait of a day is not over.").waitFor();
  expect(await page.getByRole("button", { name: "Release", exact: true }).count()).toBe(0);
  await look(page, "requests-wait", { fullPage: true });

  // A colleague comes.
  await page.getByRole("link", { name: "Staff" }).click();
  await page.getByRole("textbox", { name: "Name at the desk" }).fill("Ben");
  await page
    .getByRole("region", { name: "Name somebody" })
    .getByRole("checkbox", { name: /^Reviewer/ })
    .check();
  await page.getByRole("button", { name: "Make a one-time code" }).click();
  const given = page.getByRole("dialog", { name: "Code for Ben" });
  await given.getByRole("button", { name: "I have handed it over" }).click();
  // Whoever runs the machine stands for him as well, so that he has no day to wait.
  const code = await latchkey(["admin", "desk", "code", "Ben", "--data", data, "--json"]);
  await using ben = await openBrowser({ folder: folder.at("ben") });
  await comeToRequests(ben.page, String(code.json()[0]?.["link"]));

  await page.getByRole("link", { name: "Requests", exact: true }).click();
  const fromMs = performance.now();
  await toApproval();
  await ben.page.getByRole("button", { name: "Read again" }).click();
  await ben.page.getByRole("link", { name: /^Request 2/ }).click();
  await approve(ben.page);
  await ben.page.getByText("Approved by two people of the desk.").waitFor();
  await ben.page.getByRole("button", { name: "Release", exact: true }).click();
  await ben.page.getByRole("alertdialog").getByRole("button", { name: "Release" }).click();
  await ben.page.getByText(/^Released by Ben/).waitFor();
  const tookMs = performance.now() - fromMs;
  process.stdout.write(`intake to release: ${(tookMs / 1000).toFixed(1)} s\n`);
  expect(tookMs).toBeLessThan(180_000);
  expect([...ada.violations, ...ben.violations]).toEqual([]);
});
