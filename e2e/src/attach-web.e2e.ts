import { createHash, randomBytes } from "node:crypto";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AttachedFile, Client, Message } from "@latchkey/client";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { chooseAction, createAccount, messageBox, messagesWith, seeTaken, sendMessage, startConversation } from "./testing/app.ts";
import { openBrowser, viewports } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { eventually, joinedConversation, registerPerson, textsOf } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

// Whatever a person does to send pictures, files and voice from the web app; somebody else reads what arrives.

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let page: Page;
let ben: TestPerson;
let conversationId: string;

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ada = await openBrowser({ folder: folder.at("ada"), hasMicrophone: true });
  ({ page } = ada);
  await createAccount(page, { url: server.url, username: "ada" });
  ben = await registerPerson({ server: server.url, home: folder.at("ben"), username: "ben", displayName: "Ben Smith" });
  await startConversation(page, { to: ["ben"] });
  await sendMessage(page, "Hello");
  await seeTaken(page, "Hello");
  conversationId = (await joinedConversation(ben.client, "ada")).id;
});

afterAll(async () => {
  await ben.client.close();
  await ada[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

interface Chosen {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

const tray = (): Locator => page.getByRole("region", { name: "Files to send", exact: true });
/** A file of the tray that is ready. */
const ready = (name: string): Locator => tray().getByRole("button", { name: new RegExp(`^${name}, [0-9]`, "u") });
const send = (): Promise<void> => page.getByRole("button", { name: "Send", exact: true }).click();

async function choose(...files: readonly Chosen[]): Promise<void> {
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Attach a file", exact: true }).click();
  await (await chooser).setFiles([...files]);
}

/** The message with these words, or a file of this name, as Ben has it. */
async function arrived(what: string, client: Client = ben.client): Promise<Message & { readonly files: readonly AttachedFile[] }> {
  return eventually(
    client,
    async () => {
      const messages = await client.messages(conversationId, { limit: 50 });
      const found = messages.find(
        ({ body, files }) =>
          files !== undefined && ((body.kind === "text" && body.text === what) || files.some(({ name }) => name === what)),
      );
      return found?.files === undefined ? undefined : { ...found, files: found.files };
    },
    `${what} arrives`,
  );
}

async function bytesOf({ id }: Message, file: AttachedFile | undefined): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of ben.client.readFile(conversationId, id, file?.id ?? "")) parts.push(part);
  return Buffer.concat(parts);
}

const hashOf = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** What a camera wrote into a photograph: where it was taken, in words that can be searched for. */
const place = "N 53 33 secret place";

/** A photograph that the browser makes, larger than what is sent. */
async function photograph(width: number, height: number, type = "image/jpeg"): Promise<Buffer> {
  const encoded = await page.evaluate(
    async ([width, height, type]) => {
      const canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext("2d");
      if (context === null) throw new Error("no canvas");
      const sky = context.createLinearGradient(0, 0, width, height);
      for (const [at, colour] of ["#123", "#b53", "#fe9"].entries()) sky.addColorStop(at / 2, colour);
      context.fillStyle = sky;
      context.fillRect(0, 0, width, height);
      const bytes = new Uint8Array(await (await canvas.convertToBlob({ type, quality: 0.9 })).arrayBuffer());
      return Array.from(bytes);
    },
    [width, height, type] as const,
  );
  return Buffer.from(encoded);
}

/** With EXIF that points to a place: an entry GPSInfo, and in it the name of the place (EXIF 2.32 §4.6.6). */
function withPlace(jpeg: Buffer): Buffer {
  const text = Buffer.from(`${place}\0`, "latin1");
  const tiff = Buffer.alloc(8 + 18 + 18);
  tiff.write("II*\0", "latin1");
  tiff.writeUInt32LE(8, 4);
  for (const [at, tag, type, count, value] of [
    [8, 0x8825, 4, 1, 26],
    [26, 0x001b, 2, text.length, 44],
  ] as const) {
    tiff.writeUInt16LE(1, at);
    tiff.writeUInt16LE(tag, at + 2);
    tiff.writeUInt16LE(type, at + 4);
    tiff.writeUInt32LE(count, at + 6);
    tiff.writeUInt32LE(value, at + 10);
  }
  const content = Buffer.concat([Buffer.from("Exif\0\0", "latin1"), tiff, text]);
  const head = Buffer.from([0xff, 0xe1, (content.length + 2) >> 8, (content.length + 2) & 0xff]);
  return Buffer.concat([jpeg.subarray(0, 2), head, content, jpeg.subarray(2)]);
}

describe("two pictures", () => {
  test("go with a caption and a description, without the place; one unchanged as a file goes byte for byte", async () => {
    const photo = withPlace(await photograph(3200, 2400));
    expect(photo.includes(place)).toBe(true);
    const second = withPlace(await photograph(640, 480));
    await choose(
      { name: "IMG_1.JPG", mimeType: "image/jpeg", buffer: photo },
      { name: "IMG_2.JPG", mimeType: "image/jpeg", buffer: second },
    );
    await ready("IMG_2.JPG").click();
    await tray().getByText("Place, date and camera are taken out of it.").waitFor();
    await tray().getByRole("checkbox", { name: "Unchanged, as a file" }).check();
    await tray()
      .getByText(/^What was written into it/u)
      .waitFor();
    await tray().getByRole("button", { name: "Move earlier" }).click();
    await ready("IMG_1.JPG").click();
    const description = tray().getByRole("textbox", { name: "Describe it for people who cannot see it" });
    await description.fill("The sun above the harbour");
    expect(await accessibilityProblems(page)).toEqual([]);
    await messageBox(page).fill("From this morning");
    await send();
    await tray().waitFor({ state: "detached" });

    const message = await arrived("From this morning");
    expect(message.files.map(({ name, kind, mediaType }) => ({ name, kind, mediaType }))).toEqual([
      { name: "IMG_2.JPG", kind: "file", mediaType: "image/jpeg" },
      { name: "IMG_1.webp", kind: "picture", mediaType: "image/webp" },
    ]);
    const [unchanged, picture] = message.files;
    expect(hashOf(await bytesOf(message, unchanged))).toBe(hashOf(second));
    expect(picture).toMatchObject({ width: 2560, height: 1920, description: "The sun above the harbour" });
    const bytes = await bytesOf(message, picture);
    expect(bytes.length).toBe(picture?.sizeBytes);
    expect(bytes.subarray(0, 4).toString("latin1") + bytes.subarray(8, 12).toString("latin1")).toBe("RIFFWEBP");
    for (const trace of [place, "Exif", "EXIF"]) expect(bytes.includes(trace)).toBe(false);
    expect(await messageBox(page).inputValue()).toBe("");
  });
});

describe("a caption", () => {
  test("is changed afterwards, and the files stay", async () => {
    await chooseAction(page, messagesWith(page, "From this morning").first(), "Edit");
    await messageBox(page).fill("From yesterday morning");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    const message = await arrived("From yesterday morning");
    expect(message.edited?.count).toBe(1);
    expect(message.files.map(({ kind }) => kind)).toEqual(["file", "picture"]);
  });

  test("[X-3] is taken away, by a field that is left empty, and the files stay with what was said before", async () => {
    await chooseAction(page, messagesWith(page, "From yesterday morning").first(), "Edit");
    await messageBox(page).fill("");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("From yesterday morning").first().waitFor({ state: "detached" });
    const message = await arrived("");
    expect([message.edited?.count, message.files.map(({ kind }) => kind)]).toEqual([2, ["file", "picture"]]);
    await page.getByRole("list", { name: "Conversations", exact: true }).getByText("2 files").waitFor();
    await chooseAction(page, messagesWith(page, "IMG_2.JPG").first(), "Message info");
    await page.getByRole("dialog").getByText("From this morning").waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press("Escape");
  });
});

describe("what is dropped and pasted", () => {
  test("a file that is dropped anywhere goes, under a name without traps", async () => {
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.items.add(new File(["what is in it"], "..\u202etxt.notes", { type: "text/plain" }));
      document.body.dispatchEvent(new DragEvent("dragover", { dataTransfer: data, bubbles: true, cancelable: true }));
    });
    await page.getByText("Drop files here").waitFor();
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.items.add(new File(["what is in it"], "..\u202etxt.notes", { type: "text/plain" }));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    });
    await page.getByText("Drop files here").waitFor({ state: "detached" });
    await ready("txt.notes").waitFor();
    await send();
    const message = await arrived("txt.notes");
    expect(message.files).toMatchObject([{ kind: "file", mediaType: "text/plain", sizeBytes: 13 }]);
    expect((await bytesOf(message, message.files[0])).toString()).toBe("what is in it");
  });

  test("a picture that is pasted goes as an answer", async () => {
    const png = await photograph(60, 40, "image/png");
    await sendFromBen("Show me");
    await messageBox(page).focus();
    const asked = page.getByRole("list", { name: "Messages", exact: true }).getByRole("listitem").filter({ hasText: "Show me" });
    await asked.hover();
    await asked.getByRole("button", { name: "Reply" }).click();
    await messageBox(page).evaluate(
      (element, bytes) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], "image.png", { type: "image/png" }));
        element.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
      },
      [...png],
    );
    await ready("image.png").waitFor();
    await messageBox(page).press("Enter");
    const message = await arrived("image.png");
    expect(message.files).toMatchObject([{ kind: "picture", mediaType: "image/png", width: 60, height: 40 }]);
    expect(message.quote?.text).toBe("Show me");
  });

  async function sendFromBen(text: string): Promise<void> {
    await ben.client.send(conversationId, text);
    await page.getByRole("list", { name: "Messages", exact: true }).getByText(text).waitFor();
  }
});

