// Installs the packages of the lockfile when they are not the ones installed. Runs on any Node.js from 20 on and imports no package.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fail, findNode, isMain, requireNode, root } from "./node.js";

/** Installs what the lockfile names unless that was done before. Silent when there is nothing to do. */
export function ensureInstalled() {
  const [major] = process.versions.node.split(".").map(Number);
  if (major < 20) fail(`Node.js 20 or later is needed to start; this is ${process.versions.node}.`);
  installIfChanged(root, {
    message: "Installing packages (the first time takes a minute)...",
    isComplete: () => findNode() !== undefined,
    args: ["--include=dev", "--include=optional"],
  });
  requireNode();
}

/** Installs the foreign implementations that some tests and benchmarks meet: an npm project of its own in interop/. */
export function ensureInterop() {
  const folder = join(root, "interop");
  if (!existsSync(join(folder, "package-lock.json"))) fail("There is no interop/package-lock.json.");
  installIfChanged(folder, { message: "Installing the foreign implementations of interop/...", isComplete: () => true, args: [] });
}

function installIfChanged(folder, { message, isComplete, args }) {
  const lock = readFileSync(join(folder, "package-lock.json"));
  const stampPath = join(folder, "node_modules", ".latchkey-lock");
  const stamp = `${createHash("sha256").update(lock).digest("hex")} ${process.platform}-${process.arch}\n`;
  const stamped = existsSync(stampPath) ? readFileSync(stampPath, "utf8") : undefined;
  if (stamped === stamp && isComplete()) return;
  if (!isInstalled(folder, JSON.parse(lock.toString("utf8"))) || !isComplete()) {
    process.stdout.write(`${message}\n`);
    const status = runNpm(folder, ["ci", ...args, "--no-audit", "--no-fund", "--loglevel=error"]);
    if (status !== 0)
      fail(`Installing failed: "npm ci" ended with ${status}. What it printed above says why; run it again once that is mended.`);
  }
  if (!isComplete()) return;
  mkdirSync(dirname(stampPath), { recursive: true });
  writeFileSync(stampPath, stamp);
}

/** Whether npm's own record of node_modules holds every package of the lockfile: so after an "npm install" by hand nothing is installed twice. */
function isInstalled(folder, lock) {
  const recordPath = join(folder, "node_modules", ".package-lock.json");
  if (!existsSync(recordPath)) return false;
  let installed;
  try {
    installed = JSON.parse(readFileSync(recordPath, "utf8")).packages;
  } catch {
    return false;
  }
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (path === "") return true;
    const found = installed[path];
    if (found === undefined) return wanted.optional === true || wanted.devOptional === true || wanted.peer === true;
    return wanted.link === true
      ? found.resolved === wanted.resolved
      : found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

/** Runs the npm that started this script, or the one beside this Node.js, or the one on the path. Returns its exit status. */
function runNpm(folder, args) {
  const node = process.env.npm_node_execpath ?? process.execPath;
  const candidates = [
    process.env.npm_execpath,
    join(dirname(node), "../lib/node_modules/npm/bin/npm-cli.js"),
    join(dirname(node), "node_modules/npm/bin/npm-cli.js"),
  ];
  const cli = candidates.find((path) => path !== undefined && /npm-cli\.[cm]?js$/.test(path) && existsSync(path));
  const options = { cwd: folder, stdio: ["ignore", "inherit", "inherit"] };
  const result =
    cli === undefined
      ? spawnSync("npm", args, { ...options, shell: process.platform === "win32" })
      : spawnSync(node, [cli, ...args], options);
  if (result.error !== undefined) fail(`npm could not be started (${result.error.code}): install it with Node.js, then try again.`);
  return result.status ?? 1;
}

if (isMain(import.meta.url)) {
  if (process.argv.includes("--help")) {
    process.stdout.write(
      "node tools/ensure-installed.js [--interop]: installs the packages of package-lock.json, or of interop/package-lock.json, if they are not installed.\n",
    );
  } else if (process.argv.includes("--interop")) ensureInterop();
  else ensureInstalled();
}
