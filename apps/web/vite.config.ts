import { readFileSync } from "node:fs";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { copiesApart } from "./apart.ts";
import { emojiData } from "./emoji-data.ts";
import { licences } from "./licences.ts";
import { poFiles } from "./po-files.ts";
import { serviceWorker } from "./service-worker.ts";
import type { UserConfig } from "vite";

// Development against a real server: `npm start` in one terminal, `npx vite apps/web` in another.
const server = process.env["LATCHKEY_SERVER"] ?? "http://localhost:8080";

// The manifest of this workspace has the version of the whole product (tools/version.js).
const { version } = JSON.parse(readFileSync(new URL("./package.json", import.meta.url), "utf8")) as { version: string };

/** What a page or a worker begins with is one file, whatever of it is also asked for later: many small ones compress worse. */
const atOnce = { codeSplitting: { groups: [{ name: "base", tags: ["$initial" as const] }] } };

/** A language's messages and its names of emoji are otherwise called the same. */
function chunkName({ name, facadeModuleId }: { readonly name: string; readonly facadeModuleId: string | null }): string {
  const isLate = facadeModuleId?.includes(".po?") === true;
  const kind = isLate
    ? "late-words-"
    : facadeModuleId?.endsWith(".po")
      ? "words-"
      : facadeModuleId?.includes("virtual:emoji/")
        ? "emoji-"
        : "";
  return `assets/${kind}${name}-[hash].js`;
}

const config: UserConfig = defineConfig({
  plugins: [react(), emojiData(), licences(), poFiles(), serviceWorker()],
  define: { __LATCHKEY_VERSION__: JSON.stringify(version) },
  build: {
    target: ["chrome119", "firefox121", "safari17.2"],
    outDir: "dist",
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600,
    reportCompressedSize: false,
    rolldownOptions: { output: { ...atOnce, chunkFileNames: chunkName } },
  },
  worker: { format: "es", plugins: () => [copiesApart()], rolldownOptions: { output: atOnce } },
  server: { proxy: { "/v1": { target: server, ws: true } } },
});

export default config;
