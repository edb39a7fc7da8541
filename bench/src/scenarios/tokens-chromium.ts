import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromBase64Url, toBase64Url } from "@latchkey/codec";
import { maxTokenBatch } from "@latchkey/protocol";
import { sodiumVoprf } from "@latchkey/server/testing";
import { build } from "vite";
import { pinGenerator, unpinGenerator } from "../machine.ts";
import type { Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";
import { longTasks, openBrowser } from "../web/browser.ts";

const script = (name: string): string => fileURLToPath(new URL(`../web/${name}`, import.meta.url));

interface Blinded {
  readonly blinded: readonly string[];
  readonly stretchesMs: readonly number[];
}

interface Finished {
  readonly finished: number;
  readonly stretchesMs: readonly number[];
}

const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size));
const sum = (stretches: readonly number[]): number => stretches.reduce((all, ms) => all + ms, 0);

/** A batch of tokens got in a worker of a real Chromium, by the client's own functions, and what its page's thread felt of it. */
export const tokensChromium: Scenario = {
  name: "tokens-chromium",
  summary:
    "a batch of 100 tokens blinded, verified and finished in a worker of Chromium: its time, its longest stretch, long tasks of the page",
  async run({ isQuick }) {
    const rounds = isQuick ? 3 : 10;
    const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-tokens-"));
    const webRoot = join(folder, "built");
    unpinGenerator();
    try {
      await build({
        configFile: false,
        logLevel: "error",
        root: folder,
        build: {
          outDir: webRoot,
          target: "esnext",
          lib: {
            entry: { page: script("token-page.ts"), worker: script("token-worker.ts") },
            formats: ["es"],
            fileName: (_format, name) => `${name}.js`,
          },
        },
      });
      writeFileSync(join(webRoot, "index.html"), '<!doctype html><title>Tokens</title><script type="module" src="/page.js"></script>');
      await using server = await startServerProcess({ serverOptions: { webRoot } });
      await using browser = await openBrowser(folder, "profile");
      await browser.page.goto(server.url.replace(/^ws/, "http"));
      await browser.page.waitForFunction(() => "blindBatch" in globalThis);
      const voprf = await sodiumVoprf();
      const { secretKey, publicKey } = voprf.deriveKeyPair(random(32), new Uint8Array());
      // Both are put there by the page. What the issuer does between is not the worker's.
      const get = async (): Promise<readonly number[]> => {
        const { blinded, stretchesMs } = await browser.page.evaluate(
          (size) => (Reflect.get(globalThis, "blindBatch") as (size: number) => Promise<Blinded>)(size),
          maxTokenBatch,
        );
        const given = voprf.evaluateBatch(secretKey, blinded.map(fromBase64Url), random(64));
        if (given === undefined) throw new Error("a batch that a client blinded is evaluated");
        const words = { evaluated: given.elements.map(toBase64Url), proof: toBase64Url(given.proof), publicKey: toBase64Url(publicKey) };
        const { finished, stretchesMs: more } = await browser.page.evaluate(
          (answer) => (Reflect.get(globalThis, "finishBatch") as (answer: object) => Promise<Finished>)(answer),
          words,
        );
        if (finished !== maxTokenBatch) throw new Error("an honest batch holds");
        return [...stretchesMs, ...more];
      };
      // The first one compiles, and is what a person who has just come waits for.
      const first = await get();
      await longTasks(browser.page);
      const batches: (readonly number[])[] = [];
      const held: number[] = [];
      for (let round = 0; round < rounds; round++) {
        batches.push(await get());
        held.push(Math.max(0, ...(await longTasks(browser.page))));
      }
      return {
        parameters: { batch: maxTokenBatch, rounds },
        figures: [
          { name: "a batch in the worker", unit: "ms", target: 1200, ...summarize(batches.map(sum)) },
          { name: "the first batch, with compiling", unit: "ms", target: 1200, ...summarize([sum(first)]) },
          { name: "the worker's longest stretch", unit: "ms", ...summarize(batches.map((stretches) => Math.max(...stretches))) },
          { name: "the page's longest task of 50 ms or more", unit: "ms", target: 50, ...summarize(held) },
        ],
      };
    } finally {
      pinGenerator();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
