// Of pdfkit what a bundle cannot see by itself: it asks for its fonts by names of its own package, which is not there any more.

const asked = /require\$1\('#standard-fonts\/(\w+)'\)/g;
const asking = "const require$1 = createRequire(import.meta.url);";

/** A plugin of rolldown: the fonts' measures are imported like everything else. */
export const bundledFonts = {
  name: "latchkey-fonts",
  transform(code, path) {
    if (!/[\\/]pdfkit\.node\.mjs$/.test(path)) return null;
    const names = [...code.matchAll(asked)].map(([, name]) => name);
    if (names.length === 0 || !code.includes(asking))
      throw new Error("pdfkit asks for its fonts in another way: see tools/bundled-fonts.js");
    const imports = names.map((name) => `import ${name}Measures from "pdfkit/standard-fonts/${name}";`).join("\n");
    return `${imports}\n${code.replace(asking, "").replaceAll(asked, "$1Measures")}`;
  },
};