describe("what cannot be sent", () => {
  test("says so, beside what can", async () => {
    const plain = (name: string, text: string): Chosen => ({ name, mimeType: "text/plain", buffer: Buffer.from(text) });
    await choose(plain("empty.txt", ""), ...Array.from({ length: 31 }, (_, index) => plain(`${String(index)}.txt`, "x")));
    await tray().getByText("empty.txt: there is nothing in it").waitFor();
    await tray().getByText("At most 30 files go with one message. One was left out").waitFor();
    expect(await tray().getByRole("listitem").count()).toBe(30);
    for (const viewport of [viewports.phone, viewports.desktop]) {
      await page.setViewportSize(viewport);
      expect(await accessibilityProblems(page)).toEqual([]);
    }
    await tray().getByRole("button", { name: "Dismiss" }).click();
    for (let left = 30; left > 0; left--)
      await tray()
        .getByRole("button", { name: /^Remove/u })
        .first()
        .click();
    await tray().waitFor({ state: "detached" });
    expect(await messageBox(page).evaluate((element) => element === document.activeElement)).toBe(true);
  });

  test("HEIC goes as a file, and it is said why", async () => {
    const heic = Buffer.from("\0\0\0\u0018ftypheic\0\0\0\0mif1heic", "latin1");
    await choose({ name: "IMG_3.HEIC", mimeType: "image/heic", buffer: heic });
    await ready("IMG_3.HEIC").waitFor();
    await tray().getByText("so it goes as a file").waitFor();
    await send();
    expect((await arrived("IMG_3.HEIC")).files).toMatchObject([{ kind: "file", mediaType: "image/heic" }]);
  });
});

