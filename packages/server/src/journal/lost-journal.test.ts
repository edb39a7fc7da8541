// What a server does whose journal is not there, is another one, or is all that is left; and what a restore says of one that does not fit.
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { createBackup } from "../backup/backup.ts";
import { folderPlace } from "../backup/place.ts";
import { restoreBackup } from "../backup/restore.ts";
import type { RestoreOptions } from "../backup/restore.ts";
import type { ServerOptions } from "../config.ts";
import { startServer } from "../server.ts";
import type { RunningServer } from "../server.ts";
import { register, runServer, temporaryDirectory } from "../testing/fixtures.ts";

// Servers start and stop many times here, and a machine may have other things to do.
vi.setConfig({ testTimeout: 120_000 });

const host = "latchkey.example";
const passphrase = "correct horse battery";

/** A data folder and a journal in which nothing is yet. */
function places() {
  const folder = temporaryDirectory();
  return { dataDirectory: join(folder, "data"), journal: join(folder, "disk", "journal"), to: join(folder, "copies"), folder };
}

const run = (options: Partial<ServerOptions>): Promise<RunningServer> =>
  runServer({ host, limits: { publicationIntervalMs: 0 }, ...options });

/** Runs a server, registers people, and stops it again. */
async function lived(options: Partial<ServerOptions>, names: readonly string[]): Promise<void> {
  const server = await run(options);
  for (const name of names) await register(server, name);
  await server.close();
}

/** Without keys, unless they are what is tested: opening them is meant to be slow. */
const backUp = (dataDirectory: string, to: string, withKeys = false) =>
  createBackup({ dataDirectory, to, passphrase: withKeys ? passphrase : undefined, nowMs: Date.now() });

const keysOf = (dataDirectory: string): string => join(dataDirectory, "directory");

const restore = (from: string, options: Partial<RestoreOptions>) =>
  restoreBackup({
    from: folderPlace(from),
    dataDirectory: join(temporaryDirectory(), "restored"),
    passphrase: () => Promise.resolve(passphrase),
    keysFolder: undefined,
    nowMs: Date.now(),
    ...options,
  });

/** What a start says. */
const start = (options: Partial<ServerOptions>): Promise<unknown> =>
  startServer({ port: 0, logLevel: "silent", host, dataDirectory: "", ...options }).then(
    (server) => server.close().then(() => "started"),
    (error: unknown) => error,
  );

const refused = (text: string, code = "journal_unusable") => ({ code, message: expect.stringContaining(text) as unknown });

async function health(server: RunningServer): Promise<{ status: number; codes: string[] }> {
  const response = await fetch(`${server.url}/healthz`);
  const { reasons } = (await response.json()) as { reasons: { code: string }[] };
  return { status: response.status, codes: reasons.map(({ code }) => code) };
}

const sizeOf = async (server: RunningServer): Promise<number> =>
  Number((await (await fetch(`${server.url}/v1/directory/checkpoint`)).text()).split("\n")[1]);

