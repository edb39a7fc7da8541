// What tests of packages share: a program is run as somebody who installed it runs it.
import { spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";

/** A port that is free now. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Runs a program to its end; its exit status and what it printed. */
export function runToEnd(program, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8", timeout: 60_000, ...options });
  return { status, stdout: stdout ?? "", stderr: `${stderr ?? ""}${error?.message ?? ""}` };
}

/** Starts a server and waits until it says that it runs. `stop` asks it to end and waits; it resolves to the exit status. */
export async function startPackaged(program, args, options = {}) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  let printed = "";
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? code)));
  await new Promise((resolve, reject) => {
    const hear = (text) => {
      printed += text;
      if (printed.includes("Latchkey is running on")) resolve();
    };
    child.stdout.setEncoding("utf8").on("data", hear);
    child.stderr.setEncoding("utf8").on("data", hear);
    child.once("error", reject);
    void ended.then((status) => reject(new Error(`it ended with ${status}: ${printed}`)));
  });
  return {
    pid: child.pid,
    printed: () => printed,
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      return ended;
    },
  };
}

/** Two people register at a server with a packaged command line and write to each other. Returns what the second one reads. */
export function exchange({ program, url, folder, text }) {
  const done = (args) => {
    const { status, stdout, stderr } = runToEnd(program, [...args, "--server", url]);
    if (status !== 0) throw new Error(`latchkey ${args[0]} ended with ${status}: ${stderr}`);
    return stdout;
  };
  const [ann, ben] = ["ann", "ben"].map((name) => ["--home", `${folder}/${name}`]);
  done(["register", "ann", ...ann]);
  done(["register", "ben", ...ben]);
  done(["send", "ben", text, ...ann]);
  done(["requests", ...ben]);
  done(["requests", "accept", "ann", ...ben]);
  return done(["read", ...ben]);
}
