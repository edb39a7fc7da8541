import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nobleCrypto } from "@latchkey/mls/noble";
import { nodeCrypto } from "@latchkey/mls/node";
import { webCrypto } from "@latchkey/mls/web";
import { build } from "vite";
import { openPage } from "../chromium.ts";
import type { Row } from "./measure.ts";
import { benchPrimitives } from "./primitives.ts";

// What each provider's primitives cost, in Node and in a worker of Chromium. Prints the browser's version, then one row as JSON a line.
// node interop/src/bench/primitives-main.ts [--quick]

const isQuick = process.argv.includes("--quick");
const interop = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
try {
  await build({
    configFile: false,
    logLevel: "error",
    root: interop,
    build: {
      outDir: folder,
      emptyOutDir: true,
      minify: true,
      target: "esnext",
      lib: { entry: join(interop, "src/bench/primitives-worker.ts"), formats: ["es"], fileName: () => "worker.js" },
      rolldownOptions: { output: { codeSplitting: false } },
    },
  });
  await using opened = await openPage({ "/worker.js": join(folder, "worker.js") });
  opened.page.setDefaultTimeout(0);
  const text = await opened.page.evaluate(
    (quick) =>
      new Promise<string>((resolve, reject) => {
        const worker = new Worker("/worker.js", { type: "module" });
        worker.addEventListener("message", ({ data }: MessageEvent<{ rows?: string; failure?: string }>) => {
          if (data.failure !== undefined) reject(new Error(data.failure));
          if (data.rows !== undefined) resolve(data.rows);
        });
        worker.addEventListener("error", (event) => reject(new Error(event.message)));
        // A worker has no origin to name.
        // oxlint-disable-next-line unicorn/require-post-message-target-origin
        worker.postMessage({ isQuick: quick });
      }),
    isQuick,
  );
  process.stdout.write(`${JSON.stringify({ chromium: opened.page.context().browser()?.version() ?? "unknown" })}\n`);
  // The worker's own rows.
  const rows = [...(JSON.parse(text) as Row[]), ...(await benchPrimitives("node", [nodeCrypto, webCrypto, nobleCrypto], { isQuick }))];
  for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
