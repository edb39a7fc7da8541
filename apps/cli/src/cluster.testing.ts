// What ops/cluster has recipes for, run by them on the loopback address: PostgreSQL under Patroni, HAProxy before it, and Caddy before servers.
import { findPostgres, ordinaryUser, reachableFolder } from "@latchkey/server/testing";
import { freePort } from "@latchkey/testkit";
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished } from "vitest";
import { change, endWithTest, programPath, recipe } from "./recipes.testing.ts";

const programs = ["etcd", "patroni", "haproxy", "caddy"] as const;
/** All of this starts within so long, on a machine that does other things too. */
const startMs = 120_000;

/** Which of the programs are not installed here. */
export function missingPrograms(): string[] {
  return [...(findPostgres() === undefined ? ["PostgreSQL"] : []), ...programs.filter((name) => programPath(name) === undefined)];
}

/** A folder of the test that the ordinary user who runs all of this may write to. */
export function clusterFolder(): string {
  const user = ordinaryUser();
  const folder = mkdtempSync(join(reachableFolder(user), "latchkey-cluster-"));
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** A folder in that one, of the same user. */
function makeFolder(within: string, name: string): string {
  const folder = join(within, name);
  mkdirSync(folder);
  const user = ordinaryUser();
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  return folder;
}

/** Runs a program as an ordinary user until the test is over. `log` has what it says, which a failure shows. */
function run(
  name: (typeof programs)[number],
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): { child: ChildProcess; log: () => string } {
  const child = spawn(programPath(name) ?? name, args, {
    ...ordinaryUser(),
    // That user may not reach the checkout, and Patroni waits for ever for a program that cannot go to where it was started.
    cwd: "/",
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-100_000);
    });
  return { child, log: () => said };
}

/** What an address answers, by its status; `undefined` for nothing. */
export async function statusOf(url: string): Promise<number | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return undefined;
  }
}

const passwords = {
  LATCHKEY_PASSWORD: "ofLatchkey",
  PATRONI_RESTAPI_PASSWORD: "ofPatroni",
  PATRONI_SUPERUSER_PASSWORD: "ofPostgres",
  PATRONI_REPLICATION_PASSWORD: "ofReplicator",
  PATRONI_REWIND_PASSWORD: "ofRewinder",
};

/** A machine with Patroni and its PostgreSQL. */
export class PatroniMachine {
  readonly name: string;
  readonly port: number;
  readonly checkPort: number;
  readonly #data: string;
  readonly #config: string;
  readonly #environment: Readonly<Record<string, string>>;
  #patroni: { child: ChildProcess; log: () => string } | undefined;

  constructor(params: { name: string; port: number; checkPort: number; etcd: string; folder: string }) {
    const { name, port, checkPort, etcd, folder } = params;
    this.name = name;
    this.port = port;
    this.checkPort = checkPort;
    const own = makeFolder(folder, name);
    this.#data = join(own, "data");
    this.#config = join(own, "patroni.yml");
    writeFileSync(
      this.#config,
      change(recipe("cluster/patroni.yml"), [
        ["/etc/latchkey/", `${folder}/`],
        ["0.0.0.0:8008", `127.0.0.1:${String(checkPort)}`],
        ["0.0.0.0:5432", `127.0.0.1:${String(port)}`],
        ["/var/lib/postgresql/latchkey", this.#data],
        ["/var/run/postgresql", own],
        ["/usr/lib/postgresql/15/bin", findPostgres() ?? ""],
        // As soon as Patroni does it.
        ["ttl: 30", "ttl: 20"],
        ["loop_wait: 10", "loop_wait: 1"],
        ["retry_timeout: 10", "retry_timeout: 3"],
      ]),
    );
    this.#environment = {
      ...passwords,
      PATRONI_NAME: name,
      PATRONI_RESTAPI_CONNECT_ADDRESS: `127.0.0.1:${String(checkPort)}`,
      PATRONI_POSTGRESQL_CONNECT_ADDRESS: `127.0.0.1:${String(port)}`,
      PATRONI_ETCD3_HOSTS: etcd,
      PATH: [findPostgres(), process.env["PATH"]].join(delimiter),
      HOME: own,
    };
    onTestFinished(() => this.kill());
  }

  start(): void {
    this.#patroni = run("patroni", [this.#config], this.#environment);
  }

  /** Whether it is this, by what HAProxy asks: a standby is synchronous that has all that is acknowledged. */
  async is(role: "primary" | "synchronous" | "replica"): Promise<boolean> {
    return (await statusOf(`http://127.0.0.1:${String(this.checkPort)}/${role}`)) === 200;
  }

  get log(): string {
    return this.#patroni?.log() ?? "it does not run";
  }

  /** Has another one take its place, in order. */
  async switchOver(candidate: PatroniMachine): Promise<void> {
    const answer = await fetch(`http://127.0.0.1:${String(this.checkPort)}/switchover`, {
      method: "POST",
      headers: { authorization: `Basic ${Buffer.from(`patroni:${passwords.PATRONI_RESTAPI_PASSWORD}`).toString("base64")}` },
      body: JSON.stringify({ leader: this.name, candidate: candidate.name }),
    });
    if (answer.status !== 200) throw new Error(`no switchover: ${await answer.text()}`);
  }

