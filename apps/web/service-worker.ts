import { build } from "vite";
import { listBundle, lookAtBuild } from "./bundle-files.ts";
import type { BuiltFiles } from "./bundle-files.ts";
import type { InlineConfig, Plugin, Rolldown } from "vite";

const listModule = "virtual:bundle";

/**
 * Builds the app's one service worker: one classic script at an address that stays the same, as browsers want it, with the list of all other
 * files of the build in it. So another build is another worker, whatever of it changed. Its engine is a second script, which it loads when it is
 * woken, and which the browser keeps with it (decision 0034).
 */
export function serviceWorker(): Plugin {
  let root = "";
  let outDir = "";
  let built: BuiltFiles | undefined;
  /** A classic script, with all that it imports in it. */
  const script: InlineConfig["build"] = {
    target: ["chrome119", "firefox121", "safari17.2"],
    emptyOutDir: false,
    copyPublicDir: false,
    modulePreload: false,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2000,
  };
  const buildEngine = async (): Promise<string> => {
    const output = await build({
      root,
      configFile: false,
      logLevel: "warn",
      define: { "process.env.NODE_ENV": '"production"' },
      build: {
        ...script,
        outDir,
        minify: true,
        lib: { entry: "src/service-worker/engine.ts", formats: ["iife"], name: "latchkeyEngine" },
        rolldownOptions: { output: { entryFileNames: "assets/engine-[hash].js", codeSplitting: false } },
      },
    });
    const [{ output: chunks }] = output as Rolldown.RolldownOutput[];
    return chunks[0].fileName;
  };
  return {
    name: "service-worker",
    apply: "build",
    configResolved(config) {
      root = config.root;
      outDir = config.build.outDir;
    },
    writeBundle(_options, bundle) {
      built = lookAtBuild(bundle);
    },
    async closeBundle() {
      // Nothing was built.
      if (built === undefined) return;
      const engine = await buildEngine();
      // The browser keeps it with the worker's own script.
      const files = await listBundle(`${root}/${outDir}`, { ...built, apart: new Set([...built.apart, engine]) });
      await build({
        root,
        configFile: false,
        logLevel: "warn",
        plugins: [
          {
            name: "bundle-list",
            resolveId: (id) => (id === listModule ? `\0${listModule}` : undefined),
            load: (id) =>
              id === `\0${listModule}`
                ? `export const files = ${JSON.stringify(files)};\nexport const enginePath = ${JSON.stringify(`/${engine}`)};`
                : undefined,
          },
        ],
        build: {
          ...script,
          outDir,
          rolldownOptions: {
            input: "src/service-worker/service-worker.ts",
            output: { format: "iife", entryFileNames: "sw.js", codeSplitting: false },
          },
        },
      });
    },
  };
}
