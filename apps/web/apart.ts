import { readFile } from "node:fs/promises";
import type { Plugin } from "vite";

/** What is loaded with the first token brings its own copy of the curve: the group on it would else come with what everybody loads. */
const apart = { module: "@noble/curves/ed25519.js", importer: /\/tokens\/blinding\.ts$/ } as const;
const mark = "?apart";

/** Gives one importer a copy of a module of its own, in its own chunk. */
export function copiesApart(): Plugin {
  return {
    name: "latchkey-copies-apart",
    enforce: "pre",
    async resolveId(source, importer, options) {
      if (source !== apart.module || importer === undefined || !apart.importer.test(importer)) return undefined;
      const resolved = await this.resolve(source, importer, { ...options, skipSelf: true });
      return resolved === null ? undefined : { ...resolved, id: resolved.id + mark };
    },
    async load(id) {
      return id.endsWith(mark) ? await readFile(id.slice(0, -mark.length), "utf8") : undefined;
    },
  };
}
