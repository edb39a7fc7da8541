// What a start refuses, and what it leaves behind then: one line, and nothing held.
import { freePort } from "@latchkey/testkit";
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ServerOptions } from "../config.ts";
import { startServer } from "../server.ts";
import { databaseFiles, formerDatabaseFile } from "../store/sqlite/database-files.ts";
import { createLog, createTestLog, random, register, runServer, temporaryDirectory } from "../testing/fixtures.ts";
import { TestClient } from "../testing/test-client.ts";

const host = "latchkey.example";

/** A folder in which a server ran. */
async function usedFolder(options: Partial<ServerOptions> = {}): Promise<string> {
  const dataDirectory = temporaryDirectory();
  const server = await runServer({ host, dataDirectory, ...options });
  await register(server, "alice");
  await server.close();
  return dataDirectory;
}

/** What a start says: the error, or "started". */
function start(options: Partial<ServerOptions>): Promise<unknown> {
  return startServer({ port: 0, logLevel: "silent", host, dataDirectory: temporaryDirectory(), ...options }).then(
    (server) => server.close().then(() => "started"),
    (error: unknown) => error,
  );
}

describe("keys", () => {
  test.each(["log.key", "vrf.key"])("a missing %s is not replaced", async (name) => {
    const dataDirectory = await usedFolder();
    const path = join(dataDirectory, "directory", name);
    renameSync(path, `${path}.away`);
    expect(await start({ dataDirectory })).toMatchObject({
      code: "data_unusable",
      message: expect.stringContaining(`The key directory/${name} is missing`) as string,
    });
    expect(existsSync(path)).toBe(false);
    renameSync(`${path}.away`, path);
    expect(await start({ dataDirectory })).toBe("started");
  });

  test.each(["log.key", "vrf.key"])("another %s is refused, and nothing is logged under it", async (name) => {
    const dataDirectory = await usedFolder();
    const path = join(dataDirectory, "directory", name);
    renameSync(path, `${path}.away`);
    writeFileSync(path, random(32));
    expect(await start({ dataDirectory })).toMatchObject({
      code: "data_unusable",
      message: expect.stringContaining(`directory/${name} is not the one`) as string,
    });
    renameSync(`${path}.away`, path);
    expect(await start({ dataDirectory })).toBe("started");
  });

  test("a lost log.key goes on with the announced one, when the operator says so", async () => {
    const dataDirectory = await usedFolder();
    const rotating = await runServer({ host, dataDirectory, rotateLogKey: true });
    await register(rotating, "bert");
    await rotating.close();
    const path = join(dataDirectory, "directory", "log.key");
    rmSync(path);
    expect(await start({ dataDirectory })).toMatchObject({ message: expect.stringContaining("--i-know lost-log-key") as string });
    expect(await start({ dataDirectory, iKnow: ["lost-log-key"] })).toBe("started");
    expect(await start({ dataDirectory })).toBe("started");
  });

  test("an announced key that is missing is asked for", async () => {
    const dataDirectory = await usedFolder();
    const rotating = await runServer({ host, dataDirectory, rotateLogKey: true });
    await register(rotating, "bert");
    await rotating.close();
    rmSync(join(dataDirectory, "directory", "log-next.key"));
    expect(await start({ dataDirectory })).toMatchObject({ message: expect.stringContaining("log-next.key is not the one") as string });
  });
});

