import { spawn } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { canPin } from "../machine.ts";

/** The repository. */
export const root: string = fileURLToPath(new URL("../../..", import.meta.url));

/** Runs a program of the repository with this or another version of Node, on all cores; what it printed. @throws Error when it fails. */
export async function runNode(
  args: readonly string[],
  { isInherited = false, executable = process.execPath }: { isInherited?: boolean; executable?: string } = {},
): Promise<string> {
  // The generator of the other scenarios keeps to one core; these programs and their browser may use all.
  const [command, prefix] = canPin() ? ["taskset", ["-c", `0-${String(cpus().length - 1)}`, executable]] : [executable, []];
  const child = spawn(command, [...prefix, ...args], { cwd: root, stdio: ["ignore", isInherited ? "inherit" : "pipe", "inherit"] });
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${String(code)}`);
  return output;
}

/** What a program printed, one JSON value a line. The caller knows its shape. */
export function parseLines<T>(output: string): T[] {
  return output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as T);
}
