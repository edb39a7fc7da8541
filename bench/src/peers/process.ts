import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { canPin } from "../machine.ts";

/** Linux counts CPU time in hundredths of a second (USER_HZ). */
const ticksPerSecond = 100;

/** Another messenger's server, on the core of the measured ones. */
export interface PeerProcess extends AsyncDisposable {
  readonly port: number;
  cpuSeconds(): number;
}

/** Starts one in a folder of its own, and waits until it listens. @throws Error with what it said when it ends before */
export async function startPeer(
  configure: (folder: string, port: number) => { command: string; args: readonly string[]; environment?: Record<string, string> },
): Promise<PeerProcess> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-peer-"));
  const port = await freePort();
  const { command, args, environment } = configure(folder, port);
  const [program, ...rest] = canPin() ? ["taskset", "-c", "1", command, ...args] : [command, ...args];
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...environment }, cwd: folder });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4000)));
  const exited = once(child, "exit");
  for (let tries = 0; !(await listens(port)); tries++) {
    if (child.exitCode !== null || tries > 300) throw new Error(`${command} does not listen: ${said}`);
    await delay(100);
  }
  return {
    port,
    cpuSeconds: () => cpuSecondsOf(child.pid ?? 0),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
      await Promise.race([exited, delay(5000).then(() => child.kill("SIGKILL"))]);
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** CPU seconds of a process, of its children that live, and of those that were waited for. */
export function cpuSecondsOf(pid: number): number {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = statOf(Number(name))?.[1];
    if (parent !== undefined) children.set(Number(parent), [...(children.get(Number(parent)) ?? []), Number(name)]);
  }
  const sum = (each: number): number => {
    // utime, stime, cutime and cstime are fields 14 to 17 (proc(5)), of which the first here is the state, field 3.
    const own = (statOf(each) ?? []).slice(11, 15).reduce((total, ticks) => total + Number(ticks), 0);
    return (children.get(each) ?? []).reduce((total, child) => total + sum(child), own);
  };
  return sum(pid) / ticksPerSecond;
}

/** Fields of /proc/PID/stat from the third on: before them stands a name, which may hold spaces. */
function statOf(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${String(pid)}/stat`, "utf8")
      .split(") ")
      .at(-1)
      ?.split(" ");
  } catch {
    return undefined;
  }
}

/** Where a program lies; servers are often outside of a person's path. */
export function findProgram(name: string): string | undefined {
  return ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"]
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}

async function listens(port: number): Promise<boolean> {
  const socket = connect({ port, host: "127.0.0.1" });
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once("connect", () => resolve(true));
  socket.once("error", () => resolve(false));
  const isListening = await promise;
  socket.destroy();
  return isListening;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  // A TCP server's address is always AddressInfo.
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