describe("the folder", () => {
  test("a missing database is not made anew beside keys, whatever says otherwise", async () => {
    const dataDirectory = await usedFolder();
    for (const name of databaseFiles) {
      const database = join(dataDirectory, name);
      renameSync(database, `${database}.away`);
      for (let attempt = 0; attempt < 2; attempt++) {
        expect(await start({ dataDirectory })).toMatchObject({
          code: "data_unusable",
          message: expect.stringContaining(`${database} is missing, although a server ran here`) as string,
        });
      }
      expect(existsSync(database)).toBe(false);
      renameSync(`${database}.away`, database);
    }
    expect(await start({ dataDirectory })).toBe("started");
  });

  test("one of before there were two databases is refused, and left as it is", async () => {
    const dataDirectory = temporaryDirectory();
    writeFileSync(join(dataDirectory, formerDatabaseFile), "");
    expect(await start({ dataDirectory })).toMatchObject({
      code: "data_unusable",
      message: expect.stringContaining(formerDatabaseFile) as string,
    });
    expect(readdirSync(dataDirectory)).toEqual([formerDatabaseFile]);
  });

  test("a folder of another host is refused, with the host that it belongs to; without a host it goes on under its own", async () => {
    const dataDirectory = await usedFolder();
    expect(await start({ dataDirectory, host: "other.example" })).toMatchObject({
      message: expect.stringContaining("start with --host latchkey.example") as string,
    });
    expect(await start({ dataDirectory, host: "other.example", iKnow: ["host"] })).toBe("started");
    const { host: own, close } = await startServer({ port: 0, logLevel: "silent", dataDirectory });
    await close();
    expect(own).toBe(host);
  });

  test("nobody but the server's user may read it, however it was made", async () => {
    const dataDirectory = temporaryDirectory();
    mkdirSync(join(dataDirectory, "directory"));
    for (const path of [dataDirectory, join(dataDirectory, "directory")]) chmodSync(path, 0o755);
    await (await runServer({ host, dataDirectory })).close();
    for (const name of readdirSync(dataDirectory)) {
      const path = join(dataDirectory, name);
      chmodSync(path, statSync(path).isDirectory() ? 0o755 : 0o644);
    }
    const server = await runServer({ host, dataDirectory });
    await createLog(await TestClient.connect(server.url, "log"), createTestLog());
    const readable = readdirSync(dataDirectory).filter(
      (name) => name !== "blobs" && (statSync(join(dataDirectory, name)).mode & 0o077) !== 0,
    );
    expect(readable).toEqual([]);
    expect(statSync(dataDirectory).mode & 0o077).toBe(0);
    expect(readdirSync(dataDirectory)).toEqual(expect.arrayContaining(databaseFiles.map((name) => `${name}-wal`)));
  });

  test("a place where no folder can be made is refused at once", async () => {
    expect(await start({ dataDirectory: "/proc/nope/data" })).toMatchObject({ code: "data_unusable" });
  });
});

describe("listening", () => {
  const failures: [what: string, spoil: (dataDirectory: string) => Partial<ServerOptions>][] = [
    [
      "a short key",
      (dataDirectory) => {
        writeFileSync(join(dataDirectory, "directory", "vrf.key"), "short");
        return {};
      },
    ],
    ["a witness that is none", () => ({ witnesses: [{ url: "https://w.example", logKey: "nonsense" }] })],
    ["another host", () => ({ host: "other.example" })],
  ];
  test.each(failures)("a start that fails for %s has never listened, and holds neither port nor folder", async (_what, spoil) => {
    const dataDirectory = await usedFolder();
    const port = await freePort();
    const seen: string[] = [];
    let isOver = false;
    const knock = async (): Promise<void> => {
      while (!isOver) {
        const answer = await fetch(`http://127.0.0.1:${port}/healthz`).then(
          (response) => String(response.status),
          () => "",
        );
        if (answer !== "") seen.push(answer);
      }
    };
    const knocking = knock();
    const failure = await start({ dataDirectory, port, ...spoil(dataDirectory) });
    isOver = true;
    await knocking;
    expect(failure).toMatchObject({ name: "ServerError" });
    expect(seen).toEqual([]);
    const other = await runServer({ port });
    expect(other.port).toBe(port);
    rmSync(join(dataDirectory, "directory", "vrf.key"));
    // Another refusal than that of a folder in use.
    expect(await start({ dataDirectory })).toMatchObject({ code: "data_unusable" });
  });

  test("a good start never answers with an error while it is under way", async () => {
    const port = await freePort();
    const statuses = new Set<number>();
    let isOver = false;
    const knock = async (path: string): Promise<void> => {
      while (!isOver) {
        const response = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
        if (response !== undefined) statuses.add(response.status);
      }
    };
    const knocking = ["/healthz", "/v1/info", "/v1/directory/checkpoint"].map((path) => knock(path));
    await runServer({ port });
    await expect.poll(() => statuses.size).toBeGreaterThan(0);
    isOver = true;
    await Promise.all(knocking);
    expect([...statuses]).toEqual([200]);
  });

  test("a port of the server's own choice is its host's from the start", async () => {
    const server = await runServer();
    expect(server.host).toBe(`localhost:${server.port}`);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    await server.close();
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(server.port, "127.0.0.1", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    expect(isOpen).toBe(false);
  });

  test("a name that no frame can hold is refused before anybody visits", async () => {
    expect(await start({ serverName: "é".repeat(129) })).toMatchObject({ code: "invalid_options" });
    expect(await start({ serverName: "é".repeat(128) })).toBe("started");
  });
});
