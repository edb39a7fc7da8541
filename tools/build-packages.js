// npm run build:packages [-- --output DIR]: the SDK's packages and the command line as npm installs them, a .tgz each.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve, sep } from "node:path";
import { threads } from "./build-binary.js";
import { bundledFonts } from "./bundled-fonts.js";
import { buildWebIfStale } from "./build-web.js";
import { ensureInstalled } from "./ensure-installed.js";
import { fail, isMain, requireNode, root } from "./node.js";
import { productVersion } from "./version.js";

/** The libraries, each after those that it needs, with what they are for. */
export const libraries = {
  codec: "The presentation language of TLS and MLS: values and their bytes",
  protocol: "Frames, entries and content of Latchkey, as its specification has them",
  transparency: "The transparency log of Latchkey's key directory: proofs, checkpoints, witnesses",
  mls: "Messaging Layer Security (RFC 9420), post-quantum by default",
  reports: "Reports of Latchkey messages with what proves them, and what a desk answers",
  counts: "What a Latchkey server counts in public: formats, and how everybody verifies them",
  client: "A Latchkey client: bots, notifiers and other programs that write end-to-end encrypted messages",
};

/** Runs on this Node.js, and in browsers where a library's README says so. */
const engines = { node: ">=26" };
/** How the sources start a thread of their own (packages/server/src/threads.ts), and where the web app lies beside them. */
const threadUrl = /(startThread\(\s*"([a-z-]+)",\s*new URL\()"[^"]+"/g;
const webUrl = 'new URL("../../../web/dist", import.meta.url)';

/** Builds all of them into a folder. Returns the paths of the archives. */
export async function buildPackages({ output }) {
  buildWebIfStale();
  declarations();
  const folder = mkdtempSync(join(tmpdir(), "latchkey-packages-"));
  mkdirSync(output, { recursive: true });
  try {
    const archives = [];
    for (const [name, description] of Object.entries(libraries)) {
      const to = join(folder, name);
      await buildLibrary(name, description, to);
      archives.push(pack(to, output));
    }
    await buildCommandLine(join(folder, "cli"));
    return [...archives, pack(join(folder, "cli"), output)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the compiler writes of the types of all sources. */
function declarations() {
  const { status, stdout } = spawnSync(requireNode(), [join(root, "node_modules/@typescript/native/bin/tsc"), "-b"], {
    cwd: root,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`The sources do not compile: ${stdout}`);
}

/** One module of JavaScript and one of types for each of the sources that the package's entries need. */
async function buildLibrary(name, description, to) {
  const from = join(root, "packages", name);
  const manifest = JSON.parse(readFileSync(join(from, "package.json"), "utf8"));
  const entries = Object.entries(manifest.exports).filter(([, path]) => !/testing/.test(path));
  const { rolldown } = await import("rolldown");
  const build = await rolldown({
    input: entries.map(([, path]) => join(from, path)),
    external: /^[^./]/,
    platform: "neutral",
    logLevel: "silent",
  });
  await build.write({
    dir: join(to, "dist"),
    format: "es",
    preserveModules: true,
    preserveModulesRoot: join(from, "src"),
    entryFileNames: "[name].js",
  });
  await build.close();
  const types = join(from, ".tsbuild/src");
  for (const path of filesIn(types).filter((each) => each.endsWith(".d.ts") && !/\.(?:test|testing|steps)\.|\/testing\//.test(each))) {
    const text = readFileSync(join(types, path), "utf8").replaceAll(/((?:from|import)\s*\(?\s*"\.{1,2}\/[^"]+)\.ts"/g, '$1.js"');
    const file = join(to, "dist", path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const exports = entries.map(([key, path]) => {
    const base = path.replace(/^\.\/src\//, "./dist/").replace(/\.ts$/, "");
    return [key, { types: `${base}.d.ts`, default: `${base}.js` }];
  });
  writeManifest(to, {
    name: manifest.name,
    description,
    license: manifest.license,
    exports: Object.fromEntries(exports),
    files: ["dist", "README.md", "CHANGELOG.md"],
    sideEffects: false,
    dependencies: manifest.dependencies,
  });
  writePages(to, from, `# ${manifest.name}\n\n${description}. Part of Latchkey, a self-hosted, end-to-end encrypted messenger.\n`);
}

/** The command line with the server and the web app: everything that it needs is inside, with the licences of what is not ours. */
async function buildCommandLine(to) {
  const from = join(root, "apps/cli");
  const manifest = JSON.parse(readFileSync(join(from, "package.json"), "utf8"));
  const { rolldown } = await import("rolldown");
  const build = await rolldown({
    input: { main: join(from, "src/main.ts"), ...Object.fromEntries(threads().map(({ name, path }) => [name, path])) },
    platform: "node",
    logLevel: "silent",
    plugins: [{ name: "latchkey-places", transform: places }, bundledFonts],
  });
  const { output } = await build.write({
    dir: join(to, "dist"),
    format: "es",
    entryFileNames: "[name].js",
    chunkFileNames: "[name]-[hash].js",
    minify: { compress: false, mangle: false, codegen: true },
  });
  await build.close();
  cpSync(join(root, "apps/web/dist"), join(to, "web"), { recursive: true });
  mkdirSync(join(to, "bin"));
  writeFileSync(join(to, "bin/latchkey.js"), launcher);
  writeFileSync(join(to, "THIRD-PARTY-LICENSES.txt"), licences(output));
  writeManifest(to, {
    name: manifest.name,
    description: "The command line of Latchkey, with its server and web app",
    license: manifest.license,
    bin: manifest.bin,
    files: ["bin", "dist", "web", "README.md", "CHANGELOG.md", "THIRD-PARTY-LICENSES.txt"],
  });
  writePages(
    to,
    from,
    `# ${manifest.name}\n\n\`npx ${manifest.name} serve\` runs a Latchkey server with its web app; \`npx ${manifest.name} help\` tells the rest.\n`,
  );
}

/** All files of the bundle lie in one folder: threads beside the program, the web app beside that folder. */
function places(code) {
  if (!code.includes("import.meta.url")) return null;
  return code.replaceAll(threadUrl, '$1"./$2.js"').replaceAll(webUrl, 'new URL("../web", import.meta.url)');
}

const launcher = `#!/usr/bin/env node
import module from "node:module";

if (Number.parseInt(process.versions.node, 10) < 26) {
  process.stderr.write(\`latchkey: node_too_old: Node.js 26 or later is needed; this is \${process.versions.node}.\\n\`);
  process.exit(1);
}
module.enableCompileCache();
await import("../dist/main.js");
`;

/** Of each package in the bundle what its licence wants to stand beside it. */
function licences(output) {
  const folders = new Map();
  for (const path of output.flatMap(({ moduleIds = [] }) => moduleIds)) {
    const [, folder, name] = /^(.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+))[\\/]/.exec(path.replace(/^\0/, "")) ?? [];
    if (folder !== undefined && existsSync(join(folder, "package.json"))) folders.set(name.replaceAll(sep, "/"), folder);
  }
  const texts = [...folders]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, folder]) => {
      const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
      const text = file === undefined ? `Licence: ${license}` : readFileSync(join(folder, file), "utf8").trim();
      return `${name} ${version} (${license})\n\n${text}\n`;
    });
  return `What follows was written by others and is inside of the program.\n\n${texts.join(`\n${"-".repeat(80)}\n\n`)}`;
}

function writeManifest(to, manifest) {
  const { name, description, license, ...rest } = manifest;
  const all = { name, version: productVersion(), description, license, type: "module", engines, ...rest };
  writeFileSync(join(to, "package.json"), `${JSON.stringify(all, undefined, 2)}\n`);
}

function writePages(to, from, readme) {
  const own = join(from, "README.md");
  writeFileSync(join(to, "README.md"), existsSync(own) ? readFileSync(own) : readme);
  cpSync(join(root, "CHANGELOG.md"), join(to, "CHANGELOG.md"));
  cpSync(existsSync(join(from, "LICENSE")) ? join(from, "LICENSE") : join(root, "LICENSE"), join(to, "LICENSE"));
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll("\\", "/"));
}

function pack(folder, output) {
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const printed = execFileSync(npm, ["pack", "--json", "--pack-destination", resolve(output)], {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return join(resolve(output), JSON.parse(printed)[0].filename);
}

if (isMain(import.meta.url)) {
  const args = process.argv.slice(2);
  if (args.includes("--help"))
    process.stdout.write("npm run build:packages [-- --output DIR]: the SDK's packages and the command line, for npm.\n");
  else {
    ensureInstalled();
    if (args.length > 0 && (args[0] !== "--output" || args.length !== 2)) fail("npm run build:packages [-- --output DIR]");
    for (const path of await buildPackages({ output: args[1] ?? join(root, "dist/packages") })) process.stdout.write(`${path}\n`);
  }
}
