import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeMachine, describeRevision } from "../machine.ts";
import type { Figure, Scenario } from "../scenario.ts";
import { summarize } from "../statistics.ts";
import { parseLines, root, runNode } from "./child.ts";
import type { Row } from "./report.ts";

/** What every provider's primitives cost in Chromium and in Node: how the providers' choices were made. */
export const mlsPrimitives: Scenario = {
  name: "mls-primitives",
  summary: "MLS primitives: WebCrypto and noble in Chromium, node:crypto, WebCrypto and noble in Node",
  async run({ isQuick }) {
    await runNode(["tools/ensure-installed.js", "--interop"], { isInherited: true });
    const [about, ...rows] = parseLines<Row & { readonly chromium?: string }>(
      await runNode(["interop/src/bench/primitives-main.ts", ...(isQuick ? ["--quick"] : [])]),
    );
    const chromium = about?.chromium ?? "unknown";
    const text = report(rows, chromium);
    process.stdout.write(`${text}\n`);
    if (!isQuick) {
      const folder = join(root, "bench/results");
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `mls-primitives-${describeRevision()}.md`), text);
    }
    const figures = rows.map((row): Figure => ({
      name: `${row.environment}: ${row.scenario}: ${row.implementation}`,
      unit: row.unit,
      ...summarize(row.samples),
    }));
    return { parameters: { chromium }, figures };
  },
};

function report(rows: readonly Row[], chromium: string): string {
  const machine = describeMachine();
  const lines = [
    `Measured on ${machine.cpuModel}, ${String(machine.cores)} cores, ${machine.system}, Node ${machine.node}, Chromium ${chromium}, revision ${describeRevision()}. Medians of one operation, in microseconds.`,
  ];
  for (const environment of ["chromium", "node"] as const) {
    const own = rows.filter((row) => row.environment === environment);
    const implementations = [...new Set(own.map(({ implementation }) => implementation))];
    const title = environment === "node" ? "Node" : "Chromium, in a worker";
    lines.push("", `| ${title} | ${implementations.join(" | ")} |`, `|---|${implementations.map(() => "---|").join("")}`);
    for (const scenario of new Set(own.map((row) => row.scenario))) {
      const cells = implementations.map((implementation) => {
        const row = own.find((candidate) => candidate.scenario === scenario && candidate.implementation === implementation);
        if (row === undefined) return "";
        const microseconds = 1000 * summarize(row.samples).median;
        return microseconds >= 100 ? microseconds.toFixed(0) : microseconds.toPrecision(2);
      });
      lines.push(`| ${scenario} | ${cells.join(" | ")} |`);
    }
  }
  return `${lines.join("\n")}\n`;
}
