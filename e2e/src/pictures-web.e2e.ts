import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { greyJpeg } from "@latchkey/client/testing";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { conversationLink, createAccount, messagesWith, seeMessage, sendMessage, startConversation } from "./testing/app.ts";
import { openBrowser, viewports } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { joinedConversation, registerPerson, sendAndWait } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

/** Where a picture of each page goes; none is made without. */
const pictures = process.env["E2E_PICTURES"];

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let page: Page;
let ben: TestPerson;
let cyd: TestPerson;
let dan: TestPerson;
let conversationId = "";

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ada = await openBrowser({ folder: folder.at("ada") });
  ({ page } = ada);
  await createAccount(page, { url: server.url, username: "ada" });
  await page.getByRole("button", { name: "Later", exact: true }).click();
  ben = await registerPerson({ home: folder.at("ben"), server: server.url, username: "ben", displayName: "Ben Okafor" });
  cyd = await registerPerson({ home: folder.at("cyd"), server: server.url, username: "cyd", displayName: "Cyd" });
  dan = await registerPerson({ home: folder.at("dan"), server: server.url, username: "dan", displayName: "Dan" });
  await startConversation(page, { to: ["ben", "cyd"], groupName: "Allotment" });
  await sendMessage(page, "Who has the key?");
  ({ id: conversationId } = await joinedConversation(ben.client, "Allotment"));
  await sendAndWait(ben.client, conversationId, "I have it");
  await seeMessage(page, "I have it");
});

