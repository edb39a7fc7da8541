// Builds the web app when its sources, or those of the packages in it, are not the ones of the last build.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { ensureInstalled } from "./ensure-installed.js";
import { fail, isMain, requireNode, root } from "./node.js";
import { childEnvironment } from "./run-node.js";

const webRoot = join(root, "apps", "web");
const stampPath = join(root, "node_modules", ".latchkey-web");
const sourceFolders = [
  "apps/web",
  "packages/codec",
  "packages/mls",
  "packages/transparency",
  "packages/protocol",
  "packages/reports",
  "packages/counts",
  "packages/releases",
  "packages/client",
];
const compressible = /\.(?:css|html|js|json|mjs|svg|txt|wasm|webmanifest)$/;
const minCompressedBytes = 1024;
const skipped = new Set(["dist", "node_modules", ".tsbuild"]);
const isTest = /\.(?:test|prop\.test|vectors\.test|bench|e2e)\.tsx?$/;

/** Builds apps/web into apps/web/dist unless its sources are unchanged. `force` builds in any case. */
export function buildWebIfStale({ force = false } = {}) {
  const stamp = hashSources();
  const isBuilt = existsSync(join(webRoot, "dist", "index.html"));
  if (!force && isBuilt && existsSync(stampPath) && readFileSync(stampPath, "utf8") === stamp) return;
  process.stdout.write("Building the web app...\n");
  const vite = [join(webRoot, "node_modules/vite/bin/vite.js"), join(root, "node_modules/vite/bin/vite.js")].find((path) =>
    existsSync(path),
  );
  if (vite === undefined) fail('Vite is not installed: run "npm ci --include=dev", then try again.');
  const result = spawnSync(requireNode(), [vite, "build", "--logLevel", "warn"], {
    cwd: webRoot,
    // Whatever the shell has set: React's build for development is slower, and runs each effect twice.
    env: childEnvironment({ NODE_ENV: "production" }),
    encoding: "utf8",
  });
  if (result.status !== 0) fail(`${result.stdout}${result.stderr}\nThe web app could not be built.`);
  compressFiles(join(webRoot, "dist"));
  mkdirSync(dirname(stampPath), { recursive: true });
  writeFileSync(stampPath, stamp);
}

/** Puts `NAME.br` and `NAME.gz` beside each file where that pays, as small as they get, so that no start of a server has to. */
function compressFiles(folder) {
  for (const path of listFiles(folder)) {
    const bytes = readFileSync(path);
    if (!compressible.test(path) || bytes.length < minCompressedBytes) continue;
    const coded = {
      br: brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
      gz: gzipSync(bytes, { level: 9 }),
    };
    for (const [ending, compressed] of Object.entries(coded))
      if (compressed.length < bytes.length) writeFileSync(`${path}.${ending}`, compressed);
  }
}

function hashSources() {
  const hash = createHash("sha256");
  hash.update(readFileSync(join(root, "package-lock.json"))).update(readFileSync(new URL(import.meta.url)));
  for (const folder of sourceFolders) {
    for (const path of listFiles(join(root, folder))) hash.update(`\n${relative(root, path)}\n`).update(readFileSync(path));
  }
  return `${hash.digest("hex")}\n`;
}

function listFiles(folder) {
  if (!existsSync(folder)) return [];
  const paths = [];
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (skipped.has(entry.name) || isTest.test(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) paths.push(...listFiles(path));
    else paths.push(path);
  }
  return paths;
}

if (isMain(import.meta.url)) {
  if (process.argv.includes("--help"))
    process.stdout.write("node tools/build-web.js [--force]: builds the web app if its sources changed since the last build.\n");
  else {
    ensureInstalled();
    buildWebIfStale({ force: process.argv.includes("--force") });
  }
}
