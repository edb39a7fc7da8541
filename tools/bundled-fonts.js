// Of pdfkit what a bundle cannot see by itself: it asks for its fonts by names of its own package, which is not there any more.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const asked = /require\$1\('#standard-fonts\/(\w+)'\)/g;
const asking = "const require$1 = createRequire(import.meta.url);";

const nothing = "const bundled: Readonly<Record<string, string>> = {};";
const letterFonts = ["latin", "greek", "greek-ext", "cyrillic", "cyrillic-ext", "latin-ext"];

/** The fonts of letters, as they stand in a bundle. */
function builtIn() {
  const { resolve } = createRequire(import.meta.url);
  const file = (name) => resolve(`@fontsource/noto-sans/files/noto-sans-${name}-400-normal.woff`);
  return Object.fromEntries(letterFonts.map((name) => [name, readFileSync(file(name), "base64")]));
}

/** A plugin of rolldown: the fonts' measures are imported like everything else, and the fonts of letters are built in. */
export const bundledFonts = {
  name: "latchkey-fonts",
  transform(code, path) {
    if (/[\\/]letter-fonts\.ts$/.test(path)) {
      if (!code.includes(nothing)) throw new Error("letters have their fonts in another way: see tools/bundled-fonts.js");
      return code.replace(nothing, () => nothing.replace("{}", () => JSON.stringify(builtIn())));
    }
    if (!/[\\/]pdfkit\.node\.mjs$/.test(path)) return null;
    const names = [...code.matchAll(asked)].map(([, name]) => name);
    if (names.length === 0 || !code.includes(asking))
      throw new Error("pdfkit asks for its fonts in another way: see tools/bundled-fonts.js");
    const imports = names.map((name) => `import ${name}Measures from "pdfkit/standard-fonts/${name}";`).join("\n");
    return `${imports}\n${code.replace(asking, "").replaceAll(asked, "$1Measures")}`;
  },
};
