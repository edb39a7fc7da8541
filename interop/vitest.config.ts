import { defineConfig } from "vitest/config";

// Run by tools/test.js once tools/ensure-interop.js has installed the foreign implementations.
export default defineConfig({
  test: { name: "interop", include: ["src/**/*.test.ts"], environment: "node", testTimeout: 60_000, hookTimeout: 60_000 },
});
