import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import {
  acceptRequest,
  chooseAction,
  createAccount,
  messageBox,
  messagesWith,
  seeMessage,
  seeTaken,
  sendMessage,
  startConversation,
} from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import { look } from "./testing/look.ts";
import { addAuthenticator } from "./testing/passkeys.ts";
import { createFolder, latchkey, startServerProcess } from "./testing/processes.ts";

/** Sends a picture that the browser makes, with a word. */
async function sendPicture(page: Page, word: string): Promise<void> {
  const bytes = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(640, 480);
    const context = canvas.getContext("2d");
    if (context === null) throw new Error("no canvas");
    for (let at = 0; at < 48; at++) {
      context.fillStyle = `hsl(${at * 40} 70% 50%)`;
      context.fillRect((at % 8) * 80, Math.floor(at / 8) * 80, 80, 80);
    }
    return Array.from(new Uint8Array(await (await canvas.convertToBlob({ type: "image/jpeg" })).arrayBuffer()));
  });
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Attach a file", exact: true }).click();
  await (await chooser).setFiles({ name: "house.jpg", mimeType: "image/jpeg", buffer: Buffer.from(bytes) });
  const tray = page.getByRole("region", { name: "Files to send", exact: true });
  await tray
    .getByRole("button", { name: /, [0-9]/u })
    .first()
    .waitFor();
  await messageBox(page).fill(word);
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await seeTaken(page, word);
}

/** Comes to the desk with a code, by its link. */
async function comeToDesk(page: Page, link: string): Promise<void> {
  await page.goto(link);
  await addAuthenticator(page);
  await page.getByRole("button", { name: "Make a passkey" }).click();
  await page.getByRole("heading", { name: "Cases" }).waitFor();
}

