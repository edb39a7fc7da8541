// Runs a program under the project's Node.js as if it had been started in this script's place.
import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { requireNode, root } from "./node.js";

/** Who started this script: under npm a shell, which ends by a signal without passing it on. */
const parent = process.ppid;
const isUnderNpm = process.env.npm_lifecycle_event !== undefined && process.platform !== "win32";
const parentLookMs = 250;

/**
 * The environment of child processes: the project's own tools first on the path, and what Node.js compiled kept from one process to the
 * next: without it each strips and compiles all its TypeScript anew.
 */
export function childEnvironment(extra = {}) {
  return {
    NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "node"),
    ...process.env,
    PATH: `${join(root, "node_modules", ".bin")}${delimiter}${process.env.PATH ?? ""}`,
    ...extra,
  };
}

/**
 * Runs `args` under the project's Node.js, passes signals on, and ends this process as that one ended.
 * `nodeArgs` come before the program's path.
 */
export function replaceBy(args, options = {}) {
  // It may have ended while something was installed or built.
  if (isUnderNpm && process.ppid !== parent) process.exit(143);
  const child = spawn(requireNode(), args, { stdio: "inherit", env: childEnvironment(options.env), cwd: options.cwd ?? process.cwd() });
  for (const signal of ["SIGTERM", "SIGHUP", "SIGUSR2"]) {
    if (process.platform !== "win32") process.on(signal, () => child.kill(signal));
  }
  if (isUnderNpm) {
    const looking = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(looking);
      child.kill("SIGTERM");
    }, parentLookMs);
  }
  // A terminal's Ctrl-C reaches the child by itself; only a signal sent to this process alone is passed on.
  process.on("SIGINT", () => {
    if (!process.stdin.isTTY) child.kill("SIGINT");
  });
  child.on("error", (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    if (signal !== null && process.platform !== "win32") {
      for (const name of ["SIGTERM", "SIGHUP", "SIGUSR2", "SIGINT"]) process.removeAllListeners(name);
      process.kill(process.pid, signal);
      // Reached only if the signal was ignored.
      setTimeout(() => process.exit(1), 100);
    } else process.exit(code ?? 1);
  });
}
