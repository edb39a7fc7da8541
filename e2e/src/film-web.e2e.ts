import { existsSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { acceptRequest, createAccount, messageBox, messagesWith, sendMessage, startConversation } from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";
import { seek, wav } from "./testing/sound.ts";

// A film and a sound from one browser to another, which plays them while they come; and what is too large to go.

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let ben: BrowserProfile;

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ada = await openBrowser({ folder: folder.at("ada") });
  ben = await openBrowser({ folder: folder.at("ben") });
  await createAccount(ada.page, { url: server.url, username: "ada" });
  await createAccount(ben.page, { url: server.url, username: "ben" });
  await startConversation(ada.page, { to: ["ben"] });
  await sendMessage(ada.page, "I have a film for you");
  await acceptRequest(ben.page, "ada");
});

afterAll(async () => {
  await ada[Symbol.asyncDispose]();
  await ben[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const tray = (): Locator => ada.page.getByRole("region", { name: "Files to send", exact: true });
/** A file of the tray that is ready. */
const ready = (name: string): Locator => tray().getByRole("button", { name: new RegExp(`^${name}, [0-9]`, "u") });

async function choose(...paths: readonly string[]): Promise<void> {
  const chooser = ada.page.waitForEvent("filechooser");
  await ada.page.getByRole("button", { name: "Attach a file", exact: true }).click();
  await (await chooser).setFiles([...paths]);
}

/** Ada sends a file of the disk; the message as Ben sees it. */
async function send(name: string, caption: string): Promise<Locator> {
  await choose(folder.at("files", name));
  await ready(name).waitFor();
  await messageBox(ada.page).fill(caption);
  await ada.page.getByRole("button", { name: "Send", exact: true }).click();
  const message = messagesWith(ben.page, caption).last();
  await message.waitFor();
  return message;
}

function writeFile(name: string, content: Uint8Array): void {
  mkdirSync(folder.at("files"), { recursive: true });
  writeFileSync(folder.at("files", name), content);
}

/**
 * A film of five seconds with a tone, as the browser records it: red on the left and blue on the right, and from its half on green on the left.
 */
async function film(page: Page, type: string): Promise<Buffer> {
  const encoded = await page.evaluate(async (mimeType) => {
    const lengthMs = 5000;
    const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
    const context = canvas.getContext("2d");
    if (context === null) throw new Error("no canvas");
    const audio = new AudioContext();
    const tone = new OscillatorNode(audio);
    const sound = audio.createMediaStreamDestination();
    tone.connect(sound);
    tone.start();
    const stream = new MediaStream([...canvas.captureStream(30).getTracks(), ...sound.stream.getTracks()]);
    const recorder = new MediaRecorder(stream, { mimeType });
    const slices: Blob[] = [];
    recorder.addEventListener("dataavailable", ({ data }) => slices.push(data));
    const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve, { once: true }));
    const paint = (left: string): void => {
      for (const [at, colour] of [left, "rgb(0 0 255)"].entries()) {
        context.fillStyle = colour;
        context.fillRect(at * 160, 0, 160, 240);
      }
    };
    paint("rgb(255 0 0)");
    recorder.start();
    const beganMs = performance.now();
    for (let atMs = 0; atMs < lengthMs; atMs = performance.now() - beganMs) {
      paint(atMs < lengthMs / 2 ? "rgb(255 0 0)" : "rgb(0 255 0)");
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    recorder.stop();
    await stopped;
    await audio.close();
    return Array.from(new Uint8Array(await new Blob(slices).arrayBuffer()));
  }, type);
  return Buffer.from(encoded);
}

/** A tone of a minute. */
function tone(): Buffer {
  const samples = Uint8Array.from({ length: 8000 * 60 }, (_, at) => 128 + Math.round(100 * Math.sin(at / 3)));
  return wav(samples, { rate: 8000, bits: 8 });
}

/** The colours of the left and the right half of what is shown. */
async function colours(shown: Locator): Promise<readonly string[]> {
  return await shown.evaluate((element) => {
    if (!(element instanceof HTMLVideoElement || element instanceof HTMLImageElement)) throw new Error("nothing to be seen");
    const context = new OffscreenCanvas(2, 1).getContext("2d");
    if (context === null) throw new Error("no canvas");
    context.drawImage(element, 0, 0, 2, 1);
    const { data } = context.getImageData(0, 0, 2, 1);
    const names = ["red", "green", "blue"];
    return [0, 4].map((at) => {
      const parts = [...data.subarray(at, at + 3)];
      return names[parts.indexOf(Math.max(...parts))] ?? "";
    });
  });
}

describe("a film that a browser recorded", () => {
  test.each([
    ["film.mp4", "video/mp4"],
    ["film.webm", "video/webm"],
  ])(
    "(%s) stands there with a picture of it and its length, and plays from its beginning and from 80 %%",
    async (name, type) => {
      writeFile(name, await film(ada.page, type));
      const message = await send(name, `This is ${name}`);
      const picture = message.locator("img.file-thumb");
      await expect.poll(() => colours(picture)).toEqual(["red", "blue"]);
      await message.getByText(/^0:0[4-9]$/u).waitFor();
      // Nothing of it is here yet.
      expect(await message.locator("video").count()).toBe(0);
      expect(await accessibilityProblems(ben.page)).toEqual([]);
      await message.getByRole("button", { name: `Video: ${name}` }).click();
      const video = message.locator("video");
      const look = (): Promise<{ at: number; error: string | undefined; isShown: boolean }> =>
        video.evaluate((element) => {
          if (!(element instanceof HTMLVideoElement)) throw new Error("no video");
          return { at: element.currentTime, error: element.error?.message, isShown: element.readyState >= 2 && element.videoWidth === 320 };
        });
      await expect.poll(async () => (await look()).at).toBeGreaterThan(0.1);
      expect(await look()).toMatchObject({ isShown: true, error: undefined });
      const lengthSeconds = 5;
      await video.evaluate((element, at) => {
        if (!(element instanceof HTMLVideoElement)) throw new Error("no video");
        element.currentTime = at;
      }, 0.8 * lengthSeconds);
      await expect.poll(async () => (await look()).at).toBeGreaterThan(0.8 * lengthSeconds + 0.1);
      // What is shown there is what was recorded there.
      await expect.poll(() => colours(video)).toEqual(["green", "blue"]);
      expect(await look()).toMatchObject({ isShown: true, error: undefined });
      expect(await accessibilityProblems(ben.page)).toEqual([]);
    },
    60_000,
  );
});

describe("a sound", () => {
  test("stands there with its length and how loud it is, and plays from its beginning and from 80 %", async () => {
    writeFile("tone.wav", tone());
    const message = await send("tone.wav", "Do you hear it?");
    const place = message.getByRole("slider", { name: "Place" });
    expect(await place.getAttribute("max")).toBe("60");
    expect(await message.locator("canvas.sound-wave").count()).toBe(1);
    expect(await accessibilityProblems(ben.page)).toEqual([]);
    await message.getByRole("button", { name: "Play" }).click();
    await expect.poll(async () => Number(await place.inputValue())).toBeGreaterThan(0.1);
    await seek(place, 48);
    await expect.poll(async () => Number(await place.inputValue())).toBeGreaterThan(48.1);
    await message.getByRole("button", { name: "Pause" }).click();
    await message.getByRole("button", { name: "Play" }).waitFor();
  });
});

describe("a file of 2.1 GiB", () => {
  test("is said to be too large, and nothing of it is read; what was chosen with it goes", async () => {
    writeFile("film of a wedding.mov", new Uint8Array(0));
    // It takes no room on the disk.
    truncateSync(folder.at("files", "film of a wedding.mov"), Math.round(2.1 * 2 ** 30));
    writeFile("list.txt", Buffer.from("who came"));
    await ada.page.evaluate(() => {
      const read: string[] = [];
      Object.assign(globalThis, { readOfLarge: read });
      for (const name of ["slice", "stream", "arrayBuffer", "text", "bytes"] as const) {
        const plain = Blob.prototype[name] as (...parameters: unknown[]) => unknown;
        Object.defineProperty(Blob.prototype, name, {
          configurable: true,
          value(this: Blob, ...parameters: unknown[]) {
            if (this.size > 2 ** 31) read.push(name);
            return plain.apply(this, parameters);
          },
        });
      }
      const address = URL.createObjectURL.bind(URL);
      URL.createObjectURL = (object) => {
        if (object instanceof Blob && object.size > 2 ** 31) read.push("address");
        return address(object);
      };
    });
    await choose(folder.at("files", "film of a wedding.mov"), folder.at("files", "list.txt"));
    await tray().getByText("film of a wedding.mov: too large. A file can have up to 2 GiB.").waitFor();
    await ready("list.txt").waitFor();
    expect(await tray().getByRole("listitem").count()).toBe(1);
    expect(await accessibilityProblems(ada.page)).toEqual([]);
    await ada.page.getByRole("button", { name: "Send", exact: true }).click();
    await messagesWith(ben.page, "list.txt").waitFor();
    expect(await ada.page.evaluate((): unknown => Reflect.get(globalThis, "readOfLarge"))).toEqual([]);
    const uploads = folder.at("data", "blobs", "uploads");
    expect(existsSync(uploads) ? readdirSync(uploads) : []).toEqual([]);
  });
});

test("nothing of all that was against the content security policy, or failed on the way", () => {
  for (const { violations, errors } of [ada, ben]) expect([violations, errors]).toEqual([[], []]);
});
