import { freePort } from "@latchkey/testkit";
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, chownSync, constants, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import pg from "pg";

/** A cluster of PostgreSQL in a folder of its own, on a free port of the loopback address, whose only user needs no password. */
export interface TestPostgres {
  /** As the one user that there is, who may do anything. */
  readonly url: string;
  /** Where its files lie. */
  readonly data: string;
  /** The schemas of what a test keeps in this directory: the same ones for the same directory. */
  schemasOf(directory: string): { readonly logs: string; readonly accounts: string };
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  /** Starts it again where it was, on the same port. */
  start(): Promise<void>;
  /** Stops it and removes its folder. */
  stop(): Promise<void>;
}

let known: { readonly programs: string | undefined } | undefined;

/** Where PostgreSQL's programs lie; `undefined` where it is not installed, which is told once. LATCHKEY_POSTGRES_BIN says it first. */
export function findPostgres(): string | undefined {
  if (known !== undefined) return known.programs;
  const packaged = "/usr/lib/postgresql";
  const versions = existsSync(packaged) ? readdirSync(packaged).toSorted((a, b) => Number(b) - Number(a)) : [];
  const named = process.env["LATCHKEY_POSTGRES_BIN"];
  const inPath = (process.env["PATH"] ?? "").split(delimiter);
  const places = named === undefined ? [...inPath, ...versions.map((version) => join(packaged, version, "bin"))] : [named];
  const programs = places.find((place) => ["initdb", "postgres", "pg_basebackup"].every((program) => isProgram(join(place, program))));
  if (programs === undefined) {
    process.stdout.write("What runs on PostgreSQL is not tested: it is not installed, or not where LATCHKEY_POSTGRES_BIN says.\n");
  }
  known = { programs };
  return programs;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** What makes it quick: nothing of a test outlasts the machine. */
const quick = { fsync: "off", full_page_writes: "off", max_wal_size: "64MB", min_wal_size: "2MB", max_connections: "200" };
const quiet = { log_min_messages: "log", log_checkpoints: "off", lc_messages: "C", unix_socket_directories: "" };
/** With these it keeps what a server asks of it, but for a standby. */
export const keptSettings = {
  fsync: "on",
  full_page_writes: "on",
  log_min_error_statement: "panic",
  log_parameter_max_length_on_error: "0",
  log_error_verbosity: "terse",
};
const startMs = 30_000;
const isReady = /database system is ready to accept (?:read-only )?connections/;

/**
 * Starts one, which takes a second. To be stopped by whoever started it.
 * @param settings of PostgreSQL, such as `{ fsync: "on" }` @throws Error where it is not installed or does not start
 */
export function startPostgres(settings: Readonly<Record<string, string>> = {}): Promise<TestPostgres> {
  const words = ["-A", "trust", "-U", "latchkey", "-E", "UTF8", "--locale=C", "--no-sync", "--wal-segsize=1"];
  return startMade(settings, (data) => ["initdb", "-D", data, ...words]);
}

/**
 * Starts a standby of a cluster, which follows it until it is promoted (`SELECT pg_promote()`).
 * @param name as the cluster's `synchronous_standby_names` has it @throws Error where it does not start
 */
export function startStandby(primary: TestPostgres, name: string, settings: Readonly<Record<string, string>> = {}): Promise<TestPostgres> {
  const { hostname, port, username } = new URL(primary.url);
  const from = `host=${hostname} port=${port} user=${username} application_name=${name}`;
  return startMade(settings, (data) => ["pg_basebackup", "-D", data, "-d", from, "-R", "-c", "fast", "--no-sync"]);
}

async function startMade(
  settings: Readonly<Record<string, string>>,
  make: (data: string) => readonly [program: string, ...words: string[]],
): Promise<TestPostgres> {
  const programs = findPostgres();
  if (programs === undefined) throw new Error("PostgreSQL is not installed");
  const user = ordinaryUser();
  const folder = mkdtempSync(join(reachableFolder(user), "latchkey-postgres-"));
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const options = { cwd: folder, ...user, env: { ...process.env, LC_ALL: "C", TZ: "UTC" } };
  const [program, ...words] = make(data);
  const { status, stderr } = spawnSync(join(programs, program), words, { ...options, encoding: "utf8" });
  if (status !== 0) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`${program} failed: ${stderr}`);
  }
  const port = await freePort();
  const args = Object.entries({ ...quick, ...quiet, listen_addresses: "127.0.0.1", port: String(port), ...settings });
  let running: { readonly child: ChildProcess; readonly ended: Promise<void> } | undefined;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    running?.child.kill(signal);
    await running?.ended;
    running = undefined;
  };
  const start = async (): Promise<void> => {
    const untilMs = Date.now() + startMs;
    // After a crash its other processes may still hold its memory for a moment.
    for (;;) {
      const child = spawn(join(programs, "postgres"), ["-D", data, ...args.flatMap(([name, value]) => ["-c", `${name}=${value}`])], {
        ...options,
        stdio: ["ignore", "ignore", "pipe"],
      });
      const ended = new Promise<void>((resolve) => {
        child.once("exit", () => resolve());
      });
      const log = await untilReady(child, ended);
      if (log === undefined) {
        running = { child, ended };
        return;
      }
      if (Date.now() > untilMs) throw new Error(`PostgreSQL did not start: ${log}`);
    }
  };
  const stop = async (): Promise<void> => {
    await end("SIGQUIT");
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `postgresql://latchkey@127.0.0.1:${port}/postgres`,
    data,
    schemasOf(directory) {
      const name = `t${createHash("sha256").update(directory).digest("hex").slice(0, 16)}`;
      return { logs: `${name}_logs`, accounts: `${name}_accounts` };
    },
    kill: () => end("SIGKILL"),
    start,
    stop,
  };
}

/** Answers what it said where it ended instead. */
async function untilReady(child: ChildProcess, ended: Promise<void>): Promise<string | undefined> {
  let log = "";
  return new Promise((resolve) => {
    child.stderr?.on("data", (data: Buffer) => {
      log = (log + data.toString()).slice(-10_000);
      if (isReady.test(log)) resolve(undefined);
    });
    void ended.then(() => resolve(log));
  });
}

/** PostgreSQL refuses to run as root: then somebody else of this machine; `undefined` for who runs the test. */
export function ordinaryUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  const [, , uid, gid] = users.find(([name]) => name === "postgres") ?? users.find(([name]) => name === "nobody") ?? [];
  if (uid === undefined || gid === undefined) throw new Error("there is no user for PostgreSQL");
  return { uid: Number(uid), gid: Number(gid) };
}

/** The folder of the tests, or above it where only root may go. */
export function reachableFolder(user: object | undefined): string {
  const mayAllEnter = (folder: string): boolean =>
    (statSync(folder).mode & 0o001) !== 0 && (dirname(folder) === folder || mayAllEnter(dirname(folder)));
  let folder = tmpdir();
  while (user !== undefined && !mayAllEnter(folder)) folder = dirname(folder);
  return folder;
}

/** Asks a cluster by a connection of its own. Answers the rows of the last of these statements. @throws Error of the driver */
export async function askPostgres(url: string, ...statements: readonly string[]): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    let rows: unknown[] = [];
    for (const statement of statements) ({ rows } = await client.query(statement));
    return rows;
  } finally {
    await client.end();
  }
}
