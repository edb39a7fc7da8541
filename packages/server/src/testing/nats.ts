import { freePort } from "@latchkey/testkit";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A NATS on a free port of the loopback address. */
export interface TestNats {
  readonly url: string;
  /** Its process; `undefined` while none runs. */
  pid(): number | undefined;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
}

let known: { readonly program: string | undefined } | undefined;

/** Where its server lies; `undefined` where it is not installed, which is told once. */
export function findNats(): string | undefined {
  if (known !== undefined) return known.program;
  const places = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  const program = places.map((place) => join(place, "nats-server")).find((path) => existsSync(path));
  if (program === undefined) process.stdout.write("What goes by NATS is not tested: nats-server is not installed.\n");
  known = { program };
  return program;
}

/** Starts one. To be killed by whoever started it. @throws Error where it is not installed or does not start */
export async function startNats(): Promise<TestNats> {
  const program = findNats();
  if (program === undefined) throw new Error("NATS is not installed");
  const port = await freePort();
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const started = spawn(program, ["-a", "127.0.0.1", "-p", String(port)], { stdio: ["ignore", "ignore", "pipe"] });
    child = started;
    await new Promise<void>((resolve, reject) => {
      let log = "";
      started.stderr.on("data", (data: Buffer) => {
        log = (log + data.toString()).slice(-10_000);
        if (log.includes("Server is ready")) resolve();
      });
      started.once("exit", () => reject(new Error(`NATS did not start: ${log}`)));
    });
  };
  await start();
  return {
    url: `nats://127.0.0.1:${port}`,
    pid: () => child?.pid,
    async kill() {
      const running = child;
      child = undefined;
      if (running === undefined) return;
      const ended = new Promise((resolve) => {
        running.once("exit", resolve);
      });
      running.kill("SIGKILL");
      await ended;
    },
    start,
  };
}
