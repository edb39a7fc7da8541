import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { ServerLimits } from "../config.ts";
import { temporaryDirectory } from "./fixtures.ts";

const script = fileURLToPath(new URL("./bounded-server.ts", import.meta.url));

/** A server in a process of its own, with as much heap as the test gives it. */
export interface BoundedServer {
  readonly url: string;
  readonly port: number;
  /** What it has written to standard error: warnings are not, errors are. */
  log(): string;
  /** The most resident memory that it had so far, in bytes. @throws Error when it has ended */
  peakBytes(): Promise<number>;
}

/** Starts one, ended after the test. */
export async function startBounded(params: { heapMegabytes: number; limits?: Partial<ServerLimits> }): Promise<BoundedServer> {
  const execArgv = [`--max-old-space-size=${params.heapMegabytes}`];
  const child = fork(script, [temporaryDirectory(), JSON.stringify(params.limits ?? {})], {
    execArgv,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let log = "";
  child.stderr?.on("data", (data: Buffer) => {
    log += data.toString();
  });
  let hasEnded = false;
  child.once("exit", () => {
    hasEnded = true;
  });
  onTestFinished(async () => {
    if (hasEnded) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  // What the script sends: its address first, then what it is asked for.
  const [started] = (await once(child, "message")) as [{ url: string; port: number }];
  return {
    ...started,
    log: () => log,
    async peakBytes() {
      if (hasEnded) throw new Error("the server has ended");
      const answer = once(child, "message");
      child.send("memory");
      const [message] = (await answer) as [{ peakBytes: number }];
      return message.peakBytes;
    },
  };
}