  /** Ends Patroni as a crash does; its PostgreSQL goes on, and knows nothing of it. */
  async killPatroni(): Promise<void> {
    const child = this.#patroni?.child;
    this.#patroni = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  /** Ends all of it as a loss of power does. */
  async kill(): Promise<void> {
    await this.killPatroni();
    let postgres: number;
    try {
      postgres = Number(readFileSync(join(this.#data, "postmaster.pid"), "utf8").split("\n")[0]);
      process.kill(postgres, "SIGKILL");
    } catch {
      // It does not run.
      return;
    }
    while (isThere(postgres)) await pause(20);
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Three machines with Patroni. */
export class PatroniCluster {
  readonly machines: readonly PatroniMachine[];

  private constructor(machines: readonly PatroniMachine[]) {
    this.machines = machines;
  }

  /** Starts them, and what agrees for them on who is the primary; resolves when there is one, with a synchronous standby. */
  static async start(folder: string): Promise<PatroniCluster> {
    // The machines of tests have less memory.
    writeFileSync(
      join(folder, "postgresql.conf"),
      change(recipe("cluster/postgresql.conf"), [["shared_buffers = 1GB", "shared_buffers = 16MB"]]),
    );
    writeFileSync(join(folder, "database.sh"), recipe("cluster/database.sh"));
    const [client, peer] = [`http://127.0.0.1:${String(await freePort())}`, `http://127.0.0.1:${String(await freePort())}`];
    const options = {
      "data-dir": join(folder, "etcd"),
      "listen-client-urls": client,
      "advertise-client-urls": client,
      "listen-peer-urls": peer,
      "initial-advertise-peer-urls": peer,
      "initial-cluster": `default=${peer}`,
    };
    const { child } = run("etcd", ["--unsafe-no-fsync", ...Object.entries(options).map(([name, value]) => `--${name}=${value}`)]);
    endWithTest(child);
    const machines: PatroniMachine[] = [];
    for (const name of ["a", "b", "c"]) {
      const ports = { port: await freePort(), checkPort: await freePort() };
      machines.push(new PatroniMachine({ name, ...ports, etcd: new URL(client).host, folder }));
    }
    const cluster = new PatroniCluster(machines);
    for (const machine of machines) machine.start();
    await cluster.settled();
    return cluster;
  }

  /** The primary and its synchronous standby, once there are both. */
  async settled(): Promise<{ readonly primary: PatroniMachine; readonly standby: PatroniMachine }> {
    for (const untilMs = performance.now() + startMs; ; await pause(200)) {
      const [primary, standby] = [await this.#find("primary"), await this.#find("synchronous")];
      if (primary !== undefined && standby !== undefined) return { primary, standby };
      const logs = (): string => this.machines.map(({ name, log }) => `${name}: ${log}`).join("\n");
      if (performance.now() > untilMs) throw new Error(`no primary with a standby: ${logs()}`);
    }
  }

  async #find(role: "primary" | "synchronous"): Promise<PatroniMachine | undefined> {
    for (const machine of this.machines) if (await machine.is(role)) return machine;
    return undefined;
  }
}

/** HAProxy before them. Answers the address of the database that a server is given. */
export async function startHaproxy(folder: string, { machines }: PatroniCluster): Promise<string> {
  const port = await freePort();
  const path = join(folder, "haproxy.cfg");
  writeFileSync(
    path,
    change(recipe("cluster/haproxy.cfg"), [
      ["  user haproxy\n  group haproxy\n", ""],
      ["127.0.0.1:5432", `127.0.0.1:${String(port)}`],
      ...machines.map(
        ({ name, port: at, checkPort }, index) =>
          [`server ${name} 10.0.0.${String(index + 1)}:5432`, `server ${name} 127.0.0.1:${String(at)} port ${String(checkPort)}`] as const,
      ),
    ]),
  );
  const { stdout, stderr } = spawnSync(programPath("haproxy") ?? "", ["-c", "-f", path], { encoding: "utf8" });
  expect((stdout + stderr).trim()).toBe("Configuration file is valid");
  const { child, log } = run("haproxy", ["-db", "-f", path]);
  endWithTest(child);
  // All but the primary.
  await expect.poll(() => log().match(/ is DOWN/g)?.length, { message: "HAProxy", timeout: startMs }).toBe(machines.length - 1);
  return `postgresql://latchkey:${passwords.LATCHKEY_PASSWORD}@127.0.0.1:${String(port)}/latchkey`;
}

/** Caddy at this port, before servers of which the first has the desk. */
export async function startCaddy(folder: string, port: number, [first, second]: readonly [number, number]): Promise<void> {
  const path = join(folder, "Caddyfile");
  const changed = change(recipe("cluster/nodes.Caddyfile"), [
    ["10.0.0.1:8080", `127.0.0.1:${String(first)}`],
    ["10.0.0.2:8080", `127.0.0.1:${String(second)}`],
    // TLS is tried with the other recipe.
    ["\nchat.example.org {", `\nhttp://localhost:${String(port)} {\n\tbind 127.0.0.1`],
    ["\n{\n", "\n{\n\tadmin off\n"],
  ]);
  writeFileSync(path, changed);
  const home = { XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder, HOME: folder };
  const { child } = run("caddy", ["run", "--config", path, "--adapter", "caddyfile"], home);
  endWithTest(child);
  await expect.poll(() => statusOf(`http://localhost:${String(port)}/v1/info`), { timeout: startMs, message: "Caddy" }).toBe(200);
}
