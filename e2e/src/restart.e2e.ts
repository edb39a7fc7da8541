import { cpSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { commandLinePeer, createFolder, latchkey, startServerProcess } from "./testing/processes.ts";
import type { CommandLinePeer, ServerProcess, TemporaryFolder } from "./testing/processes.ts";

// What stops a server from starting, and what must not stop a profile from noticing that it is old.

let folder: TemporaryFolder;
let server: ServerProcess;

beforeEach(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function registered(username: string): Promise<CommandLinePeer> {
  const peer = commandLinePeer({ home: folder.at(username), server: server.url, acceptsRequests: true });
  await peer.run("register", username);
  return peer;
}

interface Line {
  readonly body: { readonly text?: string };
}

async function textsOf(peer: CommandLinePeer): Promise<string[]> {
  return (await peer.run<Line>("read", "--limit", "1000")).flatMap(({ body }) => (body.text === undefined ? [] : [body.text]));
}

/** The SQLite files of a data folder. */
function databasesIn(data: string): string[] {
  return readdirSync(data, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(db|sqlite3?)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

describe("starting a server", () => {
  test("on a port that is taken tells so in one line that says what to do", async () => {
    const { status, stdout, stderr } = await latchkey(["serve", "--port", String(server.port), "--data", folder.at("other")]);
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^latchkey: port_in_use: [^\n]*another port[^\n]*\n$/);
  });

  test("on a data folder that another server uses tells so in one line", async () => {
    const { status, stderr } = await latchkey(["serve", "--port", "0", "--data", folder.at("data")]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^latchkey: data_locked: [^\n]+\n$/);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });

  test("on data of a newer version refuses in one line, and leaves the data as it was", async () => {
    await registered("wilhelmina");
    expect(await server.stop()).toBe(0);
    const files = databasesIn(folder.at("data"));
    expect(files.length).toBeGreaterThan(0);
    const versions = files.map((file) => changeVersion(file, () => 9999));
    const { status, stdout, stderr } = await latchkey(["serve", "--port", String(server.port), "--data", folder.at("data")]);
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^latchkey: data_newer: [^\n]+\n$/);
    for (const [index, file] of files.entries()) changeVersion(file, () => versions[index] ?? 0);
    server = await startServerProcess({ data: folder.at("data"), port: server.port });
    expect((await commandLinePeer({ home: folder.at("other"), server: server.url }).attempt("register", "wilhelmina")).stderr).toMatch(
      /username_taken/,
    );
  });

  test("stops by itself when it is asked, with people connected, and starts again with all they said", async () => {
    const [wilhelmina, xaver] = [await registered("wilhelmina"), await registered("xaver")];
    await wilhelmina.run("send", "xaver", "Before the break");
    expect(await server.stop()).toBe(0);
    server = await startServerProcess({ data: folder.at("data"), port: server.port });
    expect(await textsOf(xaver)).toEqual(["Before the break"]);
    expect(await textsOf(xaver)).toEqual(["Before the break"]);
  });
});

describe("a profile", () => {
  test("put back from an old copy is noticed before it sends anything", async () => {
    const [wilhelmina, xaver] = [await registered("wilhelmina"), await registered("xaver")];
    await wilhelmina.run("send", "xaver", "One");
    expect(await textsOf(xaver)).toEqual(["One"]);
    cpSync(wilhelmina.home, folder.at("copy"), { recursive: true });
    await wilhelmina.run("send", "xaver", "Two");
    rmSync(wilhelmina.home, { recursive: true });
    renameSync(folder.at("copy"), wilhelmina.home);
    const { status, stderr } = await wilhelmina.attempt("send", "xaver", "Three", "--timeout", "5");
    expect(status).toBe(1);
    expect(stderr).toMatch(/^\{"error":\{"code":"profile_restored","message":"[^\n]+\n$/);
    // Nobody else is harmed, and no generation was used twice: what arrived is readable and whole.
    expect(await textsOf(xaver)).toEqual(["One", "Two"]);
  });

  test("of a newer version is refused in one line", async () => {
    const wilhelmina = await registered("wilhelmina");
    for (const file of databasesIn(wilhelmina.home)) changeVersion(file, () => 9999);
    const { status, stderr } = await wilhelmina.attempt("whoami");
    expect(status).toBe(1);
    expect(stderr).toMatch(/^\{"error":\{"code":"storage_newer","message":"[^\n]+\n$/);
  });

  test("used by two commands at once serves one after the other", async () => {
    const [wilhelmina, xaver] = [await registered("wilhelmina"), await registered("xaver")];
    await Promise.all(Array.from({ length: 4 }, (_, index) => wilhelmina.run("send", "xaver", `Message ${String(index)}`)));
    expect((await textsOf(xaver)).toSorted()).toEqual(["Message 0", "Message 1", "Message 2", "Message 3"]);
  });

  test("without a server says that it is offline, and keeps what it has", async () => {
    const [wilhelmina, xaver] = [await registered("wilhelmina"), await registered("xaver")];
    await wilhelmina.run("send", "xaver", "Still here");
    expect(await textsOf(xaver)).toEqual(["Still here"]);
    await server.kill();
    expect((await xaver.attempt("whoami")).status).toBe(0);
    const { status, stderr } = await xaver.attempt("inspect");
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^\{"error":\{"code":"offline","message":"[^\n]+\n$/)]);
  });
});

/** Sets the schema's version of a SQLite file; returns the one it had. */
function changeVersion(file: string, change: (version: number) => number): number {
  const database = new DatabaseSync(file);
  const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  database.exec(`PRAGMA user_version = ${String(change(version))}`);
  database.close();
  return version;
}
