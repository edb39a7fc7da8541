import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { isolateValues, readCatalogue } from "./src/messages/catalogue.ts";
import { directionOf } from "./src/messages/languages.ts";
import type { Plugin } from "vite";

/** Makes a PO file a module with its messages, compiled: none is read at run time. */
export function poFiles(): Plugin {
  return {
    name: "po-files",
    load(path) {
      if (!path.endsWith(".po")) return undefined;
      const isRtl = directionOf(basename(path, ".po")) === "rtl";
      const entries = readCatalogue(readFileSync(path, "utf8")).map(({ id, compiled }) => [id, isRtl ? isolateValues(compiled) : compiled]);
      const messages = JSON.stringify(Object.fromEntries(entries));
      return { code: `export const messages = JSON.parse(${JSON.stringify(messages)});`, moduleType: "js" };
    },
    // Which file has which language: so public/theme.js has the browser fetch the right one at once, beside the scripts.
    transformIndexHtml: {
      order: "post",
      handler(html, { bundle }) {
        const files = Object.values(bundle ?? {}).flatMap((file) =>
          file.type === "chunk" && file.facadeModuleId?.endsWith(".po")
            ? [[basename(file.facadeModuleId, ".po"), `/${file.fileName}`]]
            : [],
        );
        const words = JSON.stringify(Object.fromEntries(files)).replaceAll('"', "&quot;");
        return html.replace('<script src="/theme.js">', `<script src="/theme.js" data-words="${words}">`);
      },
    },
  };
}
