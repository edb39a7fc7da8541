import { closeSync, openSync } from "node:fs";
import { homedir } from "node:os";
import { isatty } from "node:tty";
import type { Environment } from "./commands/command.ts";
import type { StopSignal } from "./errors.ts";
import { readLine, readSecret } from "./read-line.ts";
import { runCli } from "./run.ts";
import { readText } from "./standard-input.ts";

const environment: Environment = {
  stdout: process.stdout,
  stderr: process.stderr,
  variables: process.env,
  homeDirectory: homedir(),
  workingDirectory: process.cwd(),
  isTyped: isatty(0),
  readStdin: () => readText(process.stdin),
  readLine: () => readLine(process.stdin),
  readSecret: (prompt) => readSecret(prompt, process.stdin, process.stderr),
  // Loaded when needed: "serve" needs no client.
  openClient: async (params) => (await import("@latchkey/client/node")).openNodeClient(params),
  stopRequested() {
    const { promise, resolve } = Promise.withResolvers<StopSignal>();
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve(signal));
    return promise;
  },
  onReloadRequested(reload) {
    // A terminal that closes sends the same signal as an operator: who was started from it ends with it.
    const hadTerminal = hasTerminal();
    process.on("SIGHUP", () => {
      if (hadTerminal && !hasTerminal()) process.kill(process.pid, "SIGTERM");
      else reload();
    });
  },
};

/** Whether this process has a terminal that controls it. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}

// A reader that has enough, such as "latchkey read | head", is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 1);
});

process.exitCode = await runCli(process.argv.slice(2), environment);