describe("a start", () => {
  test("without the journal that there was is refused in one line, until its disk is back or the operator gives it up", async () => {
    const { dataDirectory, journal, to, folder } = places();
    await lived({ dataDirectory, journal }, ["alice"]);
    await backUp(dataDirectory, to);
    await lived({ dataDirectory, journal }, ["bert"]);
    renameSync(join(folder, "disk"), join(folder, "away"));
    for (let attempt = 0; attempt < 2; attempt++) expect(await start({ dataDirectory, journal })).toMatchObject(refused("mount its disk"));
    expect(await start({ dataDirectory })).toMatchObject(refused("name its folder with --journal"));
    rmSync(join(folder, "disk"), { recursive: true });
    renameSync(join(folder, "away"), join(folder, "disk"));
    expect(await start({ dataDirectory, journal })).toBe("started");

    // It is lost: a new one begins, and health is red until there is a backup that goes with it.
    rmSync(journal, { recursive: true });
    const server = await run({ dataDirectory, journal, iKnow: ["new-journal"] });
    await register(server, "carol");
    expect(await health(server)).toEqual({ status: 503, codes: ["backup"] });
    await expect(restore(to, { keysFolder: keysOf(dataDirectory), journal })).rejects.toMatchObject(refused("lacks entry 3"));
    await backUp(dataDirectory, to);
    expect(await health(server)).toEqual({ status: 200, codes: [] });
    await register(server, "dan");
    await server.close();
    expect(await start({ dataDirectory, journal })).toBe("started");
    expect(await restore(to, { keysFolder: keysOf(dataDirectory), journal })).toMatchObject({ recordSize: 5, replayed: 1 });
  });

  test("with the journal of another time or of another server is refused", async () => {
    const { dataDirectory, journal, folder } = places();
    await lived({ dataDirectory, journal }, ["alice"]);
    const old = join(folder, "old");
    cpSync(journal, old, { recursive: true });
    await lived({ dataDirectory, journal }, ["bert"]);
    expect(await start({ dataDirectory, journal: old })).toMatchObject(refused("ends at entry 2, and had 3"));
    expect(await start({ dataDirectory, journal: old, iKnow: ["new-journal"] })).toMatchObject(refused("went on without it"));
    const other = places();
    await lived({ dataDirectory: other.dataDirectory, journal: other.journal }, ["alice", "bert"]);
    // What was refused has given nothing up.
    expect(await start({ dataDirectory, journal })).toBe("started");
    expect(await start({ dataDirectory, journal: other.journal })).toMatchObject(refused("another one than this server wrote"));
    expect(await start({ dataDirectory, journal: other.journal, iKnow: ["new-journal"] })).toMatchObject(refused("another public record"));
  });

  test("of an emptied data folder beside its journal is refused, and nothing is begun in it", async () => {
    const { dataDirectory, journal } = places();
    await lived({ dataDirectory, journal }, ["alice"]);
    rmSync(dataDirectory, { recursive: true });
    for (let attempt = 0; attempt < 2; attempt++)
      expect(await start({ dataDirectory, journal })).toMatchObject(refused("was emptied", "data_unusable"));
    expect(existsSync(join(dataDirectory, "directory", "log.key"))).toBe(false);
  });

  test("without a journal goes on when the operator gives it up, and from then on", async () => {
    const { dataDirectory, journal } = places();
    await lived({ dataDirectory, journal }, ["alice"]);
    expect(await start({ dataDirectory, iKnow: ["new-journal"] })).toBe("started");
    await lived({ dataDirectory }, ["bert"]);
    expect(await start({ dataDirectory, journal })).toMatchObject(refused("went on without it"));
  });
});

test("a journal that goes while the server runs stops publications with a typed refusal, and they go on when it is back", async () => {
  for (const replacement of ["nothing", "an empty folder"]) {
    const { dataDirectory, journal, folder } = places();
    const server = await run({ dataDirectory, journal });
    await register(server, "alice");
    renameSync(journal, join(folder, "away"));
    if (replacement === "an empty folder") mkdirSync(journal);
    for (const name of ["bert", "carol"]) await expect(register(server, name)).rejects.toThrow("storage_full");
    expect(await health(server)).toEqual({ status: 503, codes: ["journal"] });
    expect(await sizeOf(server)).toBe(2);
    if (replacement === "an empty folder") expect(readdirSync(journal)).toEqual([]);
    rmSync(journal, { recursive: true, force: true });
    renameSync(join(folder, "away"), journal);
    await register(server, "dora");
    expect(await health(server)).toEqual({ status: 200, codes: [] });
    await server.close();
  }
});

