import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const sources = { client: "../../../packages/client/src/", web: "../../../apps/web/src/" };

/** Builds a page of tests into `folder`, with `page.js` made of a script beside this one, which may import `virtual:client/` and `virtual:web/`. */
export async function buildPage(folder: string, script: string): Promise<void> {
  mkdirSync(folder);
  await build({
    configFile: false,
    logLevel: "error",
    root: fileURLToPath(new URL("../..", import.meta.url)),
    resolve: {
      alias: Object.entries(sources).map(([name, path]) => ({
        find: new RegExp(`^virtual:${name}/`),
        replacement: fileURLToPath(new URL(path, import.meta.url)),
      })),
    },
    build: {
      outDir: folder,
      emptyOutDir: false,
      minify: false,
      target: "esnext",
      lib: { entry: fileURLToPath(new URL(script, import.meta.url)), formats: ["es"], fileName: () => "page.js" },
      rolldownOptions: { output: { codeSplitting: false } },
    },
  });
  writeFileSync(
    join(folder, "index.html"),
    '<!doctype html><title>Tests</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>',
  );
}
