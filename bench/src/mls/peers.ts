import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { canPin, describeMachine, describeRevision } from "../machine.ts";
import type { Figure, Scenario } from "../scenario.ts";
import { summarize } from "../statistics.ts";
import { bars, report } from "./report.ts";
import type { Row } from "./report.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Ours beside ts-mls, libsignal and core-crypto: all of them members of the same groups, taking turns, in one run. */
export const mlsPeers: Scenario = {
  name: "mls-peers",
  summary: "MLS beside ts-mls 1.6.4 and 2.0.0-rc.10, libsignal (Node) and core-crypto (Chromium), in one run",
  async run({ isQuick }) {
    await run(["tools/ensure-installed.js", "--interop"], { isInherited: true });
    const output = await run(["--expose-gc", "interop/src/bench/node-main.ts", ...(isQuick ? ["--quick"] : [])], { isInherited: false });
    // One row a line, as the program beside says.
    const rows = output
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Row);
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

async function run(args: readonly string[], { isInherited }: { isInherited: boolean }): Promise<string> {
  // The generator of the other scenarios keeps to one core; this program and its browser may use all.
  const [command, prefix] = canPin() ? ["taskset", ["-c", `0-${String(cpus().length - 1)}`, process.execPath]] : [process.execPath, []];
  const child = spawn(command, [...prefix, ...args], { cwd: root, stdio: ["ignore", isInherited ? "inherit" : "pipe", "inherit"] });
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${String(code)}`);
  return output;
}
