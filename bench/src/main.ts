import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { canPin, describeMachine, describeRevision, pinGenerator } from "./machine.ts";
import type { Figure, Scenario } from "./scenario.ts";
import { mlsMessages } from "./mls/messages.ts";
import { mlsPeers } from "./mls/peers.ts";
import { mlsPrimitives } from "./mls/primitives.ts";
import { appendOneToOne, appendOneToOneTokens } from "./scenarios/append-one-to-one.ts";
import { cluster } from "./scenarios/cluster.ts";
import { clusterNodes } from "./scenarios/cluster-nodes.ts";
import { directory } from "./scenarios/directory.ts";
import { audit } from "./scenarios/audit.ts";
import { clientCatchUp } from "./scenarios/client-catch-up.ts";
import { clientPage, clientReactions } from "./scenarios/client-reactions.ts";
import { clientSearch } from "./scenarios/client-search.ts";
import { clientGroups } from "./scenarios/client-groups.ts";
import { backup } from "./scenarios/backup.ts";
import { deskMemory } from "./scenarios/desk-memory.ts";
import { drain } from "./scenarios/drain.ts";
import { counts } from "./scenarios/counts.ts";
import { reports } from "./scenarios/reports.ts";
import { fanout } from "./scenarios/fanout.ts";
import { filesChromium } from "./scenarios/files-chromium.ts";
import { filesClient } from "./scenarios/files-client.ts";
import { filesPictures } from "./scenarios/files-pictures.ts";
import { filesUpload } from "./scenarios/files-upload.ts";
import { filesVideo } from "./scenarios/files-video.ts";
import { growth } from "./scenarios/growth.ts";
import { heads } from "./scenarios/heads.ts";
import { hostile } from "./scenarios/hostile.ts";
import { importing } from "./scenarios/import.ts";
import { historyBackup } from "./scenarios/history-backup.ts";
import { idleMemory } from "./scenarios/idle-memory.ts";
import { mls } from "./scenarios/mls.ts";
import { serverPeers } from "./scenarios/server-peers.ts";
import { serverDirectory } from "./scenarios/server-directory.ts";
import { tokens } from "./scenarios/tokens.ts";
import { tokensChromium } from "./scenarios/tokens-chromium.ts";
import { web } from "./scenarios/web.ts";
import { webLock } from "./scenarios/web-lock.ts";
import { webOffline } from "./scenarios/web-offline.ts";

const scenarios: readonly Scenario[] = [
  appendOneToOne,
  appendOneToOneTokens,
  cluster,
  clusterNodes,
  fanout,
  idleMemory,
  drain,
  reports,
  deskMemory,
  counts,
  serverDirectory,
  serverPeers,
  hostile,
  tokens,
  tokensChromium,
  heads,
  growth,
  backup,
  directory,
  audit,
  clientCatchUp,
  clientReactions,
  clientPage,
  clientSearch,
  clientGroups,
  mls,
  mlsMessages,
  mlsPrimitives,
  mlsPeers,
  web,
  webLock,
  webOffline,
  importing,
  historyBackup,
  filesUpload,
  filesClient,
  filesChromium,
  filesPictures,
  filesVideo,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false }, help: { type: "boolean", short: "h", default: false } },
});

/** A scenario is chosen by its name, or with others by what its name begins with: "mls" runs "mls" and "mls-peers". */
const isChosen = (scenario: Scenario): boolean =>
  positionals.length === 0 || positionals.some((name) => scenario.name === name || scenario.name.startsWith(`${name}-`));

const unknown = positionals.find((name) => !scenarios.some((scenario) => scenario.name === name || scenario.name.startsWith(`${name}-`)));
if (values.help || unknown !== undefined) {
  if (unknown !== undefined) process.stderr.write(`There is no scenario "${unknown}".\n`);
  process.stdout.write(
    `npm run bench [-- --quick] [SCENARIO...]: measures and writes bench/results/<date>-<revision>.json.\n\n` +
      scenarios.map(({ name, summary }) => `  ${name.padEnd(20)} ${summary}\n`).join("") +
      `\n--quick shrinks every scenario to a few seconds and writes no file: to see that it works, not to quote.\n`,
  );
  process.exit(unknown === undefined ? 0 : 2);
}

const machine = describeMachine();
const revision = describeRevision();
pinGenerator();
process.stdout.write(`${machine.cpuModel}, ${String(machine.cores)} cores, Node ${machine.node}, revision ${revision}\n`);
process.stdout.write(
  canPin()
    ? "Server on core 1, generator on core 0.\n"
    : "Server and generator share the cores (two cores and taskset are needed to part them).\n",
);

const results = [];
for (const scenario of scenarios) {
  if (!isChosen(scenario)) continue;
  process.stdout.write(`\n${scenario.name}: ${scenario.summary}\n`);
  const result = await scenario.run({ isQuick: values.quick });
  for (const figure of result.figures) process.stdout.write(`  ${formatFigure(figure)}\n`);
  results.push({ scenario: scenario.name, ...result });
}

if (!values.quick) {
  const folder = fileURLToPath(new URL("../results", import.meta.url));
  const date = new Date().toISOString();
  const path = join(folder, `${date.slice(0, 10)}-${revision}.json`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, `${JSON.stringify({ date, revision, machine, results }, undefined, 2)}\n`);
  process.stdout.write(`\nWritten to bench/results/${date.slice(0, 10)}-${revision}.json\n`);
}

function formatFigure(figure: Figure): string {
  const round = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
  const verdict =
    figure.target === undefined
      ? ""
      : (figure.isFloor === true ? figure.median >= figure.target : figure.median <= figure.target)
        ? `  (target ${String(figure.target)}: reached)`
        : `  (target ${String(figure.target)}: MISSED)`;
  return `${figure.name.padEnd(44)} ${round(figure.median).padStart(9)} ${figure.unit}, p99 ${round(figure.p99)}, ${String(figure.samples)} samples${verdict}`;
}
