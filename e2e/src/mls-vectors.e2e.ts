import { once } from "node:events";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { vectorPath, vectorsDirectory } from "@latchkey/testkit";
import { build } from "vite";
import { describe, expect, test } from "vitest";
import { openBrowser } from "./testing/chromium.ts";
import { isNightly } from "./testing/profile.ts";
import { createFolder } from "./testing/processes.ts";
import type { TemporaryFolder } from "./testing/processes.ts";
// For its global declaration: the page runs it, under vitest's name.
import type { TestOutcome } from "./testing/vector-runner.ts";

// Official vectors, by night every one, in Chromium's WebCrypto: the test files of packages/mls themselves, bundled, with the page's provider in
// the place of Node's and a small runner in the place of vitest.

const mlsSources = fileURLToPath(new URL("../../packages/mls/src/", import.meta.url));
const runner = fileURLToPath(new URL("testing/vector-runner.ts", import.meta.url));
// And the signatures on which engines might differ.
const testFiles = [...globSync("*/*.vectors.test.ts", { cwd: mlsSources }).toSorted(), "crypto/signature-edges.test.ts"];
const vectorsFolder = join(vectorsDirectory(), "mls");
/** Wycheproof's files, where they are at hand: those that the tests ask for. */
const wycheproofFolder = dirname(vectorPath("wycheproof/ed25519_test.json"));
const wycheproofFiles = existsSync(wycheproofFolder)
  ? globSync(
      "{aes_gcm,chacha20_poly1305,hkdf_*,hmac_*,ed25519,ed448,x25519,x448,ecdsa_secp*_sha*,ecdh_secp*_ecpoint,mlkem_768*}_test.json",
      {
        cwd: wycheproofFolder,
      },
    )
  : [];
/** Files of Wycheproof that the tests read, each a group that is skipped without them. */
const wycheproofGroups = 21;

/** Node runs each of them whenever this runs. */
const stride = isNightly ? 1 : 3;

const virtual: Readonly<Record<string, string>> = {
  // Loaded before the tests, which read them as they are registered.
  "virtual:testkit": "export const loadVectors = (name) => globalThis.vectorFiles[name];",
  "virtual:node-provider": `export { webCrypto as nodeCrypto } from ${JSON.stringify(join(mlsSources, "crypto/web.ts"))};`,
  "virtual:node-primitives": `export { webPrimitives as nodePrimitives } from ${JSON.stringify(join(mlsSources, "crypto/web-primitives.ts"))};`,
  "virtual:node-crypto": "export const randomBytes = (size) => crypto.getRandomValues(new Uint8Array(size));",
};

async function bundle(folder: TemporaryFolder): Promise<void> {
  const entry = folder.at("entry.js");
  writeFileSync(entry, testFiles.map((file) => `import ${JSON.stringify(join(mlsSources, file))};`).join("\n"));
  await build({
    configFile: false,
    logLevel: "error",
    root: fileURLToPath(new URL("..", import.meta.url)),
    plugins: [
      {
        name: "vectors-in-a-page",
        enforce: "pre",
        resolveId(source) {
          if (source in virtual) return `\0${source}`;
          if (source === "vitest") return runner;
          if (source === "@latchkey/testkit") return "\0virtual:testkit";
          if (source === "node:crypto") return "\0virtual:node-crypto";
          if (source.endsWith("node-primitives.ts")) return "\0virtual:node-primitives";
          return source.endsWith("crypto/node.ts") || source === "./node.ts" ? "\0virtual:node-provider" : undefined;
        },
        load: (id) => virtual[id.slice(1)],
      },
    ],
    build: {
      outDir: folder.at("built"),
      minify: false,
      target: "esnext",
      lib: { entry, formats: ["es"], fileName: () => "tests.js" },
      rolldownOptions: { output: { codeSplitting: false } },
    },
  });
}

describe.skipIf(!existsSync(vectorsFolder))("the official MLS vectors in Chromium", () => {
  test("pass with its WebCrypto, by the test files that Node runs", { timeout: 600_000 }, async () => {
    using folder = createFolder();
    await bundle(folder);
    const files = new Map<string, string>([
      ...globSync("*.json", { cwd: vectorsFolder }).map((name) => [`mls/${name}`, join(vectorsFolder, name)] as const),
      ...wycheproofFiles.map((name) => [`wycheproof/${name}`, join(wycheproofFolder, name)] as const),
    ]);
    const start = `
      globalThis.vectorFiles = Object.fromEntries(
        await Promise.all(${JSON.stringify([...files.keys()])}.map(async (name) => [name, await (await fetch("/vectors/" + name)).json()])),
      );
      await import("/tests.js");
      globalThis.areTestsReady = true;`;
    const server = createServer((request, response) => {
      const url = request.url ?? "/";
      const vectors = url.startsWith("/vectors/") ? files.get(url.slice("/vectors/".length)) : undefined;
      response.setHeader(
        "content-type",
        url.endsWith(".js") ? "text/javascript" : url.endsWith(".json") ? "application/json" : "text/html",
      );
      if (url === "/start.js") response.end(start);
      else if (url === "/tests.js") response.end(readFileSync(folder.at("built", "tests.js")));
      else if (vectors !== undefined) response.end(readFileSync(vectors));
      else response.end('<!doctype html><title>Vectors</title><script type="module" src="/start.js"></script>');
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    try {
      await using browser = await openBrowser({ folder: folder.at("profile") });
      await browser.page.goto(`http://localhost:${String(address.port)}/`);
      await browser.page.waitForFunction(() => "areTestsReady" in globalThis);
      const { outcomes, skipped } = await browser.page.evaluate((each) => globalThis.vectorTests.runAll(each), stride);
      const failures = outcomes.filter((outcome: TestOutcome) => outcome.failure !== undefined);
      expect(failures).toEqual([]);
      // As many as there are in Node, less those that Node runs once more for its own provider.
      expect(outcomes.length).toBeGreaterThan(400 / stride);
      expect(skipped).toBe(wycheproofFiles.length === 0 ? wycheproofGroups : 0);
      process.stdout.write(`${String(outcomes.length)} vector tests of ${String(testFiles.length)} files passed in Chromium\n`);
    } finally {
      server.close();
    }
  });
});
