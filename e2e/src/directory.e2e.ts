import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { describe, expect, test } from "vitest";
import { buildPage } from "./testing/built-page.ts";
import { openBrowser } from "./testing/chromium.ts";
// For its global declaration: it is the page that runs it.
import type { DirectoryOutcome } from "./testing/directory-page.ts";
import { createFolder } from "./testing/processes.ts";

describe("the public log of accounts in Chromium", () => {
  test(
    "[D-1] proofs of first contacts are verified in a page, with its WebCrypto, and lies are refused",
    { timeout: 120_000 },
    async () => {
      using folder = createFolder();
      await buildPage(folder.at("built"), "./directory-page.ts");
      const server = createServer((request, response) => {
        const isScript = request.url === "/page.js";
        response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
        response.end(readFileSync(folder.at("built", isScript ? "page.js" : "index.html")));
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      if (address === null || typeof address === "string") throw new Error("no port");
      try {
        await using browser = await openBrowser({ folder: folder.at("profile") });
        await browser.page.goto(`http://localhost:${String(address.port)}/`);
        await browser.page.waitForFunction(() => "verifyDirectory" in globalThis);
        const outcome: DirectoryOutcome = await browser.page.evaluate(() => globalThis.verifyDirectory());
        expect(outcome.times.length).toBe(12);
        expect(outcome.refusals).toEqual(outcome.times.flatMap(() => ["quorum", "proof"]));
        // How long it takes is measured by the benchmarks: here it is told, and nothing hangs on it.
        const median = outcome.times.toSorted((a, b) => a - b)[6] ?? Number.NaN;
        process.stdout.write(`a first contact verified in Chromium: median ${median.toFixed(1)} ms, ${String(outcome.proofBytes)} bytes\n`);
      } finally {
        server.close();
      }
    },
  );
});
