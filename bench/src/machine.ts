import { execFileSync, spawnSync } from "node:child_process";
import { cpus, release, totalmem, type as systemType } from "node:os";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../..", import.meta.url));

/** What the figures were measured on. */
export interface Machine {
  readonly cpuModel: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  /** Whether the server ran on a core of its own. */
  readonly isPinned: boolean;
}

/** This machine. */
export function describeMachine(): Machine {
  const all = cpus();
  return {
    cpuModel: all[0]?.model.trim() ?? "unknown",
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${systemType()} ${release()}`,
    node: process.version,
    isPinned: canPin(),
  };
}

/** Short revision of the sources, with "-modified" when files differ from it; "unknown" outside a repository. */
export function describeRevision(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync("git", args, { cwd: repository, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    const isModified = git("status", "--porcelain", "--untracked-files=no", "--", "packages", "bench/src", "package-lock.json") !== "";
    return `${git("rev-parse", "--short=10", "HEAD")}${isModified ? "-modified" : ""}`;
  } catch {
    return "unknown";
  }
}

let pinnable: boolean | undefined;

/** Whether server and generator can have a core each: two cores and `taskset` (Linux). */
export function canPin(): boolean {
  pinnable ??= process.platform === "linux" && cpus().length >= 2 && spawnSync("taskset", ["--version"], { stdio: "ignore" }).status === 0;
  return pinnable;
}

/** Lets this process, and what it starts, have all cores: where what is measured is started by it. */
export function unpinGenerator(): void {
  if (canPin()) execFileSync("taskset", ["-a", "-p", "-c", "0-1", String(process.pid)], { stdio: "ignore" });
}

/** Keeps this process, the generator of the load, on the first core. */
export function pinGenerator(): void {
  if (canPin()) execFileSync("taskset", ["-a", "-p", "-c", "0", String(process.pid)], { stdio: "ignore" });
}
