import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeMachine, describeRevision } from "../machine.ts";
import type { Figure, Scenario } from "../scenario.ts";
import { summarize } from "../statistics.ts";
import { parseLines, root, runNode } from "./child.ts";

/** What interop/src/bench/messages-main.ts prints. */
interface MessageRow {
  readonly runtime: string;
  readonly scenario: "encrypt 100 B" | "decrypt 100 B";
  readonly members: number;
  readonly implementation: string;
  readonly clock: "wall" | "CPU";
  readonly unit: "ms";
  readonly samples: readonly number[];
}

const ours = "latchkey (node)";
const theirs = "ts-mls 1.6.4";
const native = "one native Ed25519 signature or verification";
const bars = { "encrypt 100 B": 15, "decrypt 100 B": 8 } as const;

/** Messages beside ts-mls 1.6.4 under this version of Node and, where there is one, under Node 20, for which the bars were set. */
export const mlsMessages: Scenario = {
  name: "mls-messages",
  summary: "MLS messages beside ts-mls 1.6.4 at 256 members: both under this Node, and both under Node 20 (LATCHKEY_NODE20)",
  async run({ isQuick }) {
    await runNode(["tools/ensure-installed.js", "--interop"], { isInherited: true });
    const options = isQuick ? ["--quick"] : [];
    const rows = parseLines<MessageRow>(await runNode(["interop/src/bench/messages-main.ts", ...options]));
    const old = findNode20();
    if (old === undefined) process.stderr.write("No Node 20 was found (set LATCHKEY_NODE20 to its path): only this version is measured.\n");
    else {
      const bundle = (await runNode(["interop/src/bench/messages-bundle.ts"])).trim();
      rows.push(...parseLines<MessageRow>(await runNode([bundle, ...options], { executable: old })));
    }
    const text = report(rows);
    process.stdout.write(`${text}\n`);
    if (!isQuick) {
      const folder = join(root, "bench/results");
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `mls-messages-${describeRevision()}.md`), text);
    }
    const figures = rows.map((row): Figure => ({
      name: `${row.runtime}: ${row.scenario}: ${row.implementation}, ${row.clock}`,
      unit: row.unit,
      ...summarize(row.samples),
    }));
    return { parameters: { members: rows[0]?.members ?? 0 }, figures: [...barsOf(rows), ...figures] };
  },
};

/** The path of a Node 20: LATCHKEY_NODE20, else the first of the usual places that is one. */
function findNode20(): string | undefined {
  const named = process.env["LATCHKEY_NODE20"];
  const places = named === undefined ? ["node20", "/usr/bin/node", "/usr/local/bin/node"] : [named];
  return places.find((place) => spawnSync(place, ["--version"], { encoding: "utf8" }).stdout?.startsWith("v20."));
}

function medianOf(rows: readonly MessageRow[], wanted: Omit<MessageRow, "members" | "unit" | "samples">): number {
  const found = rows.find(
    ({ runtime, scenario, implementation, clock }) =>
      runtime === wanted.runtime && scenario === wanted.scenario && implementation === wanted.implementation && clock === wanted.clock,
  );
  return found === undefined ? Number.NaN : summarize(found.samples).median;
}

function barsOf(rows: readonly MessageRow[]): Figure[] {
  return [...new Set(rows.map(({ runtime }) => runtime))].flatMap((runtime) =>
    (["encrypt 100 B", "decrypt 100 B"] as const).map((scenario): Figure => {
      const at = { runtime, scenario, clock: "CPU" } as const;
      const ratio = medianOf(rows, { ...at, implementation: theirs }) / medianOf(rows, { ...at, implementation: ours });
      return {
        name: `bar: ${scenario} against ts-mls, ${runtime}`,
        unit: "times",
        ...summarize([ratio]),
        target: bars[scenario],
        isFloor: true,
      };
    }),
  );
}

/** A table for each version of Node: microseconds, ratios to ours, and what no implementation with this signature can pass. */
function report(rows: readonly MessageRow[]): string {
  const machine = describeMachine();
  const lines = [
    `Measured on ${machine.cpuModel}, ${String(machine.cores)} cores, ${machine.system}, revision ${describeRevision()}. Median CPU time (and wall) of a message of 100 B at ${String(rows[0]?.members)} members, in microseconds; in brackets the ratio of CPU times to ours.`,
  ];
  for (const runtime of new Set(rows.map((row) => row.runtime))) {
    const implementations = [...new Set(rows.map(({ implementation }) => implementation))];
    lines.push("", `| Node ${runtime.slice(1)} | encrypt | decrypt |`, "|---|---|---|");
    for (const implementation of implementations) {
      const cells = (["encrypt 100 B", "decrypt 100 B"] as const).map((scenario) => {
        const at = { runtime, scenario, implementation };
        const cpu = medianOf(rows, { ...at, clock: "CPU" });
        const ratio = cpu / medianOf(rows, { ...at, implementation: ours, clock: "CPU" });
        return `${(1000 * cpu).toFixed(0)} (${(1000 * medianOf(rows, { ...at, clock: "wall" })).toFixed(0)} wall)${implementation === ours ? "" : ` (${ratio.toFixed(2)})`}`;
      });
      lines.push(`| ${implementation} | ${cells.join(" | ")} |`);
    }
    const limits = (["encrypt 100 B", "decrypt 100 B"] as const).map((scenario) => {
      const at = { runtime, scenario, clock: "CPU" } as const;
      const allowed = medianOf(rows, { ...at, implementation: theirs }) / bars[scenario];
      return `${(1000 * allowed).toFixed(0)} allowed by the bar of ${String(bars[scenario])} times, of which the signature alone takes ${(1000 * medianOf(rows, { ...at, implementation: native })).toFixed(0)}`;
    });
    lines.push(`| what the bar allows | ${limits.join(" | ")} |`);
  }
  return `${lines.join("\n")}\n`;
}
