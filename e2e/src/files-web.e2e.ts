// What others send is shown, played and saved by the web app, whatever it says that it is.
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import type { FileKind, NewFile } from "@latchkey/client";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { createAccount, messagesWith, sendMessage, startConversation } from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { keptPieces } from "./testing/kept-pieces.ts";
import { joinedConversation, registerPerson } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { isShown, png } from "./testing/png.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";
import { seek, wav } from "./testing/sound.ts";

const mebibyte = 1_048_576;

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let ben: TestPerson;
let conversationId: string;

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ada = await openBrowser({ folder: folder.at("ada"), viewport: { width: 1280, height: 800 } });
  await watchForBreaches(ada.page);
  ben = await registerPerson({ home: folder.at("ben"), server: server.url, username: "ben" });
  await createAccount(ada.page, { url: server.url, username: "ada" });
  await startConversation(ada.page, { to: ["ben"] });
  await sendMessage(ada.page, "Send me something");
  conversationId = (await joinedConversation(ben.client, "ada")).id;
});

afterAll(async () => {
  await ada[Symbol.asyncDispose]();
  await ben[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** Notes in a page what nothing that somebody sends may do there. */
async function watchForBreaches(page: Page): Promise<void> {
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      sessionStorage["violation"] = `${event.violatedDirective} ${event.blockedURI}`;
    });
    (globalThis as { hacked?: () => void }).hacked = () => {
      sessionStorage["violation"] = "it ran";
    };
  });
}

const breachIn = (page: Page): Promise<unknown> => page.evaluate((): unknown => sessionStorage["violation"]);

function file(name: string, kind: FileKind, content: Uint8Array<ArrayBuffer>, over: Partial<NewFile> = {}): NewFile {
  return { name, kind, mediaType: "application/octet-stream", sizeBytes: content.length, content: new Blob([content]), ...over };
}

/** Noise of so many bytes that is played. */
function noise(sizeBytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(wav(randomBytes(sizeBytes - 44), { rate: 48_000, bits: 16 }));
}

async function sendFiles(caption: string, files: readonly NewFile[]): Promise<Locator> {
  await ben.client.send(conversationId, caption, { files });
  const message = messagesWith(ada.page, caption).last();
  await message.waitFor();
  return message;
}

