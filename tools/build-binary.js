// npm run build:binary [-- --output FILE]: one executable with server, command line and web app inside, for this machine's kind.
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { bundledFonts } from "./bundled-fonts.js";
import { buildWebIfStale } from "./build-web.js";
import { ensureInstalled } from "./ensure-installed.js";
import { fail, isMain, requireNode, root } from "./node.js";

/** Where the executable is put unless the caller says otherwise. */
export const defaultBinary = join(root, "dist", process.platform === "win32" ? "latchkey.exe" : "latchkey");

/** How the sources start a thread of their own (packages/server/src/threads.ts). */
const threadCall = /startThread\(\s*"([a-z-]+)",\s*new URL\("([^"]+)", import\.meta\.url\)/g;

/** Builds the executable. Returns its path. */
export async function buildBinary({ output = defaultBinary } = {}) {
  buildWebIfStale();
  const folder = mkdtempSync(join(tmpdir(), "latchkey-binary-"));
  try {
    await bundle({ input: join(root, "apps/cli/src/main.ts"), file: join(folder, "main.mjs") });
    const assets = webAssets();
    for (const { name, path } of threads()) {
      const file = join(folder, `${name}.mjs`);
      await bundle({ input: path, file });
      assets[`threads/${name}.mjs`] = file;
    }
    const config = join(folder, "sea.json");
    mkdirSync(dirname(resolve(output)), { recursive: true });
    writeFileSync(
      config,
      JSON.stringify({
        main: join(folder, "main.mjs"),
        mainFormat: "module",
        executable: strippedNode(folder),
        output: resolve(output),
        disableExperimentalSEAWarning: true,
        assets,
      }),
    );
    execFileSync(requireNode(), [`--build-sea=${config}`], { stdio: ["ignore", "ignore", "inherit"] });
    chmodSync(output, 0o755);
    return resolve(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The threads that the server's sources start, with the file of each. */
export function threads() {
  const folder = join(root, "packages/server/src");
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(".ts"))
    .flatMap((name) =>
      [...readFileSync(join(folder, name), "utf8").matchAll(threadCall)].map(([, thread, file]) => ({
        name: thread,
        path: resolve(folder, dirname(name), file),
      })),
    );
}

/** One file without imports but of what Node.js has itself. */
async function bundle({ input, file }) {
  const { rolldown } = await import("rolldown");
  const build = await rolldown({ input, platform: "node", logLevel: "silent", plugins: [bundledFonts] });
  const { output } = await build.write({
    file,
    format: "es",
    codeSplitting: false,
    minify: { compress: false, mangle: false, codegen: true },
  });
  await build.close();
  const missing = output.flatMap(({ imports = [] }) => imports).filter((name) => !name.startsWith("node:") && !isBuiltin(name));
  if (missing.length > 0) throw new Error(`${input} needs ${missing.join(", ")}, which cannot be built in.`);
}

/** Every file of the built web app, and those beside them that are compressed already. */
function webAssets() {
  const webRoot = join(root, "apps/web/dist");
  const assets = {};
  for (const entry of readdirSync(webRoot, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.startsWith(".")) continue;
    const path = join(entry.parentPath, entry.name);
    assets[`web/${relative(webRoot, path).replaceAll("\\", "/")}`] = path;
  }
  return assets;
}

/** The project's Node.js without its symbols, a fifth smaller; as it is where nothing strips it. Stripped afterwards it would not run. */
function strippedNode(folder) {
  const node = join(folder, "node");
  copyFileSync(requireNode(), node);
  if (process.platform === "linux" && spawnSync("strip", [node], { stdio: "ignore" }).status === 0) return node;
  process.stdout.write("Not stripped: there is no strip (binutils) for this platform, so the executable is a fifth larger.\n");
  return node;
}

if (isMain(import.meta.url)) {
  const args = process.argv.slice(2);
  if (args.includes("--help"))
    process.stdout.write("npm run build:binary [-- --output FILE]: one executable with all of Latchkey inside.\n");
  else {
    ensureInstalled();
    if (args.length > 0 && (args[0] !== "--output" || args.length !== 2)) fail("npm run build:binary [-- --output FILE]");
    const path = await buildBinary(args.length === 2 ? { output: args[1] } : {});
    process.stdout.write(`${path}: ${(statSync(path).size / 1e6).toFixed(1)} MB\n`);
  }
}