describe("a picture to be seen once", () => {
  test("[X-8] is marked so", async () => {
    await choose({ name: "once.png", mimeType: "image/png", buffer: await photograph(30, 20, "image/png") });
    await tray().getByRole("checkbox", { name: "To be seen once" }).check();
    await tray().getByText("A screen can still be photographed.").waitFor();
    await messageBox(page).fill("Look");
    await send();
    expect(await arrived("Look")).toMatchObject({ isOnce: true });
    // Whether somebody opened it nobody knows here.
    await messagesWith(page, "Look").getByText("Your own devices do not keep it.").waitFor();
  });
});

describe("a message with a file that is taken back", () => {
  test("has its file in the tray again, and goes with it the second time", async () => {
    await page.evaluate(() => localStorage.setItem("latchkey.undo-send", "1"));
    const undo = page.getByRole("button", { name: "Undo", exact: true });
    const again = { name: "again.txt", mimeType: "text/plain", buffer: Buffer.from("again") };
    await choose(again);
    await messageBox(page).fill("Wait");
    await send();
    await undo.click();
    await ready("again.txt").waitFor();
    expect(await messageBox(page).inputValue()).toBe("Wait");
    await page.evaluate(() => localStorage.removeItem("latchkey.undo-send"));
    await send();
    expect((await arrived("Wait")).files).toMatchObject([{ name: "again.txt", sizeBytes: 5 }]);
  });
});

