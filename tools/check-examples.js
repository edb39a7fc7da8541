// Type-checks every TypeScript block of README.md, docs/ and the packages' own README.md.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fail, isMain, requireNode, root } from "./node.js";

// Below the repository, so that packages resolve as they do for a program that stands in it; ignored by git.
const folder = join(root, ".tsbuild-examples");

/** What the compiler says, and how many blocks there were. */
export function checkExamples() {
  const list = (path, recursive) => readdirSync(join(root, path), { recursive }).map((name) => `${path}/${name.replaceAll("\\", "/")}`);
  const packageReadmes = list("packages", false).map((path) => `${path}/README.md`);
  const pages = ["README.md", ...list("docs", true), ...packageReadmes].filter(
    (path) => path.endsWith(".md") && existsSync(join(root, path)),
  );
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  let blocks = 0;
  for (const page of pages) {
    const text = readFileSync(join(root, page), "utf8");
    for (const match of text.matchAll(/^```ts\n([\s\S]*?)^```/gm)) {
      const line = text.slice(0, match.index).split("\n").length;
      blocks += 1;
      writeFileSync(join(folder, `${page.replaceAll(/[^a-zA-Z0-9]/g, "-")}-line-${line}.ts`), match[1] ?? "");
    }
  }
  const config = {
    extends: "../tsconfig.base.json",
    include: ["*.ts"],
    compilerOptions: {
      composite: false,
      incremental: false,
      noEmit: true,
      emitDeclarationOnly: false,
      tsBuildInfoFile: null,
      isolatedDeclarations: false,
      lib: ["esnext", "dom"],
    },
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const { status, stdout } = spawnSync(
    requireNode(),
    [join(root, "node_modules/@typescript/native/bin/tsc"), "-p", folder, "--pretty", "false"],
    { cwd: root, encoding: "utf8" },
  );
  rmSync(folder, { recursive: true, force: true });
  return { blocks, problems: status === 0 ? [] : stdout.trim().split("\n") };
}

if (isMain(import.meta.url)) {
  if (process.argv.includes("--help"))
    process.stdout.write(
      `node tools/check-examples.js: type-checks the TypeScript blocks of README.md and ${relative(root, join(root, "docs"))}/.\n`,
    );
  else {
    const { blocks, problems } = checkExamples();
    for (const problem of problems) process.stderr.write(`${problem}\n`);
    if (blocks === 0) fail("no TypeScript block was found");
    process.stdout.write(`examples: ${blocks} blocks, ${problems.length} problems\n`);
    process.exitCode = problems.length === 0 ? 0 : 1;
  }
}
