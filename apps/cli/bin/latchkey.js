#!/usr/bin/env node
// Starts the command line under the Node.js installed with the project, whatever Node.js (20 or later) runs this file.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { constants } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const packageRoot = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const root = resolve(packageRoot, "../..");
const main = join(packageRoot, "src", "main.ts");
const oldestMajor = 26;
// Where the program is, not in a folder that everybody may write to: what lies there is run.
const compileCache = join(root, "node_modules", ".cache", "node");

if (Number.parseInt(process.versions.node, 10) >= oldestMajor) {
  module.enableCompileCache(compileCache);
  await import("../src/main.ts");
} else {
  const binary = process.platform === "win32" ? "node.exe" : "node";
  const system = process.platform === "win32" ? "win" : process.platform;
  const node = [`node-${system}-${process.arch}`, `node-bin-${system}-${process.arch}`]
    .map((name) => join(root, "node_modules", name, "bin", binary))
    .find((path) => existsSync(path));
  if (node === undefined) {
    process.stderr.write(`latchkey: not_installed: run "npm ci" in ${root} first, or use Node.js ${oldestMajor} or later.\n`);
    process.exit(1);
  }
  const child = spawn(node, [main, ...process.argv.slice(2)], {
    stdio: "inherit",
    env: { NODE_COMPILE_CACHE: compileCache, ...process.env },
  });
  // A terminal sends Ctrl-C to both processes; only a signal meant for this one alone is passed on.
  process.on("SIGINT", () => {
    if (!process.stdin.isTTY) child.kill("SIGINT");
  });
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`latchkey: not_installed: ${error.message}\n`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => process.exit(signal === null ? (code ?? 1) : 128 + constants.signals[signal]));
}
