import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** The program that a checkout runs. */
export const launcher: string = fileURLToPath(new URL("../bin/latchkey.js", import.meta.url));

/** A server in a process of its own, with a data folder and a port of its own, that can be killed and started again; killed after the test. */
export class ServerNode {
  readonly port: number;
  readonly url: string;
  readonly data: string;
  readonly #options: readonly string[];
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;

  constructor(params: { data: string; port: number; options: readonly string[]; environment: Readonly<Record<string, string>> }) {
    this.data = params.data;
    this.port = params.port;
    this.url = `http://127.0.0.1:${String(params.port)}`;
    this.#options = params.options;
    this.#environment = params.environment;
    onTestFinished(() => this.kill());
  }

  /** Resolves when it listens. @throws Error when it ends before */
  async start(): Promise<void> {
    const args = [launcher, "serve", "--json", "--port", String(this.port), "--data", this.data, "--web-root", "", ...this.#options];
    const environment = { ...process.env, ...this.#environment };
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"], env: environment });
    this.#child = child;
    const said = await Promise.race([once(child.stdout, "data"), once(child, "exit").then(() => ["it ended"])]);
    if (!String(said).includes('"running"')) throw new Error(`a server does not run: ${String(said)}`);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }
}
