// Makes packages/client/src/names/confusable-table.ts out of the Unicode file confusables.txt (UTS 39). Run it by hand with a newer file:
// node tools/make-confusables.js PATH/confusables.txt
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail, isMain, root } from "./node.js";

const lineLength = 120;

/** What the file maps, without what NFKD, case folding or leaving out ignorable characters does by itself, and without Han characters. */
function readMappings(text) {
  const mappings = [];
  for (const line of text.split("\n")) {
    const found = /^([0-9A-F]+)\s*;\s*([0-9A-F ]+?)\s*;\s*MA/.exec(line);
    if (found === null) continue;
    const source = Number.parseInt(found[1], 16);
    const character = String.fromCodePoint(source);
    if (character.normalize("NFKD") !== character || /[\p{Default_Ignorable_Code_Point}\p{Script=Han}]/u.test(character)) continue;
    mappings.push([source, found[2].split(" ").map((code) => Number.parseInt(code, 16))]);
  }
  return mappings.sort(([a], [b]) => a - b);
}

if (isMain(import.meta.url)) {
  const [path] = process.argv.slice(2);
  if (path === undefined || path === "--help")
    process.stdout.write("node tools/make-confusables.js confusables.txt: makes the client's table of look-alike characters.\n");
  else {
    const text = readFileSync(path, "utf8");
    const version = /^# Version: (\S+)/m.exec(text)?.[1];
    if (version === undefined) fail("This is not confusables.txt.");
    let before = 0;
    const entries = readMappings(text).map(([source, targets]) => {
      const step = source - before;
      before = source;
      return `${step.toString(36)},${targets.map((target) => target.toString(36)).join(".")}`;
    });
    const lines = [""];
    for (const entry of entries) {
      if (lines.at(-1).length + entry.length + 1 > lineLength) lines.push("");
      lines[lines.length - 1] += `${entry} `;
    }
    const body = lines.map((line) => `  "${line}",`).join("\n");
    writeFileSync(
      join(root, "packages/client/src/names/confusable-table.ts"),
      `// Made by tools/make-confusables.js from confusables.txt of Unicode ${version} (UTS 39).
// © Unicode, Inc., under the Unicode License v3 (https://www.unicode.org/license.txt). Not edited by hand.

/** Entries separated by spaces: how much the code point is above the one before, a comma, code points of what it looks like; base 36. */
export const confusableTable: string = [
${body}
].join("");
`,
    );
    process.stdout.write(`${entries.length} characters of Unicode ${version}\n`);
  }
}
