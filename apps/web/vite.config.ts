import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import type { UserConfig } from "vite";

// Development against a real server: `npm start` in one terminal, `npx vite apps/web` in another.
const server = process.env["LATCHKEY_SERVER"] ?? "http://localhost:8080";

const config: UserConfig = defineConfig({
  plugins: [react()],
  define: { __LATCHKEY_VERSION__: JSON.stringify(process.env["npm_package_version"] ?? "0.1.0") },
  build: {
    target: ["chrome119", "firefox121", "safari17.2"],
    outDir: "dist",
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600,
    reportCompressedSize: false,
  },
  worker: { format: "es" },
  server: { proxy: { "/v1": { target: server, ws: true } } },
});

export default config;
