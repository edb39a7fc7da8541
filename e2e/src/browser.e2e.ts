import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { join } from "node:path";
import { loadVectors } from "@latchkey/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BrowserChecks, WelcomeVector } from "./testing/browser-page.ts";
import { buildPage } from "./testing/built-page.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { createFolder } from "./testing/processes.ts";
import type { TemporaryFolder } from "./testing/processes.ts";

// Parts of the packages in a real browser: what Node's imitations of IndexedDB and WebCrypto cannot show.

const vectors = loadVectors<WelcomeVector[]>("mls/passive-client-welcome.json");

declare global {
  // Set by the page.
  var checks: BrowserChecks;
}

let folder: TemporaryFolder;
let pages: Server;
let browser: BrowserProfile;

beforeAll(async () => {
  folder = createFolder();
  await buildPage(folder.at("built"), "./browser-page.ts");
  pages = createServer((request, response) => {
    const isScript = request.url === "/page.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(readFileSync(join(folder.at("built"), isScript ? "page.js" : "index.html")));
  });
  pages.listen(0, "127.0.0.1");
  await once(pages, "listening");
  const address = pages.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  browser = await openBrowser({ folder: folder.at("profile") });
  await browser.page.goto(`http://localhost:${String(address.port)}/`);
  await browser.page.waitForFunction(() => "checks" in globalThis);
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  pages.close();
  folder[Symbol.dispose]();
});

describe("Chromium", () => {
  test("the store's contract holds on its IndexedDB, rule by rule", async () => {
    const outcomes = await browser.page.evaluate(() => globalThis.checks.runStoreRules());
    expect(outcomes.length).toBeGreaterThan(5);
    expect(outcomes.filter(({ failure }) => failure !== undefined)).toEqual([]);
  });

  describe.skipIf(vectors === undefined)("official MLS vectors with its WebCrypto", () => {
    test.each([1, 2, 3])("cipher suite %i: a Welcome leads to the epoch that the vector names", async (suite) => {
      const own = (vectors ?? []).filter(({ cipher_suite: id, external_psks: psks }) => id === suite && psks.length === 0).slice(0, 6);
      expect(own.length).toBeGreaterThan(0);
      const results = await browser.page.evaluate((given) => globalThis.checks.joinFromVectors(given), own);
      expect(results).toEqual(own.map(({ initial_epoch_authenticator: expected }) => expected));
    });
  });

  test("a group lives there, classical and hybrid: add, talk, remove, and the removed member reads nothing", async () => {
    expect(await browser.page.evaluate(() => globalThis.checks.liveInGroup(0x0001))).toBe("done");
    expect(await browser.page.evaluate(() => globalThis.checks.liveInGroup(0xf001))).toBe("done");
  });
});
