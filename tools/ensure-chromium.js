// Finds the browser of the end-to-end tests, and installs Debian's where that is possible.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { isMain } from "./node.js";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge"];
const fixedPaths = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  `${process.env.PROGRAMFILES ?? "C:\\Program Files"}\\Google\\Chrome\\Application\\chrome.exe`,
  `${process.env["PROGRAMFILES(X86)"] ?? "C:\\Program Files (x86)"}\\Microsoft\\Edge\\Application\\msedge.exe`,
];

/** The path of a Chromium, or undefined. The environment variable CHROMIUM goes first. */
export function findChromium() {
  const chosen = process.env.CHROMIUM;
  if (chosen !== undefined && chosen !== "") return existsSync(chosen) ? chosen : undefined;
  const onPath = (process.env.PATH ?? "").split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  return [...onPath, ...names.map((name) => `/usr/bin/${name}`), ...fixedPaths].find((path) => existsSync(path));
}

/** The path of a Chromium, installed now if need be. @throws Error whose message says what to install. */
export function ensureChromium() {
  const found = findChromium();
  if (found !== undefined) return found;
  if (process.env.CHROMIUM !== undefined && process.env.CHROMIUM !== "")
    throw new Error(`CHROMIUM names ${process.env.CHROMIUM}, which is not there.`);
  if (process.platform === "linux" && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    process.stdout.write("Installing Debian's chromium package for the browser tests...\n");
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    spawnSync("apt-get", ["update", "-qq"], { stdio: ["ignore", "ignore", "inherit"], env });
    spawnSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-liberation"], {
      stdio: ["ignore", "ignore", "inherit"],
      env,
    });
    const installed = findChromium();
    if (installed !== undefined) return installed;
  }
  throw new Error(
    "The browser tests need Chromium: install it (Debian: apt install chromium) or Google Chrome, or set CHROMIUM to its path.",
  );
}

if (isMain(import.meta.url)) {
  if (process.argv.includes("--help"))
    process.stdout.write(
      "node tools/ensure-chromium.js: prints the path of the browser of the end-to-end tests, installing it where that is possible.\n",
    );
  else {
    try {
      process.stdout.write(`${ensureChromium()}\n`);
    } catch (error) {
      process.stderr.write(`${error.message}\n`);
      process.exit(1);
    }
  }
}
