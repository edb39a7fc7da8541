import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const shiftedClock = new URL("./shifted-clock.ts", import.meta.url).href;
const launcher = fileURLToPath(new URL("../../../apps/cli/bin/latchkey.js", import.meta.url));

/** A folder of this test's own, removed with it. */
export interface TemporaryFolder extends Disposable {
  readonly path: string;
  /** A path below it. */
  at(...names: string[]): string;
}

/** Creates one. */
export function createFolder(): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), "latchkey-e2e-"));
  return {
    path,
    at: (...names) => join(path, ...names),
    [Symbol.dispose]() {
      rmSync(path, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Below what the kernel gives to whoever asks for any port: a connection on its way out takes none of these. */
const ownPorts = { from: 20_000, to: 32_000 };

/** A port on which nobody listens now, and nobody else will who does not ask for just this one. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(ownPorts.from, ownPorts.to);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "localhost", () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

/** What a finished command left. */
export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Each line of output as JSON. */
  json<T = Record<string, unknown>>(): T[];
}

/** Runs `latchkey ARGS...` to its end. */
export async function latchkey(
  args: readonly string[],
  options: { stdin?: string; /** How far its clock is ahead. */ clockAheadMs?: number } = {},
): Promise<CommandResult> {
  const { clockAheadMs = 0 } = options;
  const shifted = { NODE_OPTIONS: `--import=${shiftedClock}`, E2E_CLOCK_AHEAD_MS: String(clockAheadMs) };
  const env = clockAheadMs === 0 ? process.env : { ...process.env, ...shifted };
  const child = spawn(process.execPath, [launcher, ...args], { stdio: ["pipe", "pipe", "pipe"], env });
  const [stdout, stderr] = [collect(child, "stdout"), collect(child, "stderr")];
  child.stdin.end(options.stdin ?? "");
  const [status]: (number | null)[] = await once(child, "close");
  return {
    status: status ?? null,
    stdout: stdout(),
    stderr: stderr(),
    json<T>() {
      return stdout()
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as T);
    },
  };
}

function collect(child: ChildProcess, stream: "stdout" | "stderr"): () => string {
  const chunks: Buffer[] = [];
  child[stream]?.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString("utf8");
}

/** A profile on the command line. */
export interface CommandLinePeer {
  readonly home: string;
  /** Runs a command with --json; fails the test unless it ends with 0. */
  run<T = Record<string, unknown>>(...args: string[]): Promise<T[]>;
  /** Runs a command whatever comes of it. */
  attempt(...args: string[]): Promise<CommandResult>;
}

/** A command line with a profile in `home`. */
export function commandLinePeer(params: { home: string; server: string; acceptsRequests?: boolean }): CommandLinePeer {
  const attempt = (...args: string[]): Promise<CommandResult> =>
    latchkey([
      ...args,
      "--json",
      "--home",
      params.home,
      "--server",
      params.server,
      ...(params.acceptsRequests === true ? ["--accept-requests"] : []),
    ]);
  return {
    home: params.home,
    attempt,
    async run<T>(...args: string[]) {
      const result = await attempt(...args);
      if (result.status !== 0) throw new Error(`latchkey ${args[0] ?? ""} ended with ${String(result.status)}: ${result.stderr}`);
      return result.json<T>();
    },
  };
}

/** A real server in a process of its own, started by the command line. */
export interface ServerProcess extends AsyncDisposable {
  /** `http://localhost:PORT`. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** All that it printed so far, both streams. */
  output(): string;
  /** Ends it as a power cut would, and resolves when it is gone. */
  kill(): Promise<void>;
  /** Asks it to stop; resolves to its exit status. */
  stop(): Promise<number | null>;
}

/** Starts a server on `data`; the same port again after a restart keeps its address. */
export async function startServerProcess(params: {
  data: string;
  port?: number;
  args?: readonly string[];
  /** Variables beside those of this process. */
  environment?: Readonly<Record<string, string>>;
}): Promise<ServerProcess> {
  const port = params.port ?? (await freePort());
  const args = ["serve", "--json", "--port", String(port), "--data", params.data, ...(params.args ?? [])];
  const env = { ...process.env, ...params.environment };
  const child = spawn(process.execPath, [launcher, ...args], { stdio: ["ignore", "pipe", "pipe"], env });
  const [stdout, stderr] = [collect(child, "stdout"), collect(child, "stderr")];
  const exited = once(child, "exit");
  const running = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line.includes('"running"')) running.resolve();
  });
  child.once("exit", (code) => {
    running.reject(new Error(`the server ended with ${String(code)}: ${stderr()}`));
  });
  await running.promise;
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
    return child.exitCode;
  };
  return {
    url: `http://localhost:${String(port)}`,
    port,
    pid: child.pid ?? 0,
    output: () => stdout() + stderr(),
    async kill() {
      await end("SIGKILL");
    },
    stop: () => end("SIGTERM"),
    async [Symbol.asyncDispose]() {
      await end("SIGKILL");
    },
  };
}
