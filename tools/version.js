// node tools/version.js [NUMBER]: prints the product's version, or sets it everywhere it stands.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listWorkspaces } from "./check-references.js";
import { fail, isMain, root } from "./node.js";

const source = "packages/protocol/src/version.ts";
const inSource = /productVersion = "([^"]*)"/;
const number = /^[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}(?:-[a-z0-9.]{1,32})?$/;
const read = (path) => readFileSync(join(root, path), "utf8");
const manifests = () => ["package.json", ...listWorkspaces().map((folder) => `${folder}/package.json`)];

/** The version that the program says of itself. */
export function productVersion() {
  const version = inSource.exec(read(source))?.[1];
  if (version === undefined) throw new Error(`${source} has no version.`);
  return version;
}

/** One line for each place that has another version than the program, and for each package that could be published by mistake. */
export function checkVersions() {
  const version = productVersion();
  const problems = manifests().flatMap((path) => {
    const manifest = JSON.parse(read(path));
    const own = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(([name]) => name.startsWith("@latchkey/"));
    return [
      ...(manifest.version === version ? [] : [`${path}: version ${manifest.version} in place of ${version}`]),
      ...(manifest.private === true ? [] : [`${path}: not private`]),
      ...(path === "package.json" || /^@latchkey\/[a-z0-9]+$/.test(manifest.name) ? [] : [`${path}: ${manifest.name} is not of our scope`]),
      ...own.filter(([, wanted]) => wanted !== version).map(([name, wanted]) => `${path}: wants ${name} ${wanted}`),
    ];
  });
  if (!new RegExp(`^## ${version.replaceAll(".", "\\.")}(?: |$)`, "m").test(read("CHANGELOG.md")))
    problems.push(`CHANGELOG.md: nothing of ${version}`);
  return problems;
}

/** Writes the version into every place. The lockfile follows with `npm install --package-lock-only`. */
function setVersion(version) {
  const previous = productVersion();
  writeFileSync(join(root, source), read(source).replace(inSource, `productVersion = "${version}"`));
  for (const path of manifests()) {
    const text = read(path)
      .replace(`"version": "${previous}"`, `"version": "${version}"`)
      .replaceAll(/("@latchkey\/[a-z0-9]+": )"[^"]+"/g, `$1"${version}"`);
    writeFileSync(join(root, path), text);
  }
}

if (isMain(import.meta.url)) {
  const [version] = process.argv.slice(2);
  if (version === "--help") process.stdout.write("node tools/version.js [NUMBER]: prints the product's version, or sets it everywhere.\n");
  else if (version === undefined) process.stdout.write(`${productVersion()}\n`);
  else if (number.test(version)) {
    setVersion(version);
    process.stdout.write(`Now ${version}: run "npm install --package-lock-only", and say in CHANGELOG.md what is new.\n`);
  } else fail(`"${version}" is no version: use three numbers, as in 1.2.0.`);
}
