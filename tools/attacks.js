// npm run attacks [-- CASE...]: runs the cases of attacks/ and prints what the honest client showed in each.
// --write brings the table of docs/attacks.md up to date; --check says whether it is.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { ensureInstalled } from "./ensure-installed.js";
import { fail, isMain, requireNode, root } from "./node.js";
import { childEnvironment } from "./run-node.js";

const folder = join(root, "attacks", "src");
const page = join(root, "docs", "attacks.md");
const [begin, end] = ["<!-- Written by: npm run attacks -- --write -->", "<!-- End of what is written -->"];
const verdicts = { P: "prevented", D: "detected and shown", R: "residual" };

/** What the head of each case says, in the order of the catalogue, and the titles of its tests. @throws Error for a malformed head */
export function listAttacks() {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".test.ts"))
    .map((file) => {
      const text = readFileSync(join(folder, file), "utf8");
      const [, id, attack, verdict, source, counterMeasure] =
        /^\/\/ ([A-G]\d+) \| (.+) \| ([PDR])\n\/\/ Source: (.+)\n\/\/ Counter-measure: (.+)\n/.exec(text) ?? [];
      if (id === undefined || !file.startsWith(`${id.toLowerCase()}-`)) throw new Error(`attacks/src/${file} does not begin with its row`);
      const titles = [...text.matchAll(/^ {2}test\(\s*"([^"]+)"/gm)].map(([, title]) => title);
      if (titles.length === 0) throw new Error(`attacks/src/${file} has no test`);
      return { id, attack, verdict, source, counterMeasure, file, titles };
    })
    .toSorted((a, b) => (a.id[0] === b.id[0] ? Number(a.id.slice(1)) - Number(b.id.slice(1)) : a.id < b.id ? -1 : 1));
}

/** The part of the page that is made from the cases. */
function table() {
  const cases = listAttacks();
  const cell = (text) => text.replaceAll("|", "\\|");
  const rows = cases.map(
    ({ id, attack, source, counterMeasure, verdict, file }) =>
      `| [${id}](../attacks/src/${file}) | ${cell(attack)} | ${cell(source)} | ${cell(counterMeasure)} | ${verdicts[verdict]} |`,
  );
  const shown = cases.map(({ id, attack, titles }) => `### ${id} ${attack}\n\n${titles.map((title) => `- ${title}`).join("\n")}\n`);
  const head = "| Case | Attack | Source | Counter-measure | |\n|---|---|---|---|---|";
  return `${begin}\n\n${head}\n${rows.join("\n")}\n\n## What each case shows\n\n${shown.join("\n")}\n${end}`;
}

function pageNow() {
  const text = readFileSync(page, "utf8");
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) fail("docs/attacks.md has lost the lines between which its table stands.");
  return { text, wanted: text.slice(0, from) + table() + text.slice(to + end.length) };
}

function check() {
  const { text, wanted } = pageNow();
  if (text !== wanted) fail('docs/attacks.md is not what the cases say: run "npm run attacks -- --write".');
  process.stdout.write(`attacks: ${listAttacks().length} cases, docs/attacks.md is current\n`);
}

/** Runs the cases and prints one line each, with what the client showed. */
function run(names) {
  ensureInstalled();
  const cases = listAttacks();
  const chosen = cases.filter(({ id }) => names.length === 0 || names.some((name) => name.toUpperCase() === id));
  if (chosen.length === 0) fail(`No such case. Cases: ${cases.map(({ id }) => id).join(", ")}.`);
  const output = mkdtempSync(join(tmpdir(), "latchkey-attacks-"));
  try {
    const report = join(output, "report.json");
    const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
    const files = chosen.map(({ file }) => `attacks/src/${file}`);
    const args = [vitest, "run", "--project", "attacks", "--reporter=dot", "--reporter=json", `--outputFile.json=${report}`, ...files];
    const { status } = spawnSync(requireNode(), args, { cwd: root, stdio: ["ignore", "ignore", "inherit"], env: childEnvironment() });
    if (!existsSync(report)) fail("The cases did not run.");
    const { testResults } = JSON.parse(readFileSync(report, "utf8"));
    for (const { id, attack, verdict, file } of chosen) {
      const tests = testResults.find(({ name }) => basename(name) === file)?.assertionResults ?? [];
      const isHeld = tests.length > 0 && tests.every((test) => test.status === "passed");
      process.stdout.write(`\n${id.padEnd(4)} ${attack} | ${isHeld ? verdicts[verdict] : "NOT HELD"}\n`);
      for (const test of tests) {
        process.stdout.write(`     ${test.status === "passed" ? "ok    " : "FAILED"} ${test.title}\n`);
        for (const shown of test.meta?.shown ?? []) process.stdout.write(`            shown: ${shown}\n`);
        for (const message of test.failureMessages ?? []) process.stdout.write(`            ${message.split("\n")[0]}\n`);
      }
    }
    process.exitCode = status === 0 ? 0 : 1;
  } finally {
    rmSync(output, { recursive: true, force: true });
  }
}

if (isMain(import.meta.url)) {
  const args = process.argv.slice(2);
  if (args.includes("--help")) {
    process.stdout.write(
      "npm run attacks [-- CASE...]: runs the cases of attacks/ (all, or those named) and prints what the honest client showed.\n" +
        "npm run attacks -- --write: brings docs/attacks.md up to date. --check: whether it is.\n",
    );
  } else if (args.includes("--check")) check();
  else if (args.includes("--write")) writeFileSync(page, pageNow().wanted);
  else run(args);
}
