// npm run test:mutants [-- --only TEXT,... | --jobs N | --list]: changes one thing at a time in security-critical code, in a copy, and runs the tests beside it.
// A mutation that no test notices is a survivor: it fails the run, unless tools/mutants-catalogue.js says why nothing can notice it.
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { ensureInstalled } from "./ensure-installed.js";
import { mutants } from "./mutants-catalogue.js";
import { fail, isMain, requireNode, root } from "./node.js";
import { childEnvironment } from "./run-node.js";

/** Longest time that the tests of one mutation take; what takes longer has noticed it. */
const timeoutMs = 240_000;

/** What does not fit the sources, one line each: every mutation's text stands in its file exactly once. */
export function checkMutants(read = (file) => (existsSync(join(root, file)) ? readFileSync(join(root, file), "utf8") : undefined)) {
  const problems = [];
  const names = new Set();
  for (const { name, file, find, replace, tests, survives } of mutants) {
    if (names.has(name)) problems.push(`"${name}" stands twice`);
    names.add(name);
    const text = read(file);
    if (text === undefined) problems.push(`"${name}": ${file} is not there`);
    else {
      const count = text.split(find).length - 1;
      if (count !== 1) problems.push(`"${name}": its text stands ${count} times in ${file}`);
    }
    if (find === replace) problems.push(`"${name}" changes nothing`);
    for (const test of tests) if (read(test) === undefined) problems.push(`"${name}": ${test} is not there`);
    if (survives !== undefined && survives.length < 20) problems.push(`"${name}" survives without an argument`);
  }
  return problems;
}

function parseArguments(args) {
  const options = { only: [], jobs: Math.max(1, Math.floor(cpus().length / 2)), list: false };
  for (let at = 0; at < args.length; at++) {
    const value = args[at + 1];
    if (args[at] === "--list") options.list = true;
    else if (args[at] === "--only" && value !== undefined) {
      options.only = value.split(",");
      at++;
    } else if (args[at] === "--jobs" && /^[1-9]\d*$/.test(value ?? "")) {
      options.jobs = Number(value);
      at++;
    } else fail("npm run test:mutants [-- --only TEXT,... | --jobs N | --list]");
  }
  return options;
}

/** A copy of the sources whose packages find each other, and everything else in the installed packages. */
function copySources() {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-mutants-"));
  const skipped = new Set(["node_modules", ".git", "dist", ".tsbuild", "results"]);
  cpSync(root, folder, {
    recursive: true,
    filter: (source) =>
      source === root ||
      !skipped.has(
        source
          .slice(root.length + 1)
          .split("/")
          .at(-1),
      ),
  });
  mkdirSync(join(folder, "node_modules"));
  for (const name of readdirSync(join(root, "node_modules"))) {
    if (name === "@latchkey" || name === ".vite" || name === ".cache") continue;
    symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
  }
  // Links to the packages are relative: in the copy they lead to the copy.
  cpSync(join(root, "node_modules", "@latchkey"), join(folder, "node_modules", "@latchkey"), { recursive: true, verbatimSymlinks: true });
  return folder;
}

/** Whether the tests pass there; those that take longer than `limitMs` do not. */
function runTests(folder, tests, limitMs = timeoutMs) {
  const args = [
    join(folder, "node_modules/vitest/vitest.mjs"),
    "run",
    "--root",
    folder,
    "--project",
    "unit",
    "--bail=1",
    "--reporter=default",
    "--pool=threads",
    "--no-isolate",
    "--no-file-parallelism",
    ...tests,
  ];
  return new Promise((resolve) => {
    // A group of its own: with the time over, its workers end too.
    const child = spawn(requireNode(), args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"], env: childEnvironment(), detached: true });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
    const timer = setTimeout(() => process.kill(-child.pid, "SIGKILL"), limitMs);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ passed: code === 0, output });
    });
  });
}

async function main() {
  if (process.argv.includes("--help")) {
    process.stdout.write(
      "npm run test:mutants [-- --only TEXT,... | --jobs N | --list]: which single changes of security-critical code do the tests beside it notice?\n",
    );
    return;
  }
  const { only, jobs, list } = parseArguments(process.argv.slice(2));
  const problems = checkMutants();
  if (problems.length > 0) fail(problems.join("\n"));
  const chosen = mutants.filter(({ name, file }) => only.length === 0 || only.some((text) => name.includes(text) || file.includes(text)));
  if (chosen.length === 0) fail("No mutation has such a name or file.");
  if (list) {
    for (const { name, file } of chosen) process.stdout.write(`${file}: ${name}\n`);
    return;
  }
  ensureInstalled();
  const folders = Array.from({ length: Math.min(jobs, chosen.length) }, copySources);
  try {
    const tests = [...new Set(chosen.flatMap((mutant) => mutant.tests))];
    const baseline = await runTests(folders[0], tests, 10 * timeoutMs);
    if (!baseline.passed) fail(`The tests do not pass without any mutation:\n${baseline.output.slice(-4000)}`);
    const queue = [...chosen];
    const survivors = [];
    await Promise.all(
      folders.map(async (folder) => {
        for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
          const path = join(folder, mutant.file);
          const original = readFileSync(path, "utf8");
          writeFileSync(
            path,
            original.replace(mutant.find, () => mutant.replace),
          );
          const { passed } = await runTests(folder, mutant.tests);
          writeFileSync(path, original);
          if (passed && mutant.survives === undefined) survivors.push(mutant);
          const verdict = passed
            ? mutant.survives === undefined
              ? "SURVIVED"
              : "argued  "
            : mutant.survives === undefined
              ? "killed  "
              : "KILLED, though said to survive";
          process.stdout.write(`${verdict} ${mutant.file}: ${mutant.name}\n`);
          if (!passed && mutant.survives !== undefined) survivors.push(mutant);
        }
      }),
    );
    process.stdout.write(`${chosen.length} mutations, ${survivors.length} not as listed\n`);
    process.exitCode = survivors.length === 0 ? 0 : 1;
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  }
}

if (isMain(import.meta.url)) await main();