describe("voice", () => {
  const record = (): Promise<void> => page.getByRole("button", { name: "Record a voice message", exact: true }).click();
  const voice = (): Locator => page.getByRole("region", { name: "Voice message", exact: true });
  const press = (name: string): Promise<void> => voice().getByRole("button", { name, exact: true }).click();

  test("is recorded, paused, heard and sent: with its length, how loud it is, and packets of one size", async () => {
    await record();
    await voice().getByRole("timer").filter({ hasText: "0:01" }).waitFor();
    await press("Pause recording");
    await voice().getByText("Paused", { exact: true }).waitFor({ state: "attached" });
    const stood = await voice().getByRole("timer").textContent();
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(await voice().getByRole("timer").textContent()).toBe(stood);
    await press("Go on recording");
    await voice().getByRole("timer").filter({ hasText: "0:02" }).waitFor();
    await press("Finish, and listen to it first");
    await press("Play");
    await voice().getByRole("button", { name: "Stop playing" }).waitFor();
    await press("Stop playing");
    expect(await accessibilityProblems(page)).toEqual([]);
    await press("Send");
    await messageBox(page).waitFor();
    const message = await arrived("voice.webm");
    const [file] = message.files;
    expect(file).toMatchObject({ kind: "voice", mediaType: "audio/webm" });
    expect(file?.durationMs).toBeGreaterThanOrEqual(2000);
    expect(file?.peaks?.length).toBe(64);
    // The fake microphone beeps: there is something to hear.
    expect(Math.max(...(file?.peaks ?? []))).toBe(255);
    const sizes = packetSizes(await bytesOf(message, file));
    expect(sizes.length).toBeGreaterThan(20);
    expect(new Set(sizes).size).toBe(1);
  });

  test("is sent at once where nobody wants to hear it first, and goes to nobody where it is deleted", async () => {
    await record();
    await voice().getByRole("timer").filter({ hasText: "0:01" }).waitFor();
    await press("Delete the recording");
    await page.getByText("The recording is deleted.").waitFor();
    await messageBox(page).waitFor();
    await record();
    await voice().getByRole("timer").filter({ hasText: "0:01" }).waitFor();
    await press("Send");
    await eventually(ben.client, async () => ((await voices()).length === 2 ? true : undefined), "the second one arrives");
    expect(await voices()).toHaveLength(2);
  });

  test("ends when the conversation is left, and waits there until one comes back", async () => {
    await record();
    await voice().getByRole("timer").filter({ hasText: "0:01" }).waitFor();
    await page
      .getByRole("button", { name: "Settings", exact: true })
      .or(page.getByRole("link", { name: "Settings", exact: true }))
      .first()
      .click();
    await voice().waitFor({ state: "detached" });
    await page.goBack();
    await voice().getByRole("button", { name: "Play" }).waitFor();
    expect(await voice().getByRole("timer").count()).toBe(0);
    await press("Delete the recording");
    await messageBox(page).waitFor();
  });

  test("without a microphone that may be used it says what to do, and writing goes on", async () => {
    await page.evaluate(() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"));
    });
    await record();
    await page.getByText("This site may not use the microphone.").waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByRole("button", { name: "Close", exact: true }).click();
    await messageBox(page).fill("By hand, then");
    await page.getByRole("button", { name: "Send", exact: true }).waitFor();
    await messageBox(page).fill("");
  });

  async function voices(): Promise<readonly Message[]> {
    const messages = await ben.client.messages(conversationId, { limit: 50 });
    return messages.filter(({ files }) => files?.[0]?.kind === "voice");
  }
});

