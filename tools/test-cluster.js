// npm run test:cluster [-- --runs N --from SEED]: nodes on one PostgreSQL of which one is stopped or killed in its turn to publish, many times
// over: half of the runs stop one there, and a run takes eight seconds; then as many runs in each of which nodes, PostgreSQL and NATS are killed,
// and in half of which the standby takes over: about twenty seconds each; then the recipes of ops/cluster, a tenth as many times with the primary
// lost under them: about forty seconds each.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureInstalled } from "./ensure-installed.js";
import { fail, requireNode, root } from "./node.js";
import { childEnvironment } from "./run-node.js";

const { values } = parseArgs({ options: { runs: { type: "string", default: "100" }, from: { type: "string", default: "1" } } });
const [runs, from] = [Number(values.runs), Number(values.from)];
if (!Number.isInteger(runs) || runs < 1 || !Number.isInteger(from)) fail("npm run test:cluster [-- --runs N --from SEED]");
ensureInstalled();
const files = ["packages/server/src/cluster.test.ts", "packages/server/src/all-killed.test.ts", "apps/cli/src/cluster-recipes.test.ts"];
const args = [join(root, "node_modules/vitest/vitest.mjs"), "run", "--project", "unit", "--no-file-parallelism", ...files];
const env = childEnvironment({ LATCHKEY_CLUSTER_RUNS: String(runs), LATCHKEY_CLUSTER_SEED: String(from) });
process.exitCode = spawnSync(requireNode(), args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], env }).status ?? 1;
