// npm test [-- --only STEP,... | --skip STEP,...]: every check and every test, one after the other, with a summary at the end.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { buildWebIfStale } from "./build-web.js";
import { ensureChromium } from "./ensure-chromium.js";
import { ensureInstalled, ensureInterop } from "./ensure-installed.js";
import { fail, requireNode, root } from "./node.js";
import { childEnvironment } from "./run-node.js";

const startedMs = Date.now();
const module = (...path) => join(root, "node_modules", ...path);
const tool = (name) => join(root, "tools", name);

/** Steps in their order. `run` returns { passed, failed, skipped, note }. */
const steps = [
  { name: "types", title: "Types (tsc -b)", run: () => check([module("@typescript/native/bin/tsc"), "-b", "--pretty", "false"]) },
  { name: "references", title: "Project references", run: () => check([tool("check-references.js")]) },
  { name: "lint", title: "Lint (oxlint, type-aware)", run: lint },
  { name: "format", title: "Format (oxfmt)", run: () => check([module("oxfmt/bin/oxfmt"), "--check"]) },
  { name: "boundaries", title: "Boundaries (dependency-cruiser)", run: () => check([tool("check-boundaries.js")]) },
  { name: "unused", title: "Unused code and dependencies (knip)", run: () => check([module("knip/bin/knip.js"), "--no-progress"]) },
  { name: "docs", title: "Public exports are documented", run: () => check([tool("check-docs.js")]) },
  { name: "catalogue", title: "Page of known attacks is current", run: () => check([tool("attacks.js"), "--check"]) },
  { name: "spec", title: "Spec rules have tests", run: () => check([tool("check-spec-rules.js")]) },
  { name: "examples", title: "Examples in the docs compile", run: () => check([tool("check-examples.js")]) },
  { name: "unit", title: "Unit, property, vector and conformance tests", run: () => vitest("unit") },
  { name: "postgres", title: "The server on PostgreSQL, where it is installed", run: () => vitest("postgres") },
  { name: "attacks", title: "Known attacks: a malicious operator, honest clients", run: () => vitest("attacks") },
  { name: "sim", title: "Simulated lives: many clients, one server, seeded faults", run: () => vitest("sim") },
  { name: "interop", title: "Interoperation: ts-mls, and core-crypto in Chromium", run: interoperate },
  { name: "build", title: "Web app: build and size at first load", run: buildAndMeasure },
  { name: "e2e", title: "End to end in Chromium", run: endToEnd },
  { name: "packages", title: "Packages: built, installed, started", run: buildPackages },
  // Takes an hour: nightly.
  ...(process.env.LATCHKEY_NIGHTLY === "1"
    ? [{ name: "faults", title: "Faults, many times over", run: () => check([tool("test-faults.js")]) }]
    : []),
  ...(process.env.LATCHKEY_NIGHTLY === "1"
    ? [{ name: "cluster", title: "Nodes that are stopped and killed", run: () => check([tool("test-cluster.js")]) }]
    : []),
  ...(process.env.LATCHKEY_NIGHTLY === "1"
    ? [{ name: "mutants", title: "Mutations that the tests notice", run: () => check([tool("mutants.js")]) }]
    : []),
];

const options = parseArguments(process.argv.slice(2));
ensureInstalled();
const results = [];
for (const step of steps.filter(({ name }) => options.includes(name))) {
  process.stdout.write(`\n=== ${step.title} ===\n`);
  const stepStartedMs = Date.now();
  let outcome;
  try {
    outcome = step.run();
  } catch (error) {
    process.stdout.write(`${error.message}\n`);
    outcome = { passed: 0, failed: 1, skipped: 0 };
  }
  const seconds = (Date.now() - stepStartedMs) / 1000;
  process.stdout.write(`--- ${outcome.failed === 0 ? "passed" : "FAILED"} in ${seconds.toFixed(1)} s\n`);
  results.push({ ...step, ...outcome, seconds });
}
process.exitCode = summarise(results) ? 0 : 1;

function parseArguments(args) {
  const names = steps.map(({ name }) => name);
  const listed = (value) => {
    const chosen = (value ?? "").split(",");
    const unknown = chosen.filter((name) => !names.includes(name));
    if (unknown.length > 0) fail(`No such step: ${unknown.join(", ")}. Steps: ${names.join(", ")}.`);
    return chosen;
  };
  const [flag, value, ...rest] = args;
  if (flag === undefined) return names;
  if (flag === "--help") {
    process.stdout.write(`npm test [-- --only STEP,... | --skip STEP,...]\nSteps: ${names.join(", ")}.\n`);
    process.exit(0);
  }
  if (rest.length > 0 || (flag !== "--only" && flag !== "--skip")) fail("npm test [-- --only STEP,... | --skip STEP,...]");
  return flag === "--only" ? listed(value) : names.filter((name) => !listed(value).includes(name));
}

