import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { pinGenerator, unpinGenerator } from "../machine.ts";
import { cpuSecondsOf } from "../peers/process.ts";
import type { Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";
import { openBrowser } from "../web/browser.ts";

const page = fileURLToPath(new URL("../../../apps/web/src/media/testing/photo-page.ts", import.meta.url));

interface Prepared {
  readonly reason?: string;
  readonly ms: number;
  readonly takenBytes: number;
  readonly bytes: number;
  readonly width: number;
  readonly height: number;
}

/** A photograph as a telephone takes it, made ready to be sent in a real Chromium: smaller, and without metadata. */
export const filesPictures: Scenario = {
  name: "files-pictures",
  summary: "a photograph of 12 megapixels made ready to be sent in Chromium: CPU of the browser and all beside it, time, bytes",
  async run({ isQuick }) {
    const rounds = isQuick ? 2 : 15;
    const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-pictures-"));
    const webRoot = join(folder, "built");
    unpinGenerator();
    try {
      await build({
        configFile: false,
        logLevel: "error",
        root: folder,
        build: { outDir: webRoot, target: "esnext", lib: { entry: page, formats: ["es"], fileName: () => "page.js" } },
      });
      writeFileSync(join(webRoot, "index.html"), '<!doctype html><title>Photo</title><script type="module" src="/page.js"></script>');
      await using server = await startServerProcess({ serverOptions: { webRoot } });
      await using browser = await openBrowser(folder, "profile");
      await browser.page.goto(server.url.replace(/^ws/, "http"));
      await browser.page.waitForFunction(() => "preparePhoto" in globalThis);
      // Put there by the page.
      const prepare = (): Promise<Prepared> =>
        browser.page.evaluate(() => (Reflect.get(globalThis, "preparePhoto") as () => Promise<Prepared>)());
      const [cpu, ms]: [number[], number[]] = [[], []];
      const first = await prepare();
      for (let round = 0; round < rounds; round++) {
        const before = cpuSecondsOf(process.pid);
        const prepared = await prepare();
        cpu.push(cpuSecondsOf(process.pid) - before);
        ms.push(prepared.ms);
        if (prepared.reason !== undefined || prepared.width !== 2560 || prepared.height !== 1920)
          throw new Error(`the photograph became ${JSON.stringify(prepared)}`);
      }
      return {
        parameters: { rounds, takenBytes: first.takenBytes },
        figures: [
          { name: "ready to send", unit: "CPU s", target: 1.5, ...summarize(cpu) },
          { name: "ready to send, time", unit: "ms", ...summarize(ms) },
          { name: "size", unit: "bytes", ...summarize([first.bytes]) },
        ],
      };
    } finally {
      pinGenerator();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
