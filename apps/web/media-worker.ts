import { build } from "vite";
import type { Plugin } from "vite";

/** Builds the worker that answers what pages show of files: one classic script at an address that stays the same, as browsers want it. */
export function mediaWorker(): Plugin {
  let root = "";
  let outDir = "";
  return {
    name: "media-worker",
    apply: "build",
    configResolved(config) {
      root = config.root;
      outDir = config.build.outDir;
    },
    async closeBundle() {
      await build({
        root,
        configFile: false,
        logLevel: "warn",
        build: {
          target: ["chrome119", "firefox121", "safari17.2"],
          outDir,
          emptyOutDir: false,
          copyPublicDir: false,
          modulePreload: false,
          rolldownOptions: {
            input: "src/media-worker/media-worker.ts",
            output: { format: "iife", entryFileNames: "media.js", codeSplitting: false },
          },
        },
      });
    },
  };
}
