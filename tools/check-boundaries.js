// Runs dependency-cruiser over every package and app, and makes sure that it really saw them: a cruiser without a TypeScript
// it understands sees almost nothing and finds nothing wrong.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isMain, root } from "./node.js";

const folders = ["packages", "apps", "bench", "e2e", "attacks", "sim"].filter((folder) => existsSync(join(root, folder)));
/** Modules that every run must have seen, each with one that it imports. */
const knownImports = [
  ["packages/mls/src/index.ts", "packages/mls/src/errors.ts"],
  ["packages/protocol/src/index.ts", "packages/protocol/src/errors.ts"],
  ["packages/testkit/src/codec-suite.ts", "packages/codec/src/index.ts"],
];
/** Workspaces that must be seen to import each other: these arrows carry the design. */
const knownArrows = [
  ["packages/mls/src/", "packages/codec/src/index.ts"],
  ["packages/protocol/src/", "packages/codec/src/index.ts"],
  ["packages/client/src/", "packages/mls/src/index.ts"],
  ["packages/client/src/", "packages/protocol/src/index.ts"],
  ["packages/server/src/", "packages/protocol/src/index.ts"],
  ["apps/web/src/", "packages/client/src/"],
  ["apps/cli/src/", "packages/client/src/"],
  ["apps/cli/src/", "packages/server/src/index.ts"],
];

/** The violations and blind spots found, one line each, and how much was looked at. */
export function checkBoundaries() {
  const result = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs"),
      "--config",
      ".dependency-cruiser.cjs",
      "--output-type",
      "json",
      ...folders,
    ],
    { cwd: root, encoding: "utf8", maxBuffer: 256 * 1024 * 1024 },
  );
  if (result.stdout === "") return { problems: [`dependency-cruiser did not run: ${result.stderr.trim()}`], modules: 0, dependencies: 0 };
  const { modules, summary } = JSON.parse(result.stdout);
  const problems = summary.violations
    .filter(({ rule }) => rule.severity === "error")
    .map(
      ({ rule, from, to, cycle }) => `${rule.name}: ${from} -> ${cycle === undefined ? to : cycle.map(({ name }) => name).join(" -> ")}`,
    );

  const own = modules.filter(({ source }) => folders.some((folder) => source.startsWith(`${folder}/`)));
  const edges = own.flatMap(({ source, dependencies }) =>
    dependencies.map(({ resolved, dependencyTypes }) => ({ source, resolved, dependencyTypes })),
  );
  const seen = new Set(own.map(({ source }) => source));
  for (const path of listSources()) if (!seen.has(path)) problems.push(`not seen: ${path}`);
  for (const [from, to] of knownImports) {
    if (!edges.some(({ source, resolved }) => source === from && resolved === to))
      problems.push(`not seen: the import of ${to} in ${from}`);
  }
  for (const [from, to] of knownArrows) {
    if (!edges.some(({ source, resolved }) => source.startsWith(from) && resolved.startsWith(to)))
      problems.push(`not seen: any import of ${to} below ${from}`);
  }
  if (!edges.some(({ dependencyTypes }) => dependencyTypes.includes("type-only"))) problems.push("not seen: any type-only import");
  return { problems, modules: own.length, dependencies: edges.length };
}

/** Every TypeScript source of the repository, so that the least number of modules is the real one. */
function listSources() {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
      .filter((path) => /\/src\/.*\.tsx?$/.test(path) && !path.endsWith(".d.ts") && !/\/(?:node_modules|dist|\.tsbuild)\//.test(path)),
  );
}

if (isMain(import.meta.url)) {
  if (process.argv.includes("--help")) process.stdout.write("node tools/check-boundaries.js: checks which package imports which.\n");
  else {
    const { problems, modules, dependencies } = checkBoundaries();
    for (const problem of problems) process.stderr.write(`${problem}\n`);
    process.stdout.write(`boundaries: ${modules} modules, ${dependencies} imports, ${problems.length} problems\n`);
    process.exitCode = problems.length === 0 ? 0 : 1;
  }
}
