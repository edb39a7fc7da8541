// Checks that every rule of spec/, and every row of its table of belief, has a test whose title begins with its id, as in "[L-6] a retry ...",
// or is listed in spec/not-yet.json with the reason why it has none; and that every promise of docs/threat-model.md has one.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isMain, root } from "./node.js";

const readFolder = (folder, pattern) =>
  readdirSync(join(root, folder), { recursive: true })
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
    .filter((path) => pattern.test(path) && !/\/(?:node_modules|dist|\.tsbuild)\//.test(path));

/** The rule ids of spec/, the ids that test titles begin with, and what does not fit, one line each. */
export function checkSpecRules() {
  const problems = [];
  const rules = new Map();
  for (const path of readFolder("spec", /\.md$/)) {
    for (const [, id] of readFileSync(join(root, path), "utf8").matchAll(/^(?:- |\| )\*\*([A-Z]-\d+)\*\*/gm)) {
      if (rules.has(id)) problems.push(`${id} stands twice: ${rules.get(id)} and ${path}`);
      rules.set(id, path);
    }
  }
  const tested = new Set();
  for (const folder of ["packages", "apps", "attacks", "e2e", "bench", "sim"].filter((name) => existsSync(join(root, name)))) {
    for (const path of readFolder(folder, /\.(?:test|e2e)\.tsx?$/)) {
      const titles = readFileSync(join(root, path), "utf8").matchAll(
        /\b(?:test|it|describe)(?:\.\w+)*\s*(?:\([^"'`]*?\)\s*)?\(\s*["'`]((?:\[[A-Z]-?\d+\]\s*)+)/g,
      );
      for (const [, ids] of titles) for (const [, id] of ids.matchAll(/\[([A-Z]-?\d+)\]/g)) tested.add(id);
    }
  }
  for (const [, id] of readFileSync(join(root, "docs/threat-model.md"), "utf8").matchAll(/^\| (P\d+) \|/gm)) {
    if (!tested.has(id)) problems.push(`the promise ${id} (docs/threat-model.md) has no test whose title begins with [${id}]`);
  }
  const { rules: notYet } = JSON.parse(readFileSync(join(root, "spec/not-yet.json"), "utf8"));
  for (const [id, path] of rules) {
    if (!tested.has(id) && notYet[id] === undefined) problems.push(`${id} (${path}) has no test whose title begins with [${id}]`);
  }
  for (const [id, reason] of Object.entries(notYet)) {
    if (!rules.has(id)) problems.push(`spec/not-yet.json lists ${id}, which is no rule`);
    else if (tested.has(id)) problems.push(`spec/not-yet.json lists ${id}, which has a test: take it off the list`);
    if (typeof reason !== "string" || reason.length < 10) problems.push(`spec/not-yet.json gives no reason for ${id}`);
  }
  for (const id of tested) if (id.includes("-") && !rules.has(id)) problems.push(`a test names ${id}, which is no rule of spec/`);
  return { rules, tested, notYet, problems };
}

if (isMain(import.meta.url)) {
  if (process.argv.includes("--help"))
    process.stdout.write(
      "node tools/check-spec-rules.js: every rule of spec/ has a test, or a reason in spec/not-yet.json; every promise has a test.\n",
    );
  else {
    const { rules, tested, notYet, problems } = checkSpecRules();
    for (const problem of problems) process.stderr.write(`${problem}\n`);
    const covered = [...rules.keys()].filter((id) => tested.has(id)).length;
    process.stdout.write(
      `spec: ${rules.size} rules, ${covered} with tests, ${Object.keys(notYet).length} not yet, ${problems.length} problems\n`,
    );
    if (rules.size === 0) process.stderr.write("no rule was found in spec/\n");
    process.exitCode = problems.length === 0 && rules.size > 0 ? 0 : 1;
  }
}
