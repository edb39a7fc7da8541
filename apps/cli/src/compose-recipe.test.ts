// What the containers of ops/cluster/compose.yaml run, without containers: both PostgreSQL by its commands and scripts, made as the image of
// PostgreSQL makes them, and a server with the address that it is given there.
import { openNodeClient } from "@latchkey/client/node";
import { askPostgres, findPostgres, ordinaryUser, reachableFolder } from "@latchkey/server/testing";
import { freePort } from "@latchkey/testkit";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { change, recipe } from "./recipes.testing.ts";
import { ServerNode } from "./server-node.testing.ts";

const passwords = { LATCHKEY_PASSWORD: "ofLatchkey", REPLICATOR_PASSWORD: "ofReplicator" };

/** A container of PostgreSQL: a folder with what is mounted there, and a port in place of an address. */
class Container {
  readonly folder: string;
  readonly port: number;
  readonly #environment: Readonly<Record<string, string | undefined>>;

  constructor(port: number) {
    const user = ordinaryUser();
    this.folder = mkdtempSync(join(reachableFolder(user), "latchkey-container-"));
    this.port = port;
    if (user !== undefined) chownSync(this.folder, user.uid, user.gid);
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 }));
    const settings = change(recipe("cluster/postgresql.conf"), [
      ["listen_addresses = '*'", `listen_addresses = '127.0.0.1'\nport = ${String(port)}\nunix_socket_directories = '${this.folder}'`],
      // The machines of tests have less memory.
      ["shared_buffers = 1GB", "shared_buffers = 16MB"],
    ]);
    writeFileSync(join(this.folder, "postgresql.conf"), settings);
    this.#environment = {
      ...process.env,
      ...passwords,
      PATH: [findPostgres(), process.env["PATH"]].join(delimiter),
      LC_ALL: "C",
      PGDATA: join(this.folder, "data"),
      PGHOST: this.folder,
      PGPORT: String(port),
      POSTGRES_USER: "postgres",
    };
  }

  /** Mounts a script of the recipe, with other names. */
  mount(name: string, changes: readonly (readonly [string, string])[] = []): void {
    writeFileSync(join(this.folder, name), change(recipe(`cluster/${name}`), changes));
  }

  /** Runs a shell's commands to their end. @throws Error where one fails */
  run(...commands: readonly string[]): void {
    for (const command of commands) {
      const { status } = spawnSync("sh", ["-euc", command], { ...this.#options(), stdio: "ignore" });
      if (status !== 0) throw new Error(`failed: ${command}`);
    }
  }

  /** Runs what the container is for. Answers what stops it, as its recipe says. */
  start(command: string): () => Promise<void> {
    const child = spawn("sh", ["-euc", `exec ${command}`], { ...this.#options(), stdio: "ignore" });
    const gone = once(child, "exit");
    const stop = async (signal: NodeJS.Signals): Promise<void> => {
      child.kill(signal);
      await gone;
    };
    onTestFinished(() => stop("SIGQUIT"));
    return () => stop("SIGINT");
  }

  #options(): { cwd: string; env: NodeJS.ProcessEnv } {
    return { cwd: this.folder, ...ordinaryUser(), env: this.#environment };
  }
}

describe.skipIf(findPostgres() === undefined)("ops/cluster/compose.yaml", () => {
  test("[L-7] its primary, standby and server come up; without the standby nothing is acknowledged, and it follows again when it is back", async () => {
    const [primary, standby] = [new Container(await freePort()), new Container(await freePort())];
    const compose = recipe("cluster/compose.yaml");
    const [, command = ""] = /command: (postgres .*)/.exec(compose) ?? [];
    const postgres = change(command, [["/etc/latchkey/", `${primary.folder}/`]]);
    primary.mount("primary.sh");
    // As the image does the first time: who comes over TCP has a password, and the scripts have a server without it.
    primary.run(
      `echo ${passwords.REPLICATOR_PASSWORD} > password`,
      "initdb --username=postgres --auth-local=trust --auth-host=scram-sha-256 --pwfile=password",
      `echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"`,
      `pg_ctl -o "${postgres.replace("postgres ", "")} -c listen_addresses=''" -l log -w start`,
      "sh ./primary.sh",
      "pg_ctl -m fast -w stop",
    );
    primary.start(postgres);
    standby.mount("standby.sh", [
      ["host=primary", `host=127.0.0.1 port=${String(primary.port)}`],
      ["/etc/latchkey/", `${standby.folder}/`],
    ]);
    const stopStandby = standby.start("sh ./standby.sh");
    const admin = `postgresql://postgres:${passwords.REPLICATOR_PASSWORD}@127.0.0.1:${String(primary.port)}/postgres`;
    const standbys = async (): Promise<unknown> =>
      await askPostgres(admin, "SELECT application_name AS name, sync_state AS state FROM pg_stat_replication").catch(() => undefined);
    await expect.poll(standbys).toEqual([{ name: "standby", state: "quorum" }]);

    const [, address = ""] = /LATCHKEY_DATABASE: (.*)/.exec(compose) ?? [];
    const LATCHKEY_DATABASE = change(address, [
      ["${LATCHKEY_PASSWORD:?}", passwords.LATCHKEY_PASSWORD],
      ["@primary", `@127.0.0.1:${String(primary.port)}`],
    ]);
    const port = await freePort();
    const options = ["--host", `localhost:${String(port)}`];
    const server = new ServerNode({ data: join(primary.folder, "server"), port, options, environment: { LATCHKEY_DATABASE } });
    await server.start();
    const open = async (name: string): ReturnType<typeof openNodeClient> => {
      const client = await openNodeClient({ home: join(primary.folder, name), serverUrl: server.url, requests: "accept" });
      onTestFinished(() => client.close());
      await client.register({ username: name });
      return client;
    };
    const [ann, ben] = [await open("ann"), await open("ben")];
    const { id } = await ann.startConversation({ to: ["ben"] });
    await ann.send(id, "first");
    await ann.settle();

    await stopStandby();
    await ann.send(id, "while it is away");
    const delivery = async (): Promise<unknown> => (await ann.messages(id, { limit: 1 })).at(-1)?.delivery?.kind;
    const waiting = (): Promise<unknown[]> => askPostgres(admin, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    await expect.poll(async () => (await waiting()).length).toBeGreaterThan(0);
    expect(await delivery()).toBe("pending");
    standby.start("sh ./standby.sh");
    await expect.poll(delivery, { timeout: 60_000 }).toBe("accepted");
    await expect.poll(async () => (await ben.messages(id, { limit: 1 })).at(-1)?.body).toMatchObject({ text: "while it is away" });
  });
});
