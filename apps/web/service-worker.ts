import { build } from "vite";
import { listBundle, lookAtBuild } from "./bundle-files.ts";
import type { BuiltFiles } from "./bundle-files.ts";
import type { Plugin } from "vite";

const listModule = "virtual:bundle";

/**
 * Builds the app's one service worker: one classic script at an address that stays the same, as browsers want it, with the list of all other
 * files of the build in it. So another build is another worker, whatever of it changed.
 */
export function serviceWorker(): Plugin {
  let root = "";
  let outDir = "";
  let built: BuiltFiles | undefined;
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
      const files = await listBundle(`${root}/${outDir}`, built);
      await build({
        root,
        configFile: false,
        logLevel: "warn",
        plugins: [
          {
            name: "bundle-list",
            resolveId: (id) => (id === listModule ? `\0${listModule}` : undefined),
            load: (id) => (id === `\0${listModule}` ? `export const files = ${JSON.stringify(files)};` : undefined),
          },
        ],
        build: {
          target: ["chrome119", "firefox121", "safari17.2"],
          outDir,
          emptyOutDir: false,
          copyPublicDir: false,
          modulePreload: false,
          rolldownOptions: {
            input: "src/service-worker/service-worker.ts",
            output: { format: "iife", entryFileNames: "sw.js", codeSplitting: false },
          },
        },
      });
    },
  };
}
