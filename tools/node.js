// Finds the Node.js that runs the sources: version 26 or later, installed with the project's other packages.
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The first folder above this file. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** The oldest Node.js that runs the sources directly. */
const oldestMajor = 26;

/** Whether a script was started directly rather than imported. */
export function isMain(moduleUrl) {
  return process.argv[1] !== undefined && pathToFileURL(resolve(process.argv[1])).href === moduleUrl;
}

/** Ends the process with one line on standard error. */
export function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** The path of the Node.js that runs the sources, or undefined when there is none. */
export function findNode() {
  const binary = process.platform === "win32" ? "node.exe" : "node";
  for (const name of [
    `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`,
    `node-bin-${process.platform}-${process.arch}`,
  ]) {
    const path = join(root, "node_modules", name, "bin", binary);
    if (existsSync(path)) return path;
  }
  // A platform for which npm has no package: the Node.js that runs this script will do if it is new enough.
  return Number.parseInt(process.versions.node, 10) >= oldestMajor ? process.execPath : undefined;
}

/** As findNode, but ends the process with an explanation when there is none. */
export function requireNode() {
  const node = findNode();
  if (node !== undefined) return node;
  fail(
    `Node.js ${oldestMajor} is not there for ${process.platform}-${process.arch}. It is installed as an optional package: run "npm ci --include=optional" ` +
      `(npm config get omit shows whether optional packages are switched off), or start this with Node.js ${oldestMajor} itself.`,
  );
}

if (isMain(import.meta.url)) {
  if (process.argv.includes("--help")) process.stdout.write("node tools/node.js: prints the path of the Node.js that runs the sources.\n");
  else process.stdout.write(`${requireNode()}\n`);
}
