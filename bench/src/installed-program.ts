import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { freePort } from "@latchkey/testkit";

/** A server as it is installed. */
export interface InstalledProgram extends AsyncDisposable {
  readonly url: string;
  residentNowBytes(): number;
  peakBytes(): number;
}

/** Starts the executable that `npm run build:binary` made on a data folder, and waits until it answers. @throws Error where it ends before */
export async function startInstalled(program: string, dataDirectory: string): Promise<InstalledProgram> {
  const port = await freePort();
  const args = ["serve", "--data", dataDirectory, "--port", String(port), "--log-level", "error"];
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "inherit"] });
  const exited = once(child, "exit");
  const url = `http://localhost:${String(port)}`;
  const isUp = (): Promise<boolean> =>
    fetch(`${url}/healthz`).then(
      () => true,
      () => false,
    );
  while (!(await isUp())) {
    if (child.exitCode !== null) throw new Error(`${program} ended with ${String(child.exitCode)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const statusBytes = (name: string): number =>
    Number(new RegExp(`${name}:\\s+([0-9]+) kB`).exec(readFileSync(`/proc/${String(child.pid)}/status`, "utf8"))?.[1]) * 1024;
  return {
    url,
    residentNowBytes: () => statusBytes("VmRSS"),
    peakBytes: () => statusBytes("VmHWM"),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
