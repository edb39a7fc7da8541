// Installs the packages of the lockfile when they are not the ones installed. Runs on any Node.js from 20 on and imports no package.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fail, findNode, isMain, requireNode, root } from "./node.js";

const lockPath = join(root, "package-lock.json");
const stampPath = join(root, "node_modules", ".latchkey-lock");

/** Installs what the lockfile names unless that was done before. Silent when there is nothing to do. */
export function ensureInstalled() {
  const [major] = process.versions.node.split(".").map(Number);
  if (major < 20) fail(`Node.js 20 or later is needed to start; this is ${process.versions.node}.`);
  const lock = readFileSync(lockPath);
  const stamp = `${createHash("sha256").update(lock).digest("hex")} ${process.platform}-${process.arch}\n`;
  if (readStamp() === stamp && findNode() !== undefined) return;
  if (!isInstalled(JSON.parse(lock.toString("utf8")))) {
    process.stdout.write("Installing packages (the first time takes a minute)...\n");
    const status = runNpm(["ci", "--include=dev", "--include=optional", "--no-audit", "--no-fund", "--loglevel=error"]);
    if (status !== 0)
      fail(`Installing failed: "npm ci" ended with ${status}. What it printed above says why; run it again once that is mended.`);
  }
  requireNode();
  mkdirSync(dirname(stampPath), { recursive: true });
  writeFileSync(stampPath, stamp);
}

function readStamp() {
  return existsSync(stampPath) ? readFileSync(stampPath, "utf8") : undefined;
}

/** Whether npm's own record of node_modules holds every package of the lockfile: so after an "npm install" by hand nothing is installed twice. */
function isInstalled(lock) {
  const recordPath = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(recordPath) || findNode() === undefined) return false;
  let installed;
  try {
    installed = JSON.parse(readFileSync(recordPath, "utf8")).packages;
  } catch {
    return false;
  }
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (path === "") return true;
    const found = installed[path];
    if (found === undefined) return wanted.optional === true || wanted.devOptional === true;
    return wanted.link === true
      ? found.resolved === wanted.resolved
      : found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

/** Runs the npm that started this script, or the one beside this Node.js, or the one on the path. Returns its exit status. */
function runNpm(args) {
  const node = process.env.npm_node_execpath ?? process.execPath;
  const candidates = [
    process.env.npm_execpath,
    join(dirname(node), "../lib/node_modules/npm/bin/npm-cli.js"),
    join(dirname(node), "node_modules/npm/bin/npm-cli.js"),
  ];
  const cli = candidates.find((path) => path !== undefined && /npm-cli\.[cm]?js$/.test(path) && existsSync(path));
  const options = { cwd: root, stdio: ["ignore", "inherit", "inherit"] };
  const result =
    cli === undefined
      ? spawnSync("npm", args, { ...options, shell: process.platform === "win32" })
      : spawnSync(node, [cli, ...args], options);
  if (result.error !== undefined) fail(`npm could not be started (${result.error.code}): install it with Node.js, then try again.`);
  return result.status ?? 1;
}

if (isMain(import.meta.url)) {
  if (process.argv.includes("--help"))
    process.stdout.write("node tools/ensure-installed.js: installs the packages of package-lock.json if they are not installed.\n");
  else ensureInstalled();
}