/** A program whose exit status says whether all is well: one check. */
function check(args) {
  const { status, error } = spawnSync(requireNode(), args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], env: childEnvironment() });
  if (error !== undefined) process.stdout.write(`${error.message}\n`);
  return status === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

/** One vitest project; counts come from its own report. */
function vitest(project, env = {}, folderOfProject) {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-test-"));
  try {
    const report = join(folder, "report.json");
    const args = [
      module("vitest/vitest.mjs"),
      "run",
      ...(folderOfProject === undefined ? ["--project", project] : ["--root", folderOfProject]),
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
    ];
    const { status } = spawnSync(requireNode(), args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], env: childEnvironment(env) });
    if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0, note: "no report" };
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests = 0, testResults } = JSON.parse(readFileSync(report, "utf8"));
    // A file that cannot be loaded, or an error outside any test, fails the run without failing a test.
    const failed = status === 0 ? numFailedTests : Math.max(1, numFailedTests);
    return {
      passed: numPassedTests,
      failed,
      skipped: numPendingTests + numTodoTests,
      failures: failuresIn(testResults),
      again: passedAgainIn(testResults),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What failed, of a report: the file, the test's name and the beginning of what it said. */
function failuresIn(files) {
  return files.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(root, name);
    const failed = assertionResults.filter((test) => test.status === "failed");
    if (failed.length === 0) return status === "failed" ? [`${file}: ${firstLines(message)}`] : [];
    return failed.map(({ fullName, failureMessages }) => `${file} > ${fullName}: ${firstLines(failureMessages.join(" "))}`);
  });
}

/** What failed and passed when it was tried again, of a report: as much of a fault, seen more seldom. */
function passedAgainIn(files) {
  return files.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status, failureMessages }) => status === "passed" && failureMessages.length > 0)
      .map(({ fullName, failureMessages }) => `${relative(root, name)} > ${fullName}: ${firstLines(failureMessages.join(" "))}`),
  );
}

function firstLines(text = "") {
  return text.trim().split("\n").slice(0, 3).join(" ").slice(0, 400);
}

function buildAndMeasure() {
  buildWebIfStale();
  return check([tool("check-size.js")]);
}

/** The linter reads the types of the foreign implementations too. */
function lint() {
  ensureInterop();
  return check([module("oxlint/bin/oxlint"), "--type-aware", "--deny-warnings"]);
}

/** The foreign implementations are an npm project of their own: so are its types and its tests. */
function interoperate() {
  const chromium = ensureChromium();
  ensureInterop();
  const types = check([module("@typescript/native/bin/tsc"), "-p", "interop", "--pretty", "false"]);
  const { failed, ...counts } = vitest("interop", { CHROMIUM: chromium }, join(root, "interop"));
  return { ...counts, failed: failed + types.failed };
}

function endToEnd() {
  const chromium = ensureChromium();
  buildWebIfStale();
  return vitest("e2e", { CHROMIUM: chromium });
}

function buildPackages() {
  buildWebIfStale();
  return vitest("packages");
}

/** Prints one line a step and the totals; true when nothing failed. */
function summarise(done) {
  const total = (key) => done.reduce((sum, result) => sum + result[key], 0);
  process.stdout.write("\n=== Summary ===\n");
  for (const { title, passed, failed, skipped, seconds, note } of done) {
    const counts = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}${note === undefined ? "" : ` (${note})`}`;
    process.stdout.write(`${failed === 0 ? "ok    " : "FAILED"} ${title.padEnd(46)} ${seconds.toFixed(1).padStart(6)} s  ${counts}\n`);
  }
  process.stdout.write(`${((Date.now() - startedMs) / 1000).toFixed(0)} s in all; a check without tests of its own counts as one.\n`);
  process.stdout.write(`${total("passed")} passed, ${total("failed")} failed\n`);
  // Last, where whoever sees the end alone sees it.
  for (const { title, again = [] } of done)
    for (const one of again) process.stdout.write(`PASSED ONLY WHEN TRIED AGAIN in ${title}: ${one}\n`);
  for (const { title, failures = [] } of done) for (const failure of failures) process.stdout.write(`FAILED in ${title}: ${failure}\n`);
  return total("failed") === 0;
}
