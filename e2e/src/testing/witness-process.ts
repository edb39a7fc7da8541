import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { freePort } from "./processes.ts";

const launcher = fileURLToPath(new URL("../../../apps/cli/bin/latchkey.js", import.meta.url));

/** A witness in a process of its own, started by the command line. */
export interface WitnessProcess {
  readonly url: string;
  readonly logKey: string;
  readonly mapKey: string;
  readonly keyPath: string;
  /** All that it wrote on standard error so far. */
  output(): string;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** The same witness again, at the same address, after it was killed. */
  restart(): Promise<WitnessProcess>;
}

/** Starts one with its files in `folder`. */
export async function startWitnessProcess(params: {
  folder: string;
  name: string;
  server: string;
  port?: number;
}): Promise<WitnessProcess> {
  const { folder, name, server, port = await freePort() } = params;
  mkdirSync(folder, { recursive: true });
  const keyPath = join(folder, "witness.key");
  const args = ["witness", "--json", "--server", server, "--key", keyPath, "--name", name, "--listen", `127.0.0.1:${String(port)}`];
  const child = spawn(process.execPath, [launcher, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "exit");
  const errors: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  const output = (): string => Buffer.concat(errors).toString("utf8");
  const [line]: unknown[] = await Promise.race([once(createInterface({ input: child.stdout }), "line"), exited]);
  if (typeof line !== "string") throw new Error(`the witness did not start: ${output()}`);
  const { url, logKey, mapKey } = JSON.parse(line) as { url: string; logKey: string; mapKey: string };
  return {
    url,
    logKey,
    mapKey,
    keyPath,
    output,
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
    restart: () => startWitnessProcess({ ...params, port }),
  };
}