describe("a server that is killed while a file is on its way", () => {
  /** How much of an upload lies at the server. */
  function comeBytes(): number {
    const uploads = folder.at("data", "blobs", "uploads");
    return Math.max(0, ...readdirSync(uploads).map((name) => statSync(`${uploads}/${name}`, { throwIfNoEntry: false })?.size ?? 0));
  }

  test("has all of it in the end, and what was written after it comes after it", async () => {
    const plans = { name: "plans.bin", mimeType: "", buffer: randomBytes(40_000_000) };
    // From the disk, as people do: what is handed to the browser by itself takes half a minute.
    writeFileSync(folder.at(plans.name), plans.buffer);
    const chooser = page.waitForEvent("filechooser");
    await page.getByRole("button", { name: "Attach a file", exact: true }).click();
    await (await chooser).setFiles(folder.at(plans.name));
    await messageBox(page).fill("The plans");
    await send();
    await tray().waitFor({ state: "detached" });
    await expect.poll(comeBytes, { interval: 2 }).toBeGreaterThan(4_000_000);
    const { port } = server;
    await server.kill();
    expect(comeBytes()).toBeLessThan(plans.buffer.length);
    await sendMessage(page, "Have you seen them?");
    server = await startServerProcess({ data: folder.at("data"), port });
    const message = await arrived("The plans");
    expect(hashOf(await bytesOf(message, message.files[0]))).toBe(hashOf(plans.buffer));
    await eventually(
      ben.client,
      async () => ((await textsOf(ben.client, conversationId)).includes("Have you seen them?") ? true : undefined),
      "the next one",
    );
    expect((await textsOf(ben.client, conversationId)).slice(-2)).toEqual(["The plans", "Have you seen them?"]);
  });
});

/** The sizes of the packets of a recording: the payloads of its SimpleBlocks (Matroska, RFC 9559 §10.1). */
function packetSizes(webm: Buffer): number[] {
  const sizes: number[] = [];
  const number = (at: number, keepsMark: boolean): { value: number; next: number } => {
    const first = webm[at] ?? 0;
    const length = Math.clz32(first) - 23;
    let value = keepsMark ? first : first & (0xff >> length);
    let isUnknown = (first & (0xff >> length)) === 0xff >> length;
    for (let index = 1; index < length; index++) {
      value = value * 256 + (webm[at + index] ?? 0);
      isUnknown &&= webm[at + index] === 0xff;
    }
    return { value: isUnknown && !keepsMark ? Infinity : value, next: at + length };
  };
  const walk = (from: number, to: number): void => {
    for (let at = from; at < to;) {
      const id = number(at, true);
      const size = number(id.next, false);
      const end = Math.min(to, size.next + size.value);
      // Segment and Cluster hold others; a SimpleBlock has four bytes before its packet.
      if (id.value === 0x18_53_80_67 || id.value === 0x1f_43_b6_75) walk(size.next, end);
      else if (id.value === 0xa3) sizes.push(end - size.next - 4);
      at = end;
    }
  };
  walk(0, webm.length);
  return sizes;
}
