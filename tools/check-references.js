// Checks that the references of each tsconfig.json equal the workspace dependencies of the package.json beside it.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { isMain, root } from "./node.js";

const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));

/** Folders of all workspaces, relative to the repository. */
export function listWorkspaces() {
  return readJson(join(root, "package.json")).workspaces.flatMap((pattern) => {
    if (!pattern.endsWith("/*")) return [pattern];
    const parent = pattern.slice(0, -2);
    return readdirSync(join(root, parent))
      .map((name) => `${parent}/${name}`)
      .filter((folder) => existsSync(join(root, folder, "package.json")));
  });
}

/** One line per difference. */
export function checkReferences() {
  const problems = [];
  const folders = listWorkspaces();
  const folderOf = new Map(folders.map((folder) => [readJson(join(root, folder, "package.json")).name, folder]));
  const referencesOf = (configFolder) =>
    (readJson(join(root, configFolder, "tsconfig.json")).references ?? []).map(({ path }) =>
      relative(root, resolve(root, configFolder, path)).replaceAll("\\", "/"),
    );
  const compare = (where, actual, expected) => {
    for (const folder of expected) if (!actual.includes(folder)) problems.push(`${where}: no reference to ${folder}`);
    for (const folder of actual) if (!expected.includes(folder)) problems.push(`${where}: refers to ${folder}, which is not a dependency`);
  };
  compare("tsconfig.json", referencesOf("."), folders);
  for (const folder of folders) {
    const { dependencies = {}, devDependencies = {} } = readJson(join(root, folder, "package.json"));
    const expected = Object.keys({ ...dependencies, ...devDependencies }).flatMap((name) => folderOf.get(name) ?? []);
    compare(`${folder}/tsconfig.json`, referencesOf(folder), expected);
  }
  return problems;
}

if (isMain(import.meta.url)) {
  if (process.argv.includes("--help")) {
    process.stdout.write("node tools/check-references.js: tsconfig references must equal the workspace dependencies.\n");
  } else {
    const problems = checkReferences();
    for (const problem of problems) process.stderr.write(`${problem}\n`);
    process.stdout.write(`references: ${listWorkspaces().length} workspaces, ${problems.length} differences\n`);
    process.exitCode = problems.length === 0 ? 0 : 1;
  }
}
