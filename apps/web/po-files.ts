import { readFileSync } from "node:fs";
import { readCatalogue } from "./src/messages/catalogue.ts";
import type { Plugin } from "vite";

/** Makes a PO file a module with its messages, compiled: none is read at run time. */
export function poFiles(): Plugin {
  return {
    name: "po-files",
    load(id) {
      if (!id.endsWith(".po")) return undefined;
      const entries = readCatalogue(readFileSync(id, "utf8")).map(({ id, compiled }) => [id, compiled]);
      const messages = JSON.stringify(Object.fromEntries(entries));
      return { code: `export const messages = JSON.parse(${JSON.stringify(messages)});`, moduleType: "js" };
    },
  };
}
