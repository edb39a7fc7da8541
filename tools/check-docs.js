// Checks that every public export of every package is documented, and that no text tells people to run a package that is not ours.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { listWorkspaces } from "./check-references.js";
import { isMain, root } from "./node.js";

/** The exports without a doc comment, one line each, and how many exports there are. */
export async function checkDocs() {
  // TypeScript 6: version 7 has no compiler interface for JavaScript.
  const { default: ts } = await import("typescript");
  const entries = listWorkspaces()
    .filter((folder) => folder.startsWith("packages/"))
    .flatMap((folder) =>
      Object.values(JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")).exports ?? {}).map((path) =>
        join(root, folder, path),
      ),
    )
    .filter((path) => existsSync(path));
  const { config } = ts.readConfigFile(join(root, "tsconfig.base.json"), (path) => readFileSync(path, "utf8"));
  const { options } = ts.convertCompilerOptionsFromJson(
    {
      ...config.compilerOptions,
      lib: ["esnext", "dom"],
      composite: false,
      incremental: false,
      noEmit: true,
      emitDeclarationOnly: false,
      tsBuildInfoFile: undefined,
    },
    root,
  );
  const program = ts.createProgram(entries, options);
  const checker = program.getTypeChecker();
  const undocumented = new Set();
  let exports = 0;
  for (const entry of entries) {
    const source = program.getSourceFile(entry);
    const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
    for (const exported of module === undefined ? [] : checker.getExportsOfModule(module)) {
      exports += 1;
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      // A codec is documented by the type that it encodes.
      if (symbol.name.endsWith("Codec")) continue;
      if (symbol.getDocumentationComment(checker).length > 0 || symbol.getJsDocTags(checker).length > 0) continue;
      const declaration = symbol.declarations?.[0];
      const where = declaration === undefined ? entry : declaration.getSourceFile().fileName;
      const line =
        declaration === undefined ? 1 : declaration.getSourceFile().getLineAndCharacterOfPosition(declaration.getStart()).line + 1;
      undocumented.add(`${relative(root, where)}:${line} ${symbol.name}`);
    }
  }
  return { undocumented: [...undocumented].sort((a, b) => (a < b ? -1 : 1)), exports };
}

/**
 * Where texts say `npx NAME` of a name that no installed package of others has: outside a checkout npx fetches whatever somebody
 * published under it, and runs it. One line each.
 */
export function unclaimedCommands(texts = ownTexts()) {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const isClaimed = (name) => packages[`node_modules/${name}`] !== undefined && packages[`node_modules/${name}`].link !== true;
  return texts.flatMap(([path, text]) =>
    text
      .split("\n")
      .flatMap((line, index) =>
        [...line.matchAll(/\bnpx (?:--?[a-z-]+ )*(@?[a-z][\w./-]*)/g)]
          .filter(([, name]) => !isClaimed(name))
          .map(([command]) => `${path}:${index + 1} ${command}: the name is nobody's, write ./latchkey`),
      ),
  );
}

/** The texts of the repository with their paths, without what is installed or built. */
function ownTexts(folder = "") {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.name.startsWith(".") || ["node_modules", "dist", "data"].includes(entry.name)) return [];
    if (entry.isDirectory()) return ownTexts(path);
    if (!/\.(?:md|[jt]sx?|json|ya?ml|sh)$/.test(entry.name) || path.startsWith("tools/check-docs.")) return [];
    return [[path, readFileSync(join(root, path), "utf8")]];
  });
}

if (isMain(import.meta.url)) {
  if (process.argv.includes("--help"))
    process.stdout.write(
      "node tools/check-docs.js: every public export of a package has a doc comment, and no text says npx of an unclaimed name.\n",
    );
  else {
    const { undocumented, exports } = await checkDocs();
    const unclaimed = unclaimedCommands();
    for (const line of undocumented) process.stderr.write(`not documented: ${line}\n`);
    for (const line of unclaimed) process.stderr.write(`${line}\n`);
    process.stdout.write(`docs: ${exports} exports, ${undocumented.length} without a doc comment\n`);
    process.exitCode = undocumented.length === 0 && unclaimed.length === 0 && exports > 0 ? 0 : 1;
  }
}
