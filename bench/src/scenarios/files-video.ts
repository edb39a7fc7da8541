import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { writeFilm } from "../files/film.ts";
import { pinGenerator, unpinGenerator } from "../machine.ts";
import type { Figure, Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";
import { openBrowser } from "../web/browser.ts";
import { sendFile, signUp, talk } from "../web/people.ts";
import { watchTargets } from "../web/targets.ts";

const webRoot = fileURLToPath(new URL("../../../apps/web/dist", import.meta.url));
const mib = 2 ** 20;
const share = 0.8;

/** A film from one browser to another, which plays it while it comes: how much of it has come by then. */
export const filesVideo: Scenario = {
  name: "files-video",
  summary: "a film of 128 MiB by ffmpeg, sent and played by the web app in Chromium: bytes until it plays, and until it plays at 80 %",
  async run({ isQuick }) {
    if (!existsSync(join(webRoot, "index.html"))) throw new Error("The web app is not built: node tools/build-web.js");
    const rounds = isQuick ? 1 : 5;
    unpinGenerator();
    const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-video-"));
    try {
      const path = writeFilm(folder, (isQuick ? 16 : 128) * mib);
      await using server = await startServerProcess({ serverOptions: { limits: { publicationIntervalMs: 0 }, webRoot } });
      const url = server.url.replace(/^ws/, "http");
      await using ada = await openBrowser(folder, "ada");
      await using ben = await openBrowser(folder, "ben");
      await signUp(ada.page, url, "ada");
      await signUp(ben.page, url, "ben");
      await talk(ada.page, { page: ben.page, username: "ben" });
      const [slow, fast]: [Played[], Played[]] = [[], []];
      for (let round = 0; round < rounds; round++)
        for (const [list, bytesPerSecond] of [
          [slow, mib],
          [fast, undefined],
        ] as const) {
          // Each time another film: nothing of it is here.
          await sendFile(ada.page, path);
          list.push(await play({ page: ben.page, profile: join(folder, "ben"), count: slow.length + fast.length + 1, bytesPerSecond }));
        }
      return {
        parameters: { bytes: statSync(path).size, rounds },
        figures: [...figuresOf("1 MiB/s", slow, { begins: 1, sought: 3 }), ...figuresOf("no limit", fast)],
      };
    } finally {
      pinGenerator();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** What had come, of ciphertext, and how long it took. */
interface Played {
  readonly beginsBytes: number;
  readonly beginsMs: number;
  /** In all, when it plays at 80 %. */
  readonly soughtBytes: number;
  readonly soughtMs: number;
}

/** Plays the newest of so many films, with a network of that speed below the worker that fetches it, and goes to 80 % once it plays. */
async function play(params: {
  readonly page: Page;
  readonly profile: string;
  readonly count: number;
  readonly bytesPerSecond: number | undefined;
}): Promise<Played> {
  const { page, profile, count, bytesPerSecond } = params;
  const tiles = page.locator(".file-tile-button");
  while ((await tiles.count()) < count) await page.waitForTimeout(100);
  let came = 0;
  const fetches = new Set<string>();
  using _targets = await watchTargets(profile, {
    async attached(target) {
      if (target.type !== "service_worker") return;
      const limit = { offline: false, latency: 20, downloadThroughput: bytesPerSecond ?? -1, uploadThroughput: -1 };
      await Promise.all([target.send("Network.enable"), target.send("Network.emulateNetworkConditions", limit)]);
    },
    onEvent(_, method, told) {
      // As the protocol describes them.
      if (method === "Network.requestWillBeSent") {
        const { requestId, request } = told as { requestId: string; request: { url: string } };
        if (request.url.includes("/v1/blobs/")) fetches.add(requestId);
      } else if (method === "Network.dataReceived") {
        const { requestId, dataLength } = told as { requestId: string; dataLength: number };
        if (fetches.has(requestId)) came += dataLength;
      }
    },
  });
  const pressedMs = performance.now();
  await tiles.last().click();
  const video = page.locator("video.file-shown");
  // A picture of it was shown at that place, and another one after it.
  await video.evaluate(seePicture, 0);
  const [beginsBytes, beginsMs] = [came, performance.now() - pressedMs];
  const soughtAtMs = performance.now();
  await video.evaluate(seePicture, share);
  const [soughtBytes, soughtMs] = [came, performance.now() - soughtAtMs];
  // It is taken away, so that the next one is the only one.
  await page.reload();
  return { beginsBytes, beginsMs, soughtBytes, soughtMs };
}

/** In the page: goes to that share of a video, if it is not at its beginning, and resolves with the second picture that is shown from there on. */
async function seePicture(element: SVGElement | HTMLElement, share: number): Promise<void> {
  if (!(element instanceof HTMLVideoElement)) throw new Error("no video");
  if (share > 0) element.currentTime = share * element.duration;
  let seen = -1;
  for (;;) {
    const at = await new Promise<number>((resolve) => element.requestVideoFrameCallback((_, { mediaTime }) => resolve(mediaTime)));
    if (at < share * element.duration) continue;
    if (seen >= 0 && at > seen) return;
    seen = at;
  }
}

function figuresOf(
  network: string,
  all: readonly Played[],
  targets: { readonly begins?: number; readonly sought?: number } = {},
): Figure[] {
  const { begins, sought } = targets;
  const goal = (target: number | undefined): { readonly target?: number } => (target === undefined ? {} : { target });
  return [
    { name: `${network}: came until it plays`, unit: "MiB", ...goal(begins), ...summarize(all.map((one) => one.beginsBytes / mib)) },
    {
      name: `${network}: came until it plays at 80 %`,
      unit: "MiB",
      ...goal(sought),
      ...summarize(all.map((one) => one.soughtBytes / mib)),
    },
    { name: `${network}: until it plays`, unit: "ms", ...summarize(all.map((one) => one.beginsMs)) },
    { name: `${network}: from going there until it plays at 80 %`, unit: "ms", ...summarize(all.map((one) => one.soughtMs)) },
  ];
}
