import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { isolateValues, readCatalogue } from "./src/messages/catalogue.ts";
import { directionOf } from "./src/messages/languages.ts";
import type { Plugin } from "vite";

/** Parts of the catalogue that come when they are needed, as modules of their own: `en.po?attach`. What the ids in them begin with. */
const lateParts: ReadonlyMap<string, RegExp> = new Map([
  ["app", /^app\./],
  ["attach", /^(?:attach|voice)\./],
  ["desk", /^desk\./],
  ["backup", /^(?:backup\.|failure\.(?:backup_full|backup_unread|no_backup)\.)/],
  ["cases", /^cases\./],
  ["counts", /^counts\./],
  ["counting", /^counting\./],
  ["legal", /^legal\./],
  ["office", /^office\./],
  ["lock", /^lock\./],
  ["moderation", /^moderation\./],
  ["passphrase", /^passphrase\./],
  ["portable", /^portable\./],
  ["report", /^report\./],
  // Whatever comes with a conversation: of files, of messages that go, and of what is done at a time. A list of conversations says what kind of file was sent last.
  ["files", /^(?:files\.(?!kind\.|pictures$|several$)|later\.|timer\.)/],
  [
    "settings",
    /^(?:settings\.(?!heading$)|notifications\.(?!always$)|(?:blockedPeople|deletion|devices|erasing|holdings|licences|profile|record|recovery)\.)/,
  ],
]);

/** Makes a PO file a module with its messages, compiled: none is read at run time. */
export function poFiles(): Plugin {
  return {
    name: "po-files",
    load(path) {
      const [file = "", part] = path.split("?");
      const late = lateParts.get(part ?? "");
      if (!file.endsWith(".po") || (part !== undefined && late === undefined)) return undefined;
      const isRtl = directionOf(basename(file, ".po")) === "rtl";
      const entries = readCatalogue(readFileSync(file, "utf8"))
        .filter(({ id }) => late?.test(id) ?? isEarly(id))
        .map(({ id, compiled }) => [id, isRtl ? isolateValues(compiled) : compiled]);
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

function isEarly(id: string): boolean {
  return ![...lateParts.values()].some((pattern) => pattern.test(id));
}
