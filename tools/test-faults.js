// npm run test:faults [-- --runs N]: crashes, losses of power, failing and full disks, damaged files and wrong clocks, many times over with
// other seeds each time; 1,000 losses of power nightly.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensureInstalled } from "./ensure-installed.js";
import { fail, requireNode, root } from "./node.js";
import { childEnvironment } from "./run-node.js";

/** What each kind of fault is tested by, and how many times its file runs: those with seeds of their own run them within one. */
const files = [
  { path: "packages/server/src/store/sqlite/power-loss.test.ts", isSeeded: true },
  { path: "packages/server/src/crash.test.ts", isSeeded: false },
  { path: "packages/server/src/disk-failures.test.ts", isSeeded: false },
  { path: "packages/server/src/full-disk.test.ts", isSeeded: false },
  { path: "packages/server/src/faults.test.ts", isSeeded: false },
  { path: "packages/server/src/directory/seen.test.ts", isSeeded: false },
  { path: "packages/server/src/clock", isSeeded: false },
];
/** A file without seeds meets another moment each time: so often for a hundred runs. */
const repeatsPerHundred = 1;

const [flag, value, ...rest] = process.argv.slice(2);
if ((flag !== undefined && flag !== "--runs") || rest.length > 0) fail("npm run test:faults [-- --runs N]");
const isNightly = process.env.LATCHKEY_NIGHTLY === "1";
const runs = flag === "--runs" ? Number(value) : isNightly ? 1000 : 100;
if (!Number.isInteger(runs) || runs < 1) fail("--runs takes a number from 1");
ensureInstalled();
let failed = 0;
for (const { path, isSeeded } of files) {
  const repeats = isSeeded ? 1 : Math.max(1, Math.round((runs / 100) * repeatsPerHundred));
  for (let repeat = 0; repeat < repeats; repeat++) {
    const args = [join(root, "node_modules/vitest/vitest.mjs"), "run", "--project", "unit", path];
    const env = childEnvironment({ LATCHKEY_FAULT_RUNS: String(runs) });
    const { status } = spawnSync(requireNode(), args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], env });
    if (status !== 0) failed += 1;
  }
}
process.stdout.write(failed === 0 ? `passed: ${String(runs)} runs\n` : `FAILED: ${String(failed)} files\n`);
process.exitCode = failed === 0 ? 0 : 1;
