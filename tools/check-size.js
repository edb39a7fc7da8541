// Checks that what the web app loads stays small: what comes first (its page, scripts, styles and worker), and each part that comes later.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, posix } from "node:path";
import { gzipSync } from "node:zlib";
import { fail, isMain, root } from "./node.js";

const kib = 1024;
/** Bytes after gzip of all that is loaded first: until somebody without an account can make one. */
const limitBytes = 270 * kib;
/** The same with what an account needs before anything of it is opened; it comes while the first page is read. */
const accountLimitBytes = 396 * kib;
/** Bytes after gzip of the service worker, with the list of the build's files in it: fetched once a page stands, and again with each newer build. */
const workerLimitBytes = 38 * kib;
/** Bytes after gzip that no file may have that has no line of its own below. How the build divides and calls what several parts share is its own affair. */
const usualBytes = 24 * kib;
/** Bytes after gzip of the parts, by how the build calls them. */
const chunkLimits = [
  { what: "all that the page begins with, React among it", name: /^index-.*\.js$/, bytes: 101 * kib },
  { what: "the client in its worker", name: /^client-host-.*\.js$/, bytes: 45 * kib },
  {
    what: "the client in the service worker, which it is installed with and loads when it is woken",
    name: /^engine-.*\.js$/,
    bytes: 380 * kib,
  },
  { what: "the client of an account", name: /^open-account-.*\.js$/, bytes: 80 * kib },
  { what: "styles that come first", name: /^index-.*\.css$/, bytes: 9.5 * kib },
  { what: "the list of conversations", name: /^ConversationList-.*\.js$/, bytes: 8 * kib },
  { what: "a conversation", name: /^ConversationPage-.*\.js$/, bytes: 31 * kib },
  { what: "details of a conversation", name: /^DetailsPane-.*\.js$/, bytes: 10 * kib },
  { what: "menus and their library", name: /^(?:MessageMenu|MenuLanguage|Dialog)-.*\.js$/, bytes: 52 * kib },
  { what: "Markdown", name: /^markdown-.*\.js$/, bytes: 48 * kib },
  { what: "the picker of emoji", name: /^EmojiPicker-.*\.js$/, bytes: 12 * kib },
  { what: "names of emoji, in one language", name: /^emoji-.*\.js$/, bytes: 70 * kib },
  { what: "what the app says, in one language", name: /^words-.*\.js$/, bytes: 27 * kib },
  { what: "what it says later, in one language", name: /^late-words-.*\.js$/, bytes: 10 * kib },
  { what: "reading codes by camera", name: /^decode-/, bytes: 15 * kib },
  { what: "what others sent, in a conversation", name: /^MessageFiles-.*\.js$/, bytes: 8 * kib },
  { what: "pictures and videos, large", name: /^Viewer-.*\.js$/, bytes: 20 * kib },
  { what: "OPAQUE, in WebAssembly", name: /^wasm-opaque-.*\.js$/, bytes: 165 * kib },
  { what: "settings", name: /^SettingsPage-.*\.js$/, bytes: 7 * kib },
  { what: "the first page", name: /^WelcomePage-.*\.js$/, bytes: 4 * kib },
  { what: "what is counted in public", name: /^start-counts-.*\.js$/, bytes: 46 * kib },
  { what: "the operator's page", name: /^start-desk-.*\.js$/, bytes: 7 * kib },
];
const dist = join(root, "apps/web/dist");

/**
 * The files that the page needs before it can be used, with their compressed sizes in bytes: what the page names, what that imports at once,
 * and workers; with an account, the client's part for that too.
 */
export function firstLoad({ hasAccount = false } = {}) {
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
  // Fetched by the page's own script before it shows anything; another language is up to 4 KiB more.
  for (const name of assets()) if (name.startsWith("words-en-")) visit(`assets/${name}`);
  // A worker named in a way the pattern above does not see still counts.
  for (const name of assets())
    if (/(?:worker|client-host).*\.js$/i.test(name) || (hasAccount && /^(?:open-account|ConversationList)-.*\.js$/.test(name)))
      visit(`assets/${name}`);
  return sizes;
}

/** Scripts and styles of the build, by name. */
function assets() {
  const folder = join(dist, "assets");
  return existsSync(folder) ? readdirSync(folder).filter((name) => /\.(?:js|css)$/.test(name)) : [];
}

/** Each script and style with its compressed size, and what it may have. */
export function chunks() {
  return assets().map((name) => {
    const limit = chunkLimits.find((one) => one.name.test(name));
    const bytes = gzipSync(readFileSync(join(dist, "assets", name)), { level: 9 }).length;
    return { name, bytes, what: limit?.what, mostBytes: limit?.bytes ?? usualBytes };
  });
}

function importsWorker(name) {
  return readFileSync(join(dist, "assets", name), "utf8").includes('"./client-worker-');
}

function inKib(bytes) {
  return `${(bytes / kib).toFixed(1).padStart(7)} KiB`;
}

if (isMain(import.meta.url)) {
  if (process.argv.includes("--help"))
    process.stdout.write("node tools/check-size.js: checks the sizes of the web app's files; build it first.\n");
  else {
    const sizes = firstLoad();
    if (sizes.size === 0) fail("The web app is not built: node tools/build-web.js");
    let totalBytes = 0;
    for (const [path, bytes] of sizes) {
      totalBytes += bytes;
      process.stdout.write(`${inKib(bytes)}  ${path}\n`);
    }
    process.stdout.write(`${inKib(totalBytes)}  at first load, of ${limitBytes / kib} allowed\n`);
    const accountBytes = [...firstLoad({ hasAccount: true }).values()].reduce((sum, bytes) => sum + bytes, 0);
    process.stdout.write(`${inKib(accountBytes)}  with an account, of ${accountLimitBytes / kib} allowed\n\n`);
    if (![...sizes.keys()].some((path) => path.endsWith(".js"))) fail("No script was found in the page: this check sees nothing.");
    const all = chunks();
    for (const { name, bytes, what, mostBytes } of all)
      if (what !== undefined) process.stdout.write(`${inKib(bytes)} of ${mostBytes / kib}  ${what}: ${name}\n`);
    for (const { what, name } of chunkLimits)
      if (all.filter((chunk) => name.test(chunk.name)).length === 0)
        fail(`No file of the build is ${what}: its line in tools/check-size.js is out of date.`);
    for (const { name, bytes, mostBytes } of all)
      if (bytes > mostBytes) fail(`${name} has ${inKib(bytes).trim()} compressed, and may have ${mostBytes / kib}.`);
    // WebKit would evaluate it once more for them, and the second one would wait for the first one's lock.
    const sharing = all.filter(({ name }) => name.endsWith(".js") && !name.startsWith("index-") && importsWorker(name));
    if (sharing.length > 0) fail(`${sharing[0].name} imports the first module of the worker: nothing may.`);
    const workerBytes = gzipSync(readFileSync(join(dist, "sw.js")), { level: 9 }).length;
    process.stdout.write(`${inKib(workerBytes)} of ${workerLimitBytes / kib}  the service worker: sw.js\n`);
    if (workerBytes > workerLimitBytes) fail("The service worker is too large.");
    if (totalBytes > limitBytes) fail("The web app is too large at first load.");
    if (accountBytes > accountLimitBytes) fail("The web app is too large before anything of an account is opened.");
  }
}
