import type { Machine } from "../machine.ts";
import type { Figure } from "../scenario.ts";
import { summarize } from "../statistics.ts";

/** What interop/src/bench/node-main.ts prints: an implementation doing one thing in a group of one size. */
export interface Row {
  readonly environment: "node" | "chromium";
  readonly scenario: string;
  readonly members: number;
  readonly implementation: string;
  readonly unit: "ms" | "bytes" | "KiB";
  readonly samples: readonly number[];
}

function medianOf(rows: readonly Row[], wanted: Pick<Row, "environment" | "scenario" | "members" | "implementation">): number | undefined {
  const found = rows.find(
    (row) =>
      row.environment === wanted.environment &&
      row.scenario === wanted.scenario &&
      row.members === wanted.members &&
      row.implementation === wanted.implementation,
  );
  return found === undefined ? undefined : summarize(found.samples).median;
}

/** The bars that this package is held to, where the rows reach them. */
export function bars(rows: readonly Row[]): Figure[] {
  const figures: Figure[] = [];
  const add = (name: string, unit: string, value: number | undefined, bar: { target: number; isFloor?: boolean }): void => {
    if (value !== undefined) figures.push({ name: `bar: ${name}`, unit, ...summarize([value]), ...bar });
  };
  const ratio = (a: number | undefined, b: number | undefined): number | undefined =>
    a === undefined || b === undefined ? undefined : a / b;
  const node = (scenario: string, members: number, implementation: string): number | undefined =>
    medianOf(rows, { environment: "node", scenario, members, implementation });
  const page = (scenario: string, members: number, implementation: string): number | undefined =>
    medianOf(rows, { environment: "chromium", scenario, members, implementation });
  const ours = "latchkey (node)";
  add(
    "encrypt 100 B at 256, against ts-mls 1.6.4",
    "times",
    ratio(node("encrypt 100 B", 256, "ts-mls 1.6.4"), node("encrypt 100 B", 256, ours)),
    {
      target: 15,
      isFloor: true,
    },
  );
  add(
    "decrypt 100 B at 256, against ts-mls 1.6.4",
    "times",
    ratio(node("decrypt 100 B", 256, "ts-mls 1.6.4"), node("decrypt 100 B", 256, ours)),
    {
      target: 8,
      isFloor: true,
    },
  );
  for (const what of ["encrypt", "decrypt"]) {
    const scenario = `${what} 100 B, beside core-crypto`;
    const theirs = ["core-crypto 10.3.0, one transaction", "core-crypto 10.3.0, a transaction each"].flatMap(
      (name) => page(scenario, 256, name) ?? [],
    );
    add(
      `${what} 100 B at 256 in Chromium, against core-crypto at its best`,
      "times",
      ratio(theirs.length === 0 ? undefined : Math.min(...theirs), page(scenario, 256, "latchkey (web)")),
      { target: 1.5, isFloor: true },
    );
  }
  add("receive an add at 1,000 (cold)", "ms", node("add, cold tree: receive", 1000, ours), { target: 20 });
  add("receive an update at 1,000 (warm)", "ms", node("update, warm tree: receive", 1000, ours), { target: 20 });
  add("join at 1,000", "ms", node("join by Welcome", 1000, ours), { target: 500 });
  add("package without post-quantum, gzip", "bytes", page("bundle, gzip", 0, "latchkey (web), without post-quantum"), { target: 61_440 });
  return figures;
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toPrecision(2);
}

/** Tables in Markdown: medians, and how many times as long the others take as ours. */
export function report(rows: readonly Row[], { machine, revision }: { machine: Machine; revision: string }): string {
  const lines = [
    `Measured on ${machine.cpuModel}, ${String(machine.cores)} cores, ${String(machine.memoryGiB)} GiB, ${machine.system}, Node ${machine.node}, revision ${revision}. Medians; in brackets the ratio to ours.`,
    "",
    "| Bar | Target | Measured | |",
    "|---|---|---|---|",
    ...bars(rows).map(({ name, unit, median, target = Number.NaN, isFloor }) => {
      const isMet = isFloor === true ? median >= target : median <= target;
      return `| ${name.slice("bar: ".length)} | ${isFloor === true ? "at least" : "at most"} ${target.toLocaleString("en")} ${unit} | ${median >= 1000 ? Math.round(median).toLocaleString("en") : round(median)} ${unit} | ${isMet ? "met" : "**missed**"} |`;
    }),
  ];
  for (const environment of ["node", "chromium"] as const) {
    const own = rows.filter((row) => row.environment === environment);
    for (const members of [...new Set(own.map((row) => row.members))].sort((a, b) => a - b)) {
      const here = own.filter((row) => row.members === members);
      const implementations = [...new Set(here.map(({ implementation }) => implementation))];
      const title =
        members === 0
          ? "What a page loads"
          : `${environment === "node" ? "Node" : "Chromium, in a worker"}, ${members.toLocaleString("en")} members`;
      lines.push("", `### ${title}`, "", `| | ${implementations.join(" | ")} |`, `|---|${implementations.map(() => "---|").join("")}`);
      for (const scenario of new Set(here.map((row) => row.scenario))) {
        const [first] = here.filter((row) => row.scenario === scenario);
        const base = first === undefined ? Number.NaN : summarize(first.samples).median;
        const cells = implementations.map((implementation) => {
          const row = here.find((candidate) => candidate.scenario === scenario && candidate.implementation === implementation);
          if (row === undefined) return "";
          const { median } = summarize(row.samples);
          const value =
            row.unit === "ms"
              ? `${round(median)} ms`
              : `${Math.round(median).toLocaleString("en")} ${row.unit === "bytes" ? "B" : row.unit}`;
          return row === first || row.unit !== "ms" ? value : `${value} (${round(median / base)})`;
        });
        lines.push(`| ${scenario} | ${cells.join(" | ")} |`);
      }
    }
  }
  return `${lines.join("\n")}\n`;
}
