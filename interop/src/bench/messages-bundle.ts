import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

// Bundles messages-main.ts into plain JavaScript for Node 20, which neither strips types nor knows raw keys; prints the file's path. ts-mls
// stays outside and is loaded as it is. It lies in interop/, where ts-mls is found.

const interop = fileURLToPath(new URL("../..", import.meta.url));
const outDir = join(interop, "node_modules/.latchkey-bench");
const shim = join(interop, "src/bench/node20-crypto.ts");

await build({
  configFile: false,
  logLevel: "error",
  root: interop,
  plugins: [
    {
      name: "crypto-of-node-20",
      enforce: "pre",
      // Ours alone: the shim itself and the benchmark want the real one.
      resolveId: (source, importer) =>
        source === "node:crypto" && importer?.endsWith("crypto/node-primitives.ts") === true ? shim : undefined,
    },
  ],
  build: {
    ssr: join(interop, "src/bench/messages-main.ts"),
    outDir,
    emptyOutDir: true,
    minify: false,
    target: "node20",
    rolldownOptions: { external: [/^ts-mls/], output: { entryFileNames: "messages.mjs", format: "es" } },
  },
  ssr: { noExternal: [/^@latchkey\//, /^@noble\//] },
});
process.stdout.write(`${join(outDir, "messages.mjs")}\n`);