afterAll(async () => {
  await ben[Symbol.asyncDispose]();
  await cyd[Symbol.asyncDispose]();
  await dan[Symbol.asyncDispose]();
  await ada[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function shoot(name: string): Promise<void> {
  if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}.png`) });
}

/** A photograph that is no square, as the browser draws one, with a round thing in it. */
async function drawnPhoto(): Promise<Buffer> {
  const url = await page.evaluate(() => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [900, 600];
    const context = canvas.getContext("2d");
    if (context === null) throw new Error("no canvas");
    const sky = context.createLinearGradient(0, 0, 0, 600);
    sky.addColorStop(0, "#7fb5e6");
    sky.addColorStop(1, "#f2c879");
    context.fillStyle = sky;
    context.fillRect(0, 0, 900, 600);
    context.fillStyle = "#5a3b28";
    context.beginPath();
    context.arc(450, 300, 150, 0, 7);
    context.fill();
    return canvas.toDataURL("image/png");
  });
  return Buffer.from(url.slice(url.indexOf(",") + 1), "base64");
}

/** Waits until a picture is drawn in there, whole. */
async function seePicture(place: Locator): Promise<void> {
  const image = place.locator("img.avatar").first();
  await image.waitFor();
  await expect.poll(() => image.evaluate((one) => (one as HTMLImageElement).naturalWidth)).toBeGreaterThan(0);
}

const inList = (): Locator => page.getByRole("list", { name: "Conversations", exact: true }).getByRole("listitem").first();

const openGroup = async (): Promise<void> => {
  await page.goto(server.url);
  await conversationLink(page, "Allotment").first().click();
  await seeMessage(page, "I have it");
};

describe("[X-21] pictures in the app", () => {
  test("one's own is chosen, cropped by mouse and keys, seen by the others, and taken away again", async () => {
    await page.goto(`${server.url}/settings/profile`);
    const chosen = page.waitForEvent("filechooser");
    await page.getByRole("button", { name: "Choose a picture" }).click();
    await (await chosen).setFiles({ name: "holiday.png", mimeType: "image/png", buffer: await drawnPhoto() });
    const dialog = page.getByRole("dialog", { name: "What is shown" });
    const part = dialog.getByRole("img", { name: "The part of the picture that is shown" });
    await part.waitFor();
    const box = (await part.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 3, box.y + box.height / 2, { steps: 4 });
    await page.mouse.up();
    await part.focus();
    await page.keyboard.press("ArrowLeft");
    await dialog.getByRole("slider", { name: "Closer" }).fill("1.5");
    await shoot("picture-crop-1280");
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.setViewportSize(viewports.phone);
    await shoot("picture-crop-390");
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.setViewportSize(viewports.desktop);
    await dialog.getByRole("button", { name: "Use this picture" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByText("The picture is changed").waitFor();
    await seePicture(page.getByRole("main"));
    await shoot("picture-profile-1280");
    expect(await accessibilityProblems(page)).toEqual([]);

    // What the others have of it: small, square, and nothing but the picture.
    const { members } = await ben.client.details(conversationId);
    const adaId = members.find(({ person }) => person.username === "ada")?.person.accountId ?? "";
    await expect.poll(async () => (await ben.client.picture(adaId))?.mediaType).toBe("image/webp");
    expect((await ben.client.picture(adaId))?.bytes.length).toBeLessThanOrEqual(65_512);

    await page.getByRole("button", { name: "Remove picture" }).click();
    await page.getByText("The picture is removed").waitFor();
    await expect.poll(() => page.locator("main img.avatar").count()).toBe(0);
    await expect.poll(() => ben.client.picture(adaId)).toBeUndefined();
    // What is no picture is said to be none.
    const wrong = page.waitForEvent("filechooser");
    await page.getByRole("button", { name: "Choose a picture" }).click();
    await (await wrong).setFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no picture") });
    await page.getByText("This browser cannot open that file as a picture").waitFor();
  });

  test("others' are in the list, beside what they say, in the head of the conversation, on their card and among the members", async () => {
    await openGroup();
    await ben.client.setPicture(greyJpeg({ widthPx: 256, shade: 150 }));
    await seePicture(page.getByRole("main"));
    await messagesWith(page, "I have it").getByRole("button", { name: "Ben Okafor" }).click();
    const card = page.getByRole("dialog", { name: "Ben Okafor" });
    await seePicture(card);
    await shoot("picture-card-1280");
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Conversation details" }).click();
    const details = page.getByRole("complementary", { name: "Details" });
    await seePicture(details);
  });

  test("a group's is set in its details, seen by who joins, and shown by who has it though the page is loaded anew", async () => {
    const details = page.getByRole("complementary", { name: "Details" });
    const chosen = page.waitForEvent("filechooser");
    await details.getByRole("button", { name: "Choose a picture" }).click();
    await (await chosen).setFiles({ name: "beds.png", mimeType: "image/png", buffer: await drawnPhoto() });
    await page.getByRole("button", { name: "Use this picture" }).click();
    await page.getByText("The picture is changed").waitFor();
    await seePicture(details.locator(".details-head"));
    await seePicture(inList());
    await shoot("picture-group-1280");
    expect(await accessibilityProblems(page)).toEqual([]);
    await expect.poll(async () => (await ben.client.picture(conversationId))?.mediaType).toBe("image/webp");
    await ben.client.addMembers(conversationId, ["dan"]);
    await joinedConversation(dan.client, "Allotment");
    await expect.poll(async () => (await dan.client.picture(conversationId))?.mediaType).toBe("image/webp");
    await page.reload();
    await seePicture(inList());
    await page.setViewportSize(viewports.phone);
    await shoot("picture-group-390");
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.setViewportSize(viewports.desktop);
  });

  test("right to left the dialog is as usable", async () => {
    await page.goto(`${server.url}/settings/appearance`);
    await page.getByRole("combobox", { name: "Language", exact: true }).selectOption("ar");
    await page.locator("html[dir=rtl]").waitFor();
    await page.goto(`${server.url}/settings/profile`);
    const chosen = page.waitForEvent("filechooser");
    await page.getByRole("button", { name: "اختيار صورة" }).click();
    await (await chosen).setFiles({ name: "beds.png", mimeType: "image/png", buffer: await drawnPhoto() });
    await page.getByRole("dialog", { name: "ما يظهر" }).waitFor();
    await shoot("picture-crop-arabic");
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press("Escape");
  });
});
