import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildPage } from "./testing/built-page.ts";
import { openBrowser } from "./testing/chromium.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import type { FileName, MediaChecks, SeenPicture } from "./testing/media-page.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

// What the web app makes of pictures, videos and voice before they are sent, in a real browser under the headers of a real server.

declare global {
  // Set by the page.
  var media: MediaChecks;
}

let folder: TemporaryFolder;
let server: ServerProcess;
let browser: BrowserProfile;

beforeAll(async () => {
  folder = createFolder();
  await buildPage(folder.at("built"), "./media-page.ts");
  server = await startServerProcess({ data: folder.at("data"), args: ["--web-root", folder.at("built")] });
  browser = await openBrowser({ folder: folder.at("profile"), hasMicrophone: true });
  await browser.page.goto(server.url);
  await browser.page.waitForFunction(() => "media" in globalThis);
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

function picture(name: FileName, quality?: "high"): Promise<SeenPicture | string> {
  return browser.page.evaluate(([name, quality]) => globalThis.media.picture(name, quality), [name, quality] as const);
}

function wasRun(): Promise<boolean> {
  return browser.page.evaluate(() => "wasRun" in globalThis);
}

describe("a still picture", () => {
  test("of 12 megapixels is turned as it is to be shown, smaller, and says nothing but what it shows", async () => {
    const seen = await picture("photo");
    expect(seen).toMatchObject({ width: 1920, height: 2560, isAnimated: false, hasSecret: false, frames: 1 });
    expect(seen).toMatchObject({ corners: ["red", "red", "blue", "blue"] });
    expect(await picture("photo", "high")).toMatchObject({ width: 3024, height: 4032, hasSecret: false });
  });

  test("that is small stays as it is, but for its metadata, and is still turned", async () => {
    expect(await picture("smallPhoto")).toMatchObject({ mediaType: "image/jpeg", width: 64, height: 32, hasSecret: false });
    expect(await picture("drawing")).toMatchObject({ mediaType: "image/png", hasSecret: false, corners: ["red", "blue", "red", "blue"] });
    const turned = await picture("smallTurnedPhoto");
    expect(turned).toMatchObject({ mediaType: "image/jpeg", width: 32, height: 64, corners: ["red", "red", "blue", "blue"] });
  });

  test("of AVIF loses its documents, and nothing of it moves", async () => {
    const seen = await picture("avif");
    expect(seen).toMatchObject({ mediaType: "image/avif", width: 32, height: 32, frames: 1, hasSecret: false });
    expect(seen).toMatchObject({ corners: ["red", "blue", "red", "blue"] });
  });

  test("is made smaller however thin it is, and keeps what is transparent", async () => {
    expect(await picture("longLine")).toMatchObject({ width: 1, height: 2560 });
    expect(await picture("largeTransparent")).toMatchObject({ width: 2560, height: 51, corners: ["none", "blue", "none", "blue"] });
  });

  test("of WebP that was to be turned is encoded anew, without what said so", async () => {
    expect(await picture("turnedWebp")).toMatchObject({ hasSecret: false, frames: 1 });
  });

  test("is prepared in a worker as in a page", async () => {
    const answer = await browser.page.evaluate(() => globalThis.media.pictureInWorker("photo"));
    expect(answer).toMatch(/^image\/(?:webp|jpeg) 1920 x 2560$/);
  });
});

describe("an animated picture", () => {
  test.each(["animatedGif", "animatedPng", "animatedWebp"] as const)("%s stays animated, without its metadata", async (name) => {
    const seen = await picture(name);
    expect(seen).toMatchObject({ isAnimated: true, frames: 2, hasSecret: false });
  });
});

describe("what is no picture", () => {
  test.each([
    ["heic", "heic"],
    ["svg", "not_a_picture"],
    ["html", "not_a_picture"],
    ["empty", "not_a_picture"],
    ["noAvif", "not_what_it_says"],
    ["huge", "too_many_pixels"],
    ["hugeAnimation", "too_many_pixels"],
    ["broken", "undecodable"],
    ["brokenAnimation", "not_what_it_says"],
  ] as const)("%s goes as a file: %s", async (name, reason) => {
    expect(await picture(name)).toBe(reason);
    expect(await wasRun()).toBe(false);
  });

  test("goes without its metadata all the same, where they can be taken out", async () => {
    const asFile = (name: FileName): Promise<unknown> => browser.page.evaluate((name) => globalThis.media.asFile(name), name);
    expect(await asFile("heic")).toEqual({ metadata: "removed", bytes: 0, hasSecret: false });
    expect(await asFile("html")).toEqual({ metadata: "kept", bytes: 0, hasSecret: false });
  });

  test("is not decoded to find that out", async () => {
    for (const name of ["huge", "hugeAnimation", "svg", "html", "heic"] as const)
      expect(await browser.page.evaluate((name) => globalThis.media.decodings(name), name)).toBe(0);
    expect(await browser.page.evaluate(() => globalThis.media.decodings("drawing"))).toBeGreaterThan(0);
  });

  test("is sent for none where the browser hides what a canvas shows", async () => {
    expect(await browser.page.evaluate(() => globalThis.media.pictureWithNoise("photo"))).toBe("canvas_blocked");
    expect(await browser.page.evaluate(() => globalThis.media.pictureWithNoise("drawing"))).toBe("canvas_blocked");
  });
});

describe("a video or a sound", () => {
  test.each([
    ["webm", "kept"],
    ["mp4", "removed"],
  ] as const)("(%s) is known by its size, its length and a picture of it; what it says of its recording is %s", async (type, metadata) => {
    const video = await browser.page.evaluate((type) => globalThis.media.video(type), type);
    const corners = ["red", "blue", "red", "blue"];
    expect(video).toMatchObject({
      kind: "video",
      again: "video",
      width: 320,
      height: 240,
      metadata,
      hasSecret: false,
      posterCorners: corners,
    });
    const { durationMs, thumbhashBytes } = video as { durationMs: number; thumbhashBytes: number };
    expect(durationMs).toBeGreaterThan(500);
    expect(durationMs).toBeLessThan(5000);
    expect(thumbhashBytes).toBeGreaterThanOrEqual(5);
  });

  test("of sound alone has a length and no picture", async () => {
    const sound = await browser.page.evaluate(() => globalThis.media.sound(3));
    expect(sound).toEqual({ kind: "audio", metadata: "kept", durationMs: 3000, peaks: [64, true] });
    // Longer than it is looked at as a whole.
    const long = await browser.page.evaluate(() => globalThis.media.sound(601));
    expect(long).toEqual({ kind: "audio", metadata: "kept", durationMs: 601_000, peaks: undefined });
  });

  test("that is none goes as a file", async () => {
    expect(await browser.page.evaluate(() => globalThis.media.noVideo())).toEqual({
      kind: "as_file",
      reason: "undecodable",
      metadata: "kept",
    });
    expect(await wasRun()).toBe(false);
  });

  test("is looked at for five seconds and no longer", async () => {
    expect(await browser.page.evaluate(() => globalThis.media.lateVideo())).toEqual({
      kind: "as_file",
      reason: "too_slow",
      metadata: "kept",
    });
  });
});

describe("a voice message", () => {
  const look = (): Promise<ReturnType<MediaChecks["voice"]["look"]>> => browser.page.evaluate(() => globalThis.media.voice.look());

  test("has packets of one size, its length and its peaks; a pause does not count", async () => {
    expect(await browser.page.evaluate(() => globalThis.media.voice.start())).toBe("recording");
    await browser.page.waitForFunction(() => globalThis.media.voice.look().level > 0);
    await browser.page.waitForFunction(() => globalThis.media.voice.look().elapsedMs > 1200);
    await browser.page.evaluate(() => globalThis.media.voice.pause());
    const paused = await look();
    expect(paused).toMatchObject({ state: "paused", level: 0 });
    expect((await look()).elapsedMs).toBe(paused.elapsedMs);
    await browser.page.evaluate(() => globalThis.media.voice.resume());
    await browser.page.waitForFunction((before) => globalThis.media.voice.look().elapsedMs > before + 500, paused.elapsedMs);
    const recording = await browser.page.evaluate(() => globalThis.media.voice.finish());
    expect(recording).toMatchObject({ mediaType: "audio/webm", packets: "constant", sizes: { kind: "constant" } });
    const { durationMs, playsMs, peaks } = recording as { durationMs: number; playsMs: number; peaks: number[] };
    expect(durationMs).toBeGreaterThan(paused.elapsedMs + 500);
    expect(playsMs).toBe(durationMs);
    expect([peaks.length, Math.max(...peaks)]).toEqual([64, 255]);
    expect(await look()).toMatchObject({ state: "ended", end: "finished" });
    // Ended once: the same again.
    expect(await browser.page.evaluate(() => globalThis.media.voice.finish())).toEqual(recording);
  });

  test("ends by itself at its longest", async () => {
    await browser.page.evaluate(() => globalThis.media.voice.start(400));
    await browser.page.waitForFunction(() => globalThis.media.voice.look().end === "limit");
    expect(await browser.page.evaluate(() => globalThis.media.voice.finish())).toMatchObject({ durationMs: 400, packets: "constant" });
  });

  test("that is discarded leaves nothing", async () => {
    await browser.page.evaluate(() => globalThis.media.voice.start());
    await browser.page.waitForFunction(() => globalThis.media.voice.look().elapsedMs > 200);
    await browser.page.evaluate(() => globalThis.media.voice.discard());
    expect(await browser.page.evaluate(() => globalThis.media.voice.finish())).toBeUndefined();
    await browser.page.waitForFunction(() => globalThis.media.voice.look().end === "discarded");
  });

  test("ends with the microphone, and what was said until then is there", async () => {
    expect(await browser.page.evaluate(() => globalThis.media.voice.startAndUnplug())).toBe("microphone_gone");
    const recording = await browser.page.evaluate(() => globalThis.media.voice.finish());
    expect(recording).toMatchObject({ mediaType: "audio/webm", packets: "constant" });
  });

  test("is an MP4 where the browser knows no WebM, with packets of one size as well", async () => {
    expect(await browser.page.evaluate(() => globalThis.media.voice.startWithoutWebm())).toBe("recording");
    await browser.page.waitForFunction(() => globalThis.media.voice.look().elapsedMs > 500);
    const recording = await browser.page.evaluate(() => globalThis.media.voice.finish());
    expect(recording).toMatchObject({ mediaType: "audio/mp4", packets: "constant", sizes: { kind: "constant" } });
  });

  test.each([
    ["NotAllowedError", "denied"],
    ["NotFoundError", "no_microphone"],
    ["NotReadableError", "busy"],
  ])("is none without a microphone: %s is %s", async (errorName, reason) => {
    expect(await browser.page.evaluate((name) => globalThis.media.voice.startWithout(name), errorName)).toBe(reason);
  });
});

test("nothing of all that was against the content security policy", () => {
  expect(browser.violations).toEqual([]);
  expect(browser.errors).toEqual([]);
});