describe("what somebody sends", () => {
  test("pictures are shown with what they show in words, large when they are pressed, and gone through by keys", async () => {
    const { page } = ada;
    const message = await sendFiles("Two pictures", [
      file("one.png", "picture", png(320, 200), { width: 320, height: 200, description: "A grey wall" }),
      file("two.png", "picture", png(100, 300), { width: 100, height: 300 }),
    ]);
    const first = message.getByRole("img", { name: "Picture: A grey wall" });
    await expect.poll(() => isShown(first)).toBe(true);
    await expect.poll(() => isShown(message.getByRole("img", { name: "Picture: two.png" }))).toBe(true);
    expect(await accessibilityProblems(page)).toEqual([]);
    await message.getByRole("button", { name: "Open: Picture: A grey wall" }).click();
    const viewer = page.locator(".yarl__slide_current img");
    await expect.poll(() => isShown(viewer)).toBe(true);
    await page.getByText("A grey wall ·").first().waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press("ArrowRight");
    await page.locator('.yarl__slide_current img[alt="Picture: two.png"]').waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".yarl__root").waitFor({ state: "detached" });
  });

  test("[X-23] of a message that its author deletes nothing is given out any more, also to whoever has the address of a picture", async () => {
    const { page } = ada;
    const message = await sendFiles("Not for long", [file("three.png", "picture", png(320, 200), { width: 320, height: 200 })]);
    const shown = message.getByRole("img", { name: "Picture: three.png" });
    await expect.poll(() => isShown(shown)).toBe(true);
    const address = (await shown.getAttribute("src")) ?? "";
    const answered = (): Promise<number> => page.evaluate(async (from) => (await fetch(from)).status, address);
    expect(await answered()).toBe(200);
    const [sent] = (await ben.client.messages(conversationId, { limit: 1 })).slice(-1);
    await ben.client.deleteMessages(conversationId, [sent?.id ?? ""], { forEveryone: true });
    await message.waitFor({ state: "detached" });
    await expect.poll(answered).toBe(404);
  });

  test("a sound of 72 MiB plays once its beginning is here, and at 80 % a little later", async () => {
    const message = await sendFiles("A long noise", [file("noise.wav", "audio", noise(72 * mebibyte), { durationMs: 786_000 })]);
    const before = await keptPieces(ada.page);
    await message.getByRole("button", { name: "Play" }).click();
    await message.getByRole("button", { name: "Pause" }).waitFor();
    const place = message.getByRole("slider", { name: "Place" });
    await expect.poll(async () => Number(await place.inputValue())).toBeGreaterThan(0.1);
    const begun = (await keptPieces(ada.page)) - before;
    await seek(place, 0.8 * 786);
    await expect.poll(async () => Number(await place.inputValue())).toBeGreaterThan(0.8 * 786 + 0.1);
    const sought = (await keptPieces(ada.page)) - before;
    await message.getByRole("button", { name: "Pause" }).click();
    expect(begun).toBeLessThanOrEqual(6);
    expect(sought).toBeLessThanOrEqual(12);
  });

  test("a file is saved as it was sent, under its name, removed from this device, and fetched again", async () => {
    const { page } = ada;
    const content = new Uint8Array(randomBytes(5 * mebibyte + 77));
    const message = await sendFiles("The plans", [file("../Plans‮fdp.exe", "file", content)]);
    const save = async (): Promise<string> => {
      const [download] = await Promise.all([page.waitForEvent("download"), message.getByRole("button", { name: /^Save / }).click()]);
      expect(download.suggestedFilename()).toBe("Plansfdp.exe");
      return createHash("sha256")
        .update(readFileSync(await download.path()))
        .digest("hex");
    };
    const sent = createHash("sha256").update(content).digest("hex");
    expect(await save()).toBe(sent);
    const before = await keptPieces(ada.page);
    await page.goto(`${server.url}/settings/storage`);
    const row = page.locator(".stored-files li", { hasText: "Plansfdp.exe" });
    await row.getByRole("button").click();
    await row.waitFor({ state: "detached" });
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(await keptPieces(ada.page)).toBe(before - 6);
    await page.goto(`${server.url}/c/${conversationId}`);
    expect(await save()).toBe(sent);
  });

  test.each([
    [
      "SVG",
      Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="hacked()"><script>hacked()</script></svg>`),
      "cannot be shown",
    ],
    ["HTML", Buffer.from("<!doctype html><script>hacked()</script>"), "cannot be shown"],
    ["30,000 x 30,000 pixels", png(30_000, 30_000, 1), "too large to be shown"],
    ["nothing at all", Buffer.alloc(0), "cannot be shown"],
  ])("%s that is called a picture is not shown, and says why", async (what, content, words) => {
    const message = await sendFiles(`It is ${what}`, [
      file("photo.png", "picture", new Uint8Array(content), { mediaType: "image/png", width: 300, height: 200 }),
    ]);
    await message.getByText(words).waitFor();
    expect(await message.locator("img.file-shown").count()).toBe(0);
  });

  test("what cannot be shown says why among the large ones too, and the others go on", async () => {
    const { page } = ada;
    await page.getByRole("button", { name: "Open: Picture: two.png" }).click();
    const slide = page.locator(".yarl__slide_current");
    await slide.locator('img[alt="Picture: two.png"]').waitFor();
    // It goes on once the others are known.
    await expect.poll(() => page.getByRole("button", { name: "Later", exact: true }).isEnabled()).toBe(true);
    await page.keyboard.press("ArrowRight");
    await slide.getByText("cannot be shown").getByRole("button", { name: "Save" }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press("ArrowLeft");
    await slide.locator('img[alt="Picture: two.png"]').waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".yarl__root").waitFor({ state: "detached" });
  });

  test("the worker that decrypts may be ended by the browser at any time: what plays goes on, and is sought as before", async () => {
    const { page } = ada;
    const message = await sendFiles("Another noise", [file("noise.wav", "audio", noise(16 * mebibyte), { durationMs: 174_000 })]);
    const place = message.getByRole("slider", { name: "Place" });
    await message.getByRole("button", { name: "Play" }).click();
    await expect.poll(async () => Number(await place.inputValue())).toBeGreaterThan(0.1);
    const session = await page.context().newCDPSession(page);
    await session.send("ServiceWorker.enable");
    for (const at of [150, 40]) {
      await session.send("ServiceWorker.stopAllWorkers");
      await seek(place, at);
      await expect.poll(async () => Number(await place.inputValue())).toBeGreaterThan(at + 0.1);
    }
    await message.getByRole("button", { name: "Pause" }).click();
    // Loaded past all caches, a page is answered by no worker until it asks for that.
    await page.reload();
    await session.send("Page.reload", { ignoreCache: true });
    await expect.poll(() => isShown(page.getByRole("img", { name: "Picture: A grey wall" }))).toBe(true);
  });

  test("one voice message plays on after the other, also where their conversation is left, as fast as was chosen", async () => {
    const { page } = ada;
    const peaks = Uint8Array.from({ length: 64 }, (_, at) => at * 4);
    const first = await sendFiles("First", [file("a.wav", "voice", noise(96_044), { durationMs: 1000, peaks })]);
    const second = await sendFiles("Second", [file("b.wav", "voice", noise(30 * 96_000 + 44), { durationMs: 30_000, peaks })]);
    await first.getByRole("button", { name: "Speed 1" }).click();
    await first.getByRole("button", { name: "Play" }).click();
    await second.getByRole("button", { name: "Pause" }).waitFor();
    await second.getByRole("button", { name: "Speed 1.5" }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page
      .getByRole("link", { name: "Settings" })
      .or(page.getByRole("button", { name: "Settings" }))
      .first()
      .click();
    const line = page.getByRole("region", { name: "Voice message" });
    await line.getByRole("button", { name: "Pause" }).click();
    await line.getByRole("button", { name: "Play" }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await line.getByRole("button", { name: /^ben/ }).click();
    // It stands where it was left.
    await second.getByRole("button", { name: "Play" }).waitFor();
    expect(Number(await second.getByRole("slider", { name: "Place" }).inputValue())).toBeGreaterThan(0);
  });

  test("what is to be seen once is seen once", async () => {
    const { page } = ada;
    await ben.client.send(conversationId, "", {
      files: [file("secret.png", "picture", png(200, 200), { width: 200, height: 200 })],
      isOnce: true,
    });
    const message = messagesWith(page, "Picture, to be seen once").last();
    await message.getByRole("button", { name: "Open once" }).click();
    const dialog = page.getByRole("dialog", { name: "Picture" });
    // Where it is not shown, the dialog says why.
    const shown = dialog.getByRole("img").or(dialog.locator(".file-note"));
    await expect.poll(async () => (await isShown(shown)) || (await shown.innerText())).toBe(true);
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await message.getByText("Opened").waitFor();
    await page.reload();
    await message.getByText("Opened").waitFor();
    expect(await message.getByRole("button", { name: "Open once" }).count()).toBe(0);
  });

  test("[X-8] what is to be seen once is not lost where the worker fails: it opens again, and the page decrypts it by itself", async () => {
    const { page } = ada;
    await ben.client.send(conversationId, "", {
      files: [file("secret.png", "picture", png(200, 200), { width: 200, height: 200 })],
      isOnce: true,
    });
    // The worker is told of no file any more, whatever it asks this page.
    await page.evaluate(() => {
      const { postMessage } = MessagePort.prototype;
      MessagePort.prototype.postMessage = function (this: MessagePort, message: unknown, ...rest: readonly never[]) {
        const isAccess = typeof message === "object" && message !== null && "kind" in message && message.kind === "access";
        Reflect.apply(postMessage, this, [isAccess ? { kind: "none" } : message, ...rest]);
      };
    });
    const message = messagesWith(page, "Picture, to be seen once").last();
    const dialog = page.getByRole("dialog", { name: "Picture" });
    const again = dialog.getByRole("button", { name: "Try again" });
    for (let round = 0; round < 2; round++) {
      await message.getByRole("button", { name: "Open once" }).click();
      await again.waitFor();
      if (round === 0) await page.keyboard.press("Escape");
    }
    await again.click();
    await expect.poll(() => isShown(dialog.getByRole("img"))).toBe(true);
    await page.keyboard.press("Escape");
    await message.getByText("Opened").waitFor();
    expect(await message.getByRole("button", { name: "Open once" }).count()).toBe(0);
    await page.reload();
    await message.getByText("Opened").waitFor();
    expect(await message.getByRole("button", { name: "Open once" }).count()).toBe(0);
  });

  test("a window without service workers shows and saves what fits into it, and says of the rest why not", async () => {
    const content = new Uint8Array(randomBytes(100_000));
    const sent = await sendFiles("Two small files", [
      file("wall.png", "picture", png(320, 200), { width: 320, height: 200, description: "A small wall" }),
      file("small.bin", "file", content),
    ]);
    const page = await ada.context.newPage();
    await watchForBreaches(page);
    await page.addInitScript(() => delete (Navigator.prototype as { serviceWorker?: unknown }).serviceWorker);
    await page.goto(`${server.url}/c/${conversationId}`);
    const small = messagesWith(page, "Two small files");
    const picture = small.getByRole("img", { name: "Picture: A small wall" });
    await expect.poll(() => isShown(picture)).toBe(true);
    expect(await picture.getAttribute("src")).toMatch(/^blob:/);
    const [download] = await Promise.all([page.waitForEvent("download"), small.getByRole("button", { name: "Save small.bin" }).click()]);
    expect(Buffer.compare(readFileSync(await download.path()), content)).toBe(0);
    const long = messagesWith(page, "A long noise").last();
    // What is not near the screen is not in the page.
    await small.hover();
    await expect
      .poll(async () => {
        await page.mouse.wheel(0, -300);
        return await long.count();
      })
      .toBe(1);
    await long.getByRole("button", { name: "Play" }).click();
    await long.getByText("Too large for this window").waitFor();
    expect(await breachIn(page)).toBeUndefined();
    await page.close();
    // Other windows go on with theirs.
    expect(await sent.getByRole("img", { name: "Picture: A small wall" }).getAttribute("src")).toMatch(/^\/media\/[0-9a-f]{32}$/);
  });

  test("what its server lost says so, and asks its author to send it again", async () => {
    const blobs = folder.at("data", "blobs");
    const before = new Set(readdirSync(blobs, { recursive: true }).map(String));
    const message = await sendFiles("The lost plans", [file("lost.bin", "file", new Uint8Array(randomBytes(70_000)))]);
    for (const name of readdirSync(blobs, { recursive: true }).map(String))
      if (!before.has(name) && statSync(`${blobs}/${name}`).isFile()) rmSync(`${blobs}/${name}`);
    await message.getByRole("button", { name: "Save lost.bin" }).click();
    await message.getByText("No longer on the server").waitFor();
    expect(await accessibilityProblems(ada.page)).toEqual([]);
    await message.getByRole("button", { name: "Ask ben to send it again" }).click();
    await messagesWith(ada.page, "Could you send “lost.bin” again?").waitFor();
  });

  test("nothing of all that ran, or asked for what the page may not", async () => {
    expect(await breachIn(ada.page)).toBeUndefined();
  });

  test("who logs out leaves neither files nor the worker that showed them", async () => {
    const { page } = ada;
    await page.goto(`${server.url}/settings/account`);
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Erase" }).click();
    await page.getByRole("button", { name: "Create account" }).waitFor();
    await expect.poll(() => page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length)).toBe(0);
    expect(await keptPieces(ada.page)).toBe(0);
  });
});
