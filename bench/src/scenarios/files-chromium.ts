import { createHash, randomBytes } from "node:crypto";
import { closeSync, createReadStream, existsSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pinGenerator, unpinGenerator } from "../machine.ts";
import type { Figure, Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";
import { openBrowser } from "../web/browser.ts";
import { sendFile, signUp, talk } from "../web/people.ts";
import { heapsDuring, watchTargets } from "../web/targets.ts";
import type { Heap } from "../web/targets.ts";

const webRoot = fileURLToPath(new URL("../../../apps/web/dist", import.meta.url));
const mib = 2 ** 20;
const patienceMs = 900_000;
/** What has code of the app in it, by what the browser calls it. */
const ours: Readonly<Record<string, string>> = { page: "page", shared_worker: "worker", service_worker: "service worker" };

/** A large file from one browser to another: chosen, encrypted, uploaded, fetched, saved; what JavaScript holds meanwhile. */
export const filesChromium: Scenario = {
  name: "files-chromium",
  summary:
    "a file of 1 GiB sent by the web app in Chromium and saved by another one: what JavaScript holds in page, worker and service worker",
  async run({ isQuick }) {
    if (!existsSync(join(webRoot, "index.html"))) throw new Error("The web app is not built: node tools/build-web.js");
    const bytes = (isQuick ? 32 : 1024) * mib;
    const rounds = isQuick ? 1 : 3;
    unpinGenerator();
    const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-chromium-"));
    try {
      const [sent, saved]: [Moved[], Moved[]] = [[], []];
      for (let round = 0; round < rounds; round++) {
        const path = join(folder, "large.bin");
        const digest = writeNoise(path, bytes);
        await using server = await startServerProcess({ serverOptions: { limits: { publicationIntervalMs: 0 }, webRoot } });
        const url = server.url.replace(/^ws/, "http");
        const [adas, bens] = [`ada-${String(round)}`, `ben-${String(round)}`];
        await using ada = await openBrowser(folder, adas);
        await using ben = await openBrowser(folder, bens);
        await signUp(ada.page, url, "ada");
        await signUp(ben.page, url, "ben");
        await talk(ada.page, { page: ben.page, username: "ben" });
        using sending = await watchTargets(join(folder, adas));
        using saving = await watchTargets(join(folder, bens));
        const save = ben.page.getByRole("button", { name: "Save large.bin" });
        sent.push(
          await moved(sending, async () => {
            await sendFile(ada.page, path);
            // It is with the other one once the server has all of it.
            await save.waitFor({ timeout: patienceMs });
          }),
        );
        let copy = "";
        saved.push(
          await moved(saving, async () => {
            const [download] = await Promise.all([ben.page.waitForEvent("download", { timeout: patienceMs }), save.click()]);
            copy = await download.path();
          }),
        );
        if ((await digestOf(copy)) !== digest) throw new Error("other bytes came");
        for (const name of [adas, bens]) rmSync(join(folder, name), { recursive: true, force: true });
      }
      return {
        parameters: { bytes, rounds },
        figures: [...figuresOf("sent", sent, bytes), ...figuresOf("saved", saved, bytes)],
      };
    } finally {
      pinGenerator();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** What it took to move a file. */
interface Moved {
  readonly heaps: ReadonlyMap<string, Heap>;
  readonly seconds: number;
}

async function moved(targets: Parameters<typeof heapsDuring>[0], run: () => Promise<void>): Promise<Moved> {
  const startedMs = performance.now();
  const heaps = await heapsDuring(targets, run);
  return { heaps, seconds: (performance.now() - startedMs) / 1000 };
}

function figuresOf(what: string, all: readonly Moved[], bytes: number): Figure[] {
  const heapsOf = (type: string): readonly Heap[] => all.flatMap(({ heaps }) => heaps.get(type) ?? []);
  const kinds = Object.entries(ours).filter(([type]) => heapsOf(type).length > 0);
  return [
    ...kinds.flatMap(([type, name]): Figure[] => [
      // 100 MB, and no less by counting in MiB.
      {
        name: `${what}: most in the ${name}, with buffers`,
        unit: "MB",
        target: 100,
        ...summarize(heapsOf(type).map(({ all }) => all / 1e6)),
      },
      { name: `${what}: most objects in the ${name}`, unit: "MB", ...summarize(heapsOf(type).map(({ objects }) => objects / 1e6)) },
    ]),
    { name: what, unit: "s / GiB", ...summarize(all.map(({ seconds }) => (seconds * 1024 * mib) / bytes)) },
  ];
}

/** Writes bytes that nobody compresses; their hash. */
function writeNoise(path: string, bytes: number): string {
  const hash = createHash("sha256");
  const file = openSync(path, "w");
  try {
    for (let at = 0; at < bytes; at += mib) {
      const part = randomBytes(mib);
      hash.update(part);
      writeSync(file, part);
    }
  } finally {
    closeSync(file);
  }
  return hash.digest("hex");
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of createReadStream(path)) hash.update(part as Uint8Array);
  return hash.digest("hex");
}