test("what somebody reports is read at the desk, decided, told to whom it is about with its reasons, appealed and decided by somebody else; both sides see what became of it", async () => {
  using folder = createFolder();
  const data = folder.at("data");
  await using server = await startServerProcess({ data, args: ["--name", "Elm Street"] });
  const { url } = server;
  const begun = await latchkey(["admin", "desk", "start", "Ada", "--data", data, "--json"]);
  await using ada = await openBrowser({ folder: folder.at("ada") });
  await comeToDesk(ada.page, String(begun.json()[0]?.["link"]));

  await using mallory = await openBrowser({ folder: folder.at("mallory") });
  await using ann = await openBrowser({ folder: folder.at("ann") });
  await createAccount(mallory.page, { url, username: "mallory" });
  await createAccount(ann.page, { url, username: "ann" });
  await startConversation(mallory.page, { to: ["ann"] });
  await sendMessage(mallory.page, "Hello Ann");
  await sendMessage(mallory.page, "Send me money, or else");
  await seeTaken(mallory.page, "Send me money, or else");
  await acceptRequest(ann.page, "mallory");
  await seeMessage(ann.page, "Send me money, or else");
  await sendPicture(mallory.page, "This is your house");
  await seeMessage(ann.page, "This is your house");

  // Ann reports, and sees each line that will be disclosed before it is.
  await chooseAction(ann.page, messagesWith(ann.page, "Send me money, or else"), "Report to the operator");
  const dialog = ann.page.getByRole("dialog", { name: "Report mallory" });
  await dialog.getByRole("combobox", { name: "What it is about" }).selectOption({ label: "Threat" });
  await dialog.getByRole("combobox", { name: "Whether this is shown: Hello Ann" }).selectOption({ label: "Show it beside" });
  await dialog.getByRole("combobox", { name: "Whether this is shown: This is your house" }).selectOption({ label: "I complain of it" });
  await dialog.getByRole("textbox", { name: "In your own words" }).fill("I do not know this person.");
  await look(ann.page, "report");
  await dialog.getByRole("button", { name: "See what will be disclosed" }).click();
  const disclosed = ann.page.getByRole("dialog", { name: "What will be disclosed" });
  await disclosed.getByText("Send me money, or else").waitFor();
  await disclosed.getByText("Hello Ann").waitFor();
  await disclosed.getByText("They learn that it is you who reports.").waitFor();
  // What is in the picture goes along because she chooses it, and she sees what goes.
  await disclosed.getByRole("checkbox", { name: /^Send along: /u }).check();
  await disclosed.getByText("The signed message opens it").waitFor();
  await disclosed
    .getByRole("button", { name: /^Open Picture|^Open: |^Open/u })
    .first()
    .waitFor();
  await look(ann.page, "report-disclosed");
  await disclosed.getByRole("button", { name: "Leave out: Hello Ann" }).click();
  await disclosed.getByText("Hello Ann").waitFor({ state: "detached" });
  await disclosed.getByRole("button", { name: "Send the report" }).click();
  await ann.page.getByText("The report is on its way").waitFor();

  // At the desk it is a case, with what is proved of it.
  const theCase = ada.page.getByRole("link", { name: /^Case 1/ });
  const askAgain = async (): Promise<number> => {
    await ada.page.getByRole("button", { name: "Read again" }).click();
    return await theCase.count();
  };
  // It waits for its token first.
  await expect.poll(askAgain, { interval: 500 }).toBe(1);
  await theCase.click();
  await ada.page.getByText("mallory@").waitFor();
  await ada.page.getByText("Send me money, or else").waitFor();
  await ada.page.getByText("I do not know this person.").waitFor();
  await ada.page.getByText("Proved: exactly these words were signed").first().waitFor();
  await ada.page.getByText("1 message of mallory (whom it is about) before this one is not shown").first().waitFor();
  expect(await ada.page.getByText("Hello Ann").count()).toBe(0);
  // The picture of the message, blurred until somebody wants to see it clearly.
  await ada.page.getByText("proved to be the file of the message").waitFor();
  await ada.page.getByRole("button", { name: "Show the picture" }).click();
  const picture = ada.page.getByRole("img", { name: "Picture 1 of the case" });
  await picture.waitFor();
  await expect.poll(() => picture.evaluate((image) => getComputedStyle(image).filter)).toContain("blur");
  expect(await picture.evaluate((image: HTMLImageElement) => image.decode().then(() => image.naturalWidth))).toBe(640);
  await look(ada.page, "desk-case");
  const late = await ada.context.newPage();
  await late.goto(`${url}/desk#cases/1`);
  await late.getByText("Send me money, or else").waitFor();
  await ada.page.getByRole("button", { name: "Decide" }).click();
  await ada.page.getByRole("radio", { name: /^Restriction/ }).check();
  await ada.page.getByRole("checkbox", { name: /^not found by name/ }).check();
  await ada.page.getByRole("textbox", { name: "Law or rule" }).fill("Terms of use, no. 2");
  await ada.page.getByRole("textbox", { name: "Why it applies" }).fill("Threats are not allowed.");
  await ada.page.getByRole("textbox", { name: "Facts" }).fill("Message 1 demands money under a threat.");
  await ada.page.getByRole("combobox", { name: "Category" }).selectOption({ label: "Scams and fraud" });
  await ada.page.getByRole("textbox", { name: "To those who reported" }).fill("Thank you for telling us.");
  await ada.page.getByRole("button", { name: "Decide", exact: true }).click();
  await ada.page.getByRole("alertdialog").getByRole("button", { name: "Decide" }).click();
  await ada.page.getByText("Both sides may appeal until").waitFor();

  // A colleague who had read it before comes too late, and nothing is decided twice.
  await late.getByRole("button", { name: "Decide", exact: true }).click();
  const unfounded = late.getByRole("group", { name: "Manifestly unfounded reports" }).getByRole("checkbox");
  await unfounded.check();
  await look(late, "desk-unfounded", { fullPage: true });
  await unfounded.uncheck();
  await late.getByRole("textbox", { name: "Facts" }).fill("Nothing is wrong with it.");
  await late.getByRole("combobox", { name: "Category" }).selectOption({ label: "Self-harm" });
  await late.getByRole("button", { name: "Decide", exact: true }).click();
  await late.getByRole("alertdialog").getByRole("button", { name: "Decide" }).click();
  await late.getByText("Somebody else changed it meanwhile.").waitFor();
  expect(await late.getByText("Nothing is wrong with it.").count()).toBe(0);
  await late.close();

  // Mallory is told, with the reasons, and appeals.
  await mallory.page.getByText("Whoever runs your server has something to tell you about your account.").waitFor();
  await look(mallory.page, "notice-line");
  await mallory.page.getByRole("button", { name: "Read it" }).click();
  await mallory.page.getByRole("heading", { name: "Your account was restricted" }).waitFor();
  await mallory.page.getByText("Message 1 demands money under a threat.").waitFor();
  await mallory.page.getByText("you are not found by your name").waitFor();
  // The message that it rests on is this device's own copy: the desk sends none back.
  await mallory.page.getByText("It rests on these 2 messages").waitFor();
  await mallory.page.getByRole("main").getByText("Send me money, or else").waitFor();
  await look(mallory.page, "notice");
  await mallory.page.getByRole("button", { name: "Appeal" }).click();
  const appeal = mallory.page.getByRole("dialog", { name: "Appeal against the decision" });
  await appeal.getByRole("textbox", { name: "Why the decision is wrong" }).fill("It was a quotation.");
  await appeal.getByRole("button", { name: "Send the appeal" }).click();
  await mallory.page.getByText("The appeal is on its way.").waitFor();

  // Whoever decided does not decide the appeal; somebody else does.
  await ada.page.getByRole("link", { name: "Staff" }).click();
  await ada.page.getByRole("textbox", { name: "Name at the desk" }).fill("Rita");
  const roles = ada.page.getByRole("region", { name: "Name somebody" });
  await roles.getByRole("checkbox", { name: /^Intake/ }).uncheck();
  await roles.getByRole("checkbox", { name: /^Reviewer/ }).check();
  await ada.page.getByRole("button", { name: "Make a one-time code" }).click();
  const given = ada.page.getByRole("dialog", { name: "Code for Rita" });
  const link = await given.getByRole("textbox", { name: "Link with the code" }).inputValue();
  await given.getByRole("button", { name: "I have handed it over" }).click();
  await ada.page.getByRole("link", { name: "Cases" }).click();
  await ada.page.getByRole("radio", { name: "Appeals" }).check({ force: true });
  await ada.page.getByRole("link", { name: /^Case 1/ }).click();
  await ada.page.getByText("It was a quotation.").waitFor();
  await ada.page.getByText("A reviewer decides it who did not make the decision.").waitFor();

  await using rita = await openBrowser({ folder: folder.at("rita") });
  await comeToDesk(rita.page, link);
  await rita.page.getByRole("radio", { name: "Appeals" }).check({ force: true });
  await rita.page.getByRole("link", { name: /^Case 1/ }).click();
  await rita.page.getByRole("radio", { name: /^The decision falls/ }).check();
  await rita.page.getByRole("textbox", { name: "Why" }).fill("The line before shows that it was one.");
  await rita.page.getByRole("button", { name: "Answer the appeal" }).click();
  await rita.page.getByText("reversed").first().waitFor();

  await mallory.page.getByRole("button", { name: "Ask again" }).click();
  await mallory.page.getByText("Appeal: the decision does not hold any more").first().waitFor();
  await mallory.page.getByText("The line before shows that it was one.").first().waitFor();

  // Ann sees what became of her report, and nothing of what was done to whom.
  await ann.page.goto(`${url}/settings/reports`);
  await ann.page.getByText("About mallory").waitFor();
  await ann.page.getByText("Appeal: the decision does not hold any more").waitFor();
  await look(ann.page, "reports");
  expect([...ada.violations, ...rita.violations, ...ann.violations, ...mallory.violations]).toEqual([]);
}, 600_000);
