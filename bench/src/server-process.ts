import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { processCpuSeconds } from "./cpu-seconds.ts";
import { canPin } from "./machine.ts";

/** Options of the measured server that a scenario changes. */
export interface BenchServerOptions {
  readonly host?: string;
  readonly retentionDays?: number;
  /** The folder of the built web app. */
  readonly webRoot?: string;
  /** The limits of every day, for one person each: else they are lifted. */
  readonly hasLimits?: boolean;
  /** A PostgreSQL, in place of the data folder. */
  readonly database?: { readonly at: string; readonly acceptLoss: boolean; readonly nats?: string };
  readonly limits?: { readonly publicationIntervalMs?: number; readonly headsIntervalMs?: number; readonly tokensPerDay?: number };
}

/** A server in a process of its own, on a core of its own where that is possible. */
export interface ServerProcess extends AsyncDisposable {
  /** `ws://localhost:PORT`. */
  readonly url: string;
  readonly flags: readonly string[];
  /** CPU seconds of all its threads so far, user and system. */
  cpuSeconds(): number;
  /** Resident bytes after a full garbage collection. */
  residentBytes(): Promise<number>;
  /** Resident bytes as they are, without a garbage collection. */
  residentNowBytes(): number;
  /** Most bytes that were ever resident. */
  peakBytes(): number;
}

/** Starts one on an empty data folder, removed with it, or on one that is left as it is. `flags` are Node's; `serverOptions` go to the server itself, in whose place another `script` may stand. */
export async function startServerProcess(
  params: { flags?: readonly string[]; serverOptions?: BenchServerOptions; isPinned?: boolean; directory?: string; script?: string } = {},
): Promise<ServerProcess> {
  const directory = params.directory ?? mkdtempSync(join(tmpdir(), "latchkey-bench-"));
  const flags = params.flags ?? [];
  const script = fileURLToPath(new URL(params.script ?? "./server-main.ts", import.meta.url));
  const program = [process.execPath, ...flags, "--expose-gc", script, directory, JSON.stringify(params.serverOptions ?? {})];
  const [command = "", ...args] = canPin() && params.isPinned !== false ? ["taskset", "-c", "1", ...program] : program;
  const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const { pid } = child;
  const started = await nextMessage(child, "url");
  if (pid === undefined || typeof started !== "string") throw new Error("the server did not start");
  const statusBytes = (name: string): number => {
    const status = readFileSync(`/proc/${String(pid)}/status`, "utf8");
    return Number(new RegExp(`${name}:\\s+([0-9]+) kB`).exec(status)?.[1]) * 1024;
  };
  return {
    url: started.replace(/^http/, "ws"),
    flags,
    cpuSeconds: () => processCpuSeconds(pid),
    async residentBytes() {
      const answer = nextMessage(child, "residentBytes");
      child.send("memory");
      return Number(await answer);
    },
    residentNowBytes: () => statusBytes("VmRSS"),
    peakBytes: () => statusBytes("VmHWM"),
    async [Symbol.asyncDispose]() {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
      if (params.directory === undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The next message that has `key`. */
function nextMessage(child: ChildProcess, key: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const listener = (message: unknown): void => {
      if (typeof message !== "object" || message === null || !(key in message)) return;
      child.off("message", listener);
      child.off("exit", failed);
      resolve(Reflect.get(message, key));
    };
    const failed = (code: number | null): void => {
      reject(new Error(`the server ended with ${String(code)}`));
    };
    child.on("message", listener);
    child.once("exit", failed);
  });
}