describe("a restore", () => {
  test("with a journal that ends before the backup, or is damaged in the middle, says how far it goes, and goes so far if told", async () => {
    const { dataDirectory, journal, to, folder } = places();
    await lived({ dataDirectory, journal }, ["alice"]);
    const old = join(folder, "old");
    cpSync(journal, old, { recursive: true });
    await backUp(dataDirectory, to);
    const [name = ""] = readdirSync(journal);
    await lived({ dataDirectory, journal }, ["bert"]);
    const { size } = statSync(join(journal, name));
    await lived({ dataDirectory, journal }, ["carol", "dan"]);
    const later = join(folder, "later");
    await backUp(dataDirectory, later);
    await expect(restore(later, { keysFolder: keysOf(dataDirectory), journal: old })).rejects.toMatchObject(refused("ends at entry 2"));

    const bytes = readFileSync(join(journal, name));
    bytes.fill(0, size, size + 8);
    writeFileSync(join(journal, name), bytes);
    await expect(restore(to, { keysFolder: keysOf(dataDirectory), journal })).rejects.toMatchObject(refused("--up-to 3"));
    await expect(restore(to, { keysFolder: keysOf(dataDirectory), journal, upTo: 4 })).rejects.toMatchObject(refused("--up-to 3"));
    await expect(restore(to, { keysFolder: keysOf(dataDirectory), journal, upTo: 1 })).rejects.toMatchObject(refused("has 2 entries"));
    await expect(restore(to, { keysFolder: keysOf(dataDirectory), journal: old, upTo: 7 })).rejects.toMatchObject(
      refused("leave --up-to away"),
    );
    const restored = join(folder, "restored");
    expect(await restore(to, { keysFolder: keysOf(dataDirectory), journal, upTo: 3, dataDirectory: restored })).toMatchObject({
      recordSize: 3,
      replayed: 1,
    });
    // That record is another one than the rest of the journal.
    expect(await start({ dataDirectory: restored, journal })).toMatchObject({ code: "journal_unusable" });
    await lived({ dataDirectory: restored, journal: join(folder, "new") }, ["emil"]);
  });

  test("from before the log's key was changed asks for the new key, and takes it beside the backup's own", async () => {
    const { dataDirectory, journal, to } = places();
    await lived({ dataDirectory, journal }, ["alice"]);
    await backUp(dataDirectory, to, true);
    await lived({ dataDirectory, journal, rotateLogKey: true }, ["bert"]);
    const restored = join(temporaryDirectory(), "restored");
    await expect(restore(to, { journal, dataDirectory: restored })).rejects.toMatchObject(refused("log-next.key", "restore_failed"));
    expect(readdirSync(restored)).toEqual([]);
    const keys = temporaryDirectory();
    cpSync(join(dataDirectory, "directory", "log-next.key"), join(keys, "log-next.key"));
    expect(await restore(to, { journal, keysFolder: keys, dataDirectory: restored })).toMatchObject({ recordSize: 4 });
    for (const name of ["log.key", "log-next.key", "vrf.key"])
      expect(readFileSync(join(restored, "directory", name))).toEqual(readFileSync(join(dataDirectory, "directory", name)));
    await lived({ dataDirectory: restored, journal }, ["carol"]);
  });

  test("of a copy in which something waited for the journal goes on where the journal ended", async () => {
    const { dataDirectory, journal, to, folder } = places();
    const server = await run({ dataDirectory, journal });
    await register(server, "alice");
    renameSync(journal, join(folder, "away"));
    await expect(register(server, "bert")).rejects.toThrow("storage_full");
    await backUp(dataDirectory, to);
    await server.close();
    renameSync(join(folder, "away"), journal);
    const restored = join(folder, "restored");
    expect(await restore(to, { keysFolder: keysOf(dataDirectory), journal, dataDirectory: restored })).toMatchObject({
      recordSize: 3,
      replayed: 0,
    });
    const again = await run({ dataDirectory: restored, journal });
    await expect.poll(() => sizeOf(again), { timeout: 20_000 }).toBe(3);
    await again.close();
    expect(await restore(to, { keysFolder: keysOf(dataDirectory), journal })).toMatchObject({ recordSize: 3, replayed: 0 });
  });
});
