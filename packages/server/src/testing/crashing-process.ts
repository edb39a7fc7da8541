import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** Its name. */
export const host = "latchkey.example";
const script = fileURLToPath(new URL("./crashing-server.ts", import.meta.url));
/** The command line of a server that is told its folder, name and level of log. */
export const crashing: readonly string[] = [process.execPath, script];

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  /** What it wrote about itself. */
  readonly log: string;
}

/** A server in a process of its own. */
export interface CrashingProcess {
  readonly url: string;
  readonly ended: Promise<Ended>;
  /** Asks it to stop, or does not ask. */
  kill(signal?: "SIGTERM" | "SIGKILL"): void;
}

/** Starts one by this command line, ended after the test. @throws Error with its log when it ends before it listens */
export async function startProcess(
  directory: string,
  command: readonly string[] = crashing,
  environment: NodeJS.ProcessEnv = {},
  level: "error" | "warn" = "error",
): Promise<CrashingProcess> {
  const [program = "", ...args] = command;
  const child = spawn(program, [...args, directory, host, level], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let log = "";
  child.stderr.on("data", (data: Buffer) => {
    log += data.toString();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code) => resolve({ code, log }));
  });
  const port = await new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (data: Buffer) => resolve(data.toString().trim()));
    void ended.then(() => reject(new Error(`the server ended before it listened: ${log}`)));
  });
  return { url: `http://127.0.0.1:${port}`, ended, kill: (signal = "SIGTERM") => void child.kill(signal) };
}
