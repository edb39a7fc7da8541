import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** Every core: by itself the runner leaves one of them idle, of two. */
const maxWorkers = availableParallelism();

// Files run side by side, those of the end-to-end project too: each has servers, browsers and folders of its own.
export default defineConfig({
  test: {
    passWithNoTests: false,
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "apps/*/src/**/*.test.{ts,tsx}", "bench/src/**/*.test.ts", "tools/**/*.test.ts"],
          environment: "node",
          maxWorkers,
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "attacks",
          include: ["attacks/src/*.test.ts"],
          environment: "node",
          // Every case has servers and people of its own, which wait most of the time.
          sequence: { concurrent: true },
          maxWorkers,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "sim",
          include: ["sim/src/**/*.test.ts"],
          environment: "node",
          maxWorkers,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["e2e/src/**/*.e2e.ts"],
          environment: "node",
          maxWorkers,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
