import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeMachine, describeRevision } from "../machine.ts";
import type { Figure, Scenario } from "../scenario.ts";
import { summarize } from "../statistics.ts";
import { parseLines, root, runNode } from "./child.ts";
import { bars, report } from "./report.ts";
import type { Row } from "./report.ts";

/** Ours beside ts-mls, libsignal and core-crypto: all of them members of the same groups, taking turns, in one run. */
export const mlsPeers: Scenario = {
  name: "mls-peers",
  summary: "MLS beside ts-mls 1.6.4 and 2.0.0-rc.10, libsignal (Node) and core-crypto (Chromium), in one run",
  async run({ isQuick }) {
    await runNode(["tools/ensure-installed.js", "--interop"], { isInherited: true });
    const rows = parseLines<Row>(await runNode(["--expose-gc", "interop/src/bench/node-main.ts", ...(isQuick ? ["--quick"] : [])]));
    const text = report(rows, { machine: describeMachine(), revision: describeRevision() });
    if (isQuick) process.stdout.write(`${text}\n`);
    else {
      const folder = join(root, "bench/results");
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `mls-${describeRevision()}.md`), text);
    }
    const figures = rows.map((row): Figure => ({
      name: `${row.environment}, ${row.members}: ${row.scenario}: ${row.implementation}`,
      unit: row.unit,
      ...summarize(row.samples),
    }));
    return { parameters: { members: [...new Set(rows.map(({ members }) => members))].join(", ") }, figures: [...bars(rows), ...figures] };
  },
};
