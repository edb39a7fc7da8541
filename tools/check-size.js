// Checks that what the web app loads first stays small: its page, scripts, styles and worker, compressed.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, posix } from "node:path";
import { gzipSync } from "node:zlib";
import { fail, isMain, root } from "./node.js";

/** Bytes after gzip. */
const limitBytes = 300 * 1024;
const dist = join(root, "apps/web/dist");

/** The files that the page needs before it can be used, with their compressed sizes in bytes: what the page names, what that imports at once, and workers. */
export function firstLoad() {
  const sizes = new Map();
  const visit = (path) => {
    if (sizes.has(path) || !existsSync(join(dist, path))) return;
    const content = readFileSync(join(dist, path));
    sizes.set(path, gzipSync(content, { level: 9 }).length);
    const text = content.toString("utf8");
    const found = [];
    if (path.endsWith(".html")) for (const [, url] of text.matchAll(/(?:src|href)="([^"#]+\.(?:js|css))"/g)) found.push(url);
    // Static imports of a bundle, and the workers it starts. A dynamic import() is loaded later.
    if (path.endsWith(".js")) {
      for (const [, url] of text.matchAll(/(?:^|[;}\s])(?:import|export)\b[^;"'()]*?["']([^"']+\.js)["']/g)) found.push(url);
      for (const [, url] of text.matchAll(/["'`]([^"'`]*worker[^"'`]*\.js)["'`]/gi)) found.push(url);
    }
    for (const url of found) visit(posix.normalize(url.startsWith("/") ? url.slice(1) : posix.join(posix.dirname(path), url)));
  };
  visit("index.html");
  // A worker named in a way the pattern above does not see still counts.
  const assets = join(dist, "assets");
  if (existsSync(assets)) for (const name of readdirSync(assets)) if (/worker.*\.js$/i.test(name)) visit(`assets/${name}`);
  return sizes;
}

if (isMain(import.meta.url)) {
  if (process.argv.includes("--help"))
    process.stdout.write("node tools/check-size.js: checks the size of the web app's first load; build it first.\n");
  else {
    const sizes = firstLoad();
    if (sizes.size === 0) fail("The web app is not built: node tools/build-web.js");
    let totalBytes = 0;
    for (const [path, bytes] of sizes) {
      totalBytes += bytes;
      process.stdout.write(`${(bytes / 1024).toFixed(1).padStart(7)} KiB  ${path}\n`);
    }
    process.stdout.write(`${(totalBytes / 1024).toFixed(1).padStart(7)} KiB  at first load, of ${limitBytes / 1024} allowed\n`);
    if (![...sizes.keys()].some((path) => path.endsWith(".js"))) fail("No script was found in the page: this check sees nothing.");
    if (totalBytes > limitBytes) fail("The web app is too large at first load.");
  }
}
