import { cpSync, existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { toHex } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import type { RunningServer } from "../../server.ts";
import {
  createLog,
  createTestLog,
  entryBytes,
  none,
  random,
  register,
  runServer,
  signCard,
  temporaryDirectory,
  zeros,
} from "../../testing/fixtures.ts";
import { TestClient } from "../../testing/test-client.ts";
import { databaseFile, databaseFiles, journalSuffix } from "./database-files.ts";
import { refOf } from "../sql/row-ids.ts";

/** What happened, in its order: somebody's key package was taken, a log was made and written to, and they got an item. */
interface Invitation {
  readonly logId: string;
  readonly inboxId: string;
}

/** People, and one invitation of each after the other. */
async function invite(server: RunningServer, count: number): Promise<Invitation[]> {
  const people = [];
  for (let index = 0; index < count; index++) {
    const { account, client } = await register(server, `person${String(index)}`);
    const inboxId = random(32);
    await client.outcome({ kind: "card", card: await signCard(account.device, inboxId) });
    const keyPackages = [random(500), random(500)];
    const notAfterMs = Date.now() + 30 * 86_400_000;
    await client.outcome({ kind: "publish_key_packages", lastResort: false, notAfterMs, keyPackages });
    people.push({ account, inboxId });
  }
  const lookup = await TestClient.connect(server.url, "lookup");
  const post = await TestClient.connect(server.url, "post");
  const writer = await TestClient.connect(server.url, "log");
  const invitations: Invitation[] = [];
  for (const { account, inboxId } of people) {
    const { accountId, device } = account;
    const taken = await lookup.outcome({ kind: "take_key_package", accountId, deviceId: device.deviceId, token: none });
    const log = createTestLog();
    await createLog(writer, log);
    const appended = await writer.outcome({ kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob: entryBytes(600) });
    const posted = await post.outcome({ kind: "post", inboxId, capability: zeros, blob: random(1500), token: none });
    expect([taken, appended, posted]).toEqual(["key_package", "accepted", "done"]);
    invitations.push({ logId: toHex(log.logId), inboxId: toHex(inboxId) });
  }
  return invitations;
}

interface Journal {
  /** The pages that its frames hold, in the order in which they were written. */
  readonly pages: readonly number[];
  readonly bytes: Buffer;
}

/** A write-ahead log as it lies on a disk (SQLite's WAL format), frames of before its last start included. */
function readJournal(path: string): Journal {
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  const pages = [];
  for (let at = 32; at + 24 + 4096 <= bytes.length; at += 24 + 4096) pages.push(bytes.readUInt32BE(at));
  return { pages, bytes };
}

/** The pages that the journal's index lists, in the order in which they were written. */
function readIndex(path: string): number[] {
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  const pages = [];
  for (let at = 136; at + 4 <= Math.min(bytes.length, 16_384); at += 4)
    if (bytes.readUInt32LE(at) !== 0) pages.push(bytes.readUInt32LE(at));
  return pages;
}

/** The page of the table of noise: what is written to it says nothing. */
function noisePage(database: DatabaseSync): number {
  return Number(database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'noise'").get()?.["rootpage"]);
}

describe("[P1] a copied disk joins no account to a log", () => {
  test("not by journals, their indexes or times, seconds after the last request, and not by the order of row ids", async () => {
    const dataDirectory = temporaryDirectory();
    const server = await runServer({ dataDirectory });
    const invitations = await invite(server, 12);
    const lastMs = Date.now();
    const journal = (name: string): string => join(dataDirectory, `${name}${journalSuffix}`);
    // At once there is an order, each of its own database: this is what is not to stay.
    for (const name of databaseFiles) expect(readJournal(journal(name)).pages.length, name).toBeGreaterThan(1);
    await expect
      .poll(() => databaseFiles.map((name) => readJournal(journal(name)).pages.length), { timeout: 30_000, interval: 200 })
      .toEqual([1, 1]);

    const copy = temporaryDirectory();
    cpSync(dataDirectory, copy, { recursive: true });
    const known = invitations.flatMap(({ logId, inboxId }) => [logId, inboxId]).map((id) => Buffer.from(id, "hex"));
    for (const name of databaseFiles) {
      const { pages, bytes } = readJournal(join(copy, `${name}${journalSuffix}`));
      expect(known.some((id) => bytes.includes(id))).toBe(false);
      const database = new DatabaseSync(join(dataDirectory, name), { readOnly: true });
      const noise = noisePage(database);
      expect(new Set(pages)).toEqual(new Set([noise]));
      expect(new Set(readIndex(join(copy, `${name}-shm`)))).toEqual(new Set([noise]));
      database.close();
      // The time of the last write is that of the noise, of both databases at once, and not that of a request.
      expect(statSync(journal(name)).mtimeMs - lastMs).toBeGreaterThan(1000);
    }

    // What an attacker reads from the rows: logs in the order of their ids, and items in the order of theirs.
    const rows = (name: keyof typeof databaseFile, sql: string): Record<string, unknown>[] => {
      const database = new DatabaseSync(join(dataDirectory, databaseFile[name]), { readOnly: true });
      const found = database.prepare(sql).all();
      database.close();
      return found;
    };
    const hex = (value: unknown): string => (value instanceof Uint8Array ? toHex(value) : "");
    const logs = rows("logs", "SELECT id, log_id FROM logs ORDER BY id");
    const entries = rows("logs", "SELECT id FROM entries ORDER BY id");
    const inboxes = rows("accounts", "SELECT id, inbox_id FROM inboxes ORDER BY id");
    const items = rows("accounts", "SELECT id FROM inbox_items ORDER BY id");
    const nameOf = (all: Record<string, unknown>[], key: string, id: unknown): string =>
      hex(all.find((row) => row["id"] === refOf(Number(id)))?.[key]);
    const madeLogs = invitations.map(({ logId }) => logId);
    const invited = invitations.map(({ inboxId }) => inboxId);
    // Twelve stand in their true order by chance once in 479,001,600 times.
    expect(logs.map((row) => hex(row["log_id"]))).not.toEqual(madeLogs);
    expect(entries.map(({ id }) => nameOf(logs, "log_id", id))).not.toEqual(madeLogs);
    expect(inboxes.map((row) => hex(row["inbox_id"]))).not.toEqual(invited);
    expect(items.map(({ id }) => nameOf(inboxes, "inbox_id", id))).not.toEqual(invited);
    expect(new Set(logs.map((row) => hex(row["log_id"])))).toEqual(new Set(madeLogs));
    expect(new Set(items.map(({ id }) => nameOf(inboxes, "inbox_id", id)))).toEqual(new Set(invited));
    for (const [name, table] of [
      ["accounts", "accounts"],
      ["accounts", "devices"],
      ["accounts", "key_packages"],
      ["accounts", "directory_labels"],
    ] as const) {
      const ids = rows(name, `SELECT id FROM ${table} ORDER BY id`).map(({ id }) => Number(id));
      expect(ids.length, table).toBeGreaterThanOrEqual(12);
      // Numbers that were given out one after the other lie close together.
      expect((ids.at(-1) ?? 0) - (ids[0] ?? 0), table).toBeGreaterThan(2 ** 40);
    }
  });
});
