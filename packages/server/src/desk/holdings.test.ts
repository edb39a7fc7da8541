import { createHash } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fromBase64Url, toBase64Url } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { dayText } from "../days.ts";
import { sha256 } from "../hash.ts";
import { rowId, seqOf, shortDigest } from "../store/sql/row-ids.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import { random, temporaryDirectory } from "../testing/fixtures.ts";
import { newPublication, newState, publishState, today } from "../testing/store-inputs.ts";
import { assembleHoldings, openHoldings } from "./holdings.ts";
import { fields } from "./inventory/fields.ts";
import { columns } from "./inventory/inventory.ts";

const host = "chat.example";

type Package = Readonly<Record<string, unknown>>;

async function packageOf(store: Store, accountId: Uint8Array): Promise<Package> {
  const bytes = await assembleHoldings({ store, host }, accountId);
  return JSON.parse(new TextDecoder().decode(bytes)) as Package;
}

/** Every value at a path such as `devices[].inbox_items[].seq`; what is null or not there is none. */
function valuesAt(value: unknown, path: string): unknown[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap((item) => valuesAt(item, path));
  if (path === "") return [value];
  const [key = "", ...rest] = path.split(/\[\]\.|\./);
  return valuesAt((value as Record<string, unknown>)[key], rest.join("."));
}

interface Lived {
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
  readonly inboxId: Uint8Array;
  /** What the account signed last. */
  readonly version: number;
}

/** An account with something in every column that can be an account's. */
async function live(store: Store, name = "alice"): Promise<Lived> {
  const [deviceId, inboxId] = [random(16), random(32)];
  const binding = (): Uint8Array => random(80);
  const first = newState({
    deviceIds: [deviceId],
    names: { bind: { username: `${name}-before`, binding: binding() }, release: undefined },
  });
  const { accountId } = first;
  await publishState(store, first);
  const names = {
    bind: { username: name, binding: binding() },
    release: { username: `${name}-before`, binding: binding(), reservedUntilDay: today + 180 },
  };
  await publishState(store, newState({ accountId, version: 1, deviceIds: [deviceId], pops: [random(70), random(71)], names }));
  const ids = { accountId, deviceId };
  await store.putCard({ ...ids, inboxId, card: random(99) });
  await store.setCapability({ inboxId, generation: 7, hash: random(32) });
  for (const part of ["strangers", "contacts", "contacts"] as const)
    await store.postItem({ inboxId, part, blob: random(64), day: today, maxItems: 9, maxBytes: 9999, token: undefined });
  const keys = { ...ids, notAfterDay: today + 9, maxOneTime: 9, day: today };
  await store.addKeyPackages({ ...keys, lastResort: false, keyPackages: [random(50), random(51)] });
  await store.addKeyPackages({ ...keys, lastResort: true, keyPackages: [random(52)] });
  await store.takeKeyPackage({ ...ids, day: today });
  await store.countTokens({ accountId, day: today, count: 3, most: 100 });
  const record = random(192);
  await store.setPassphrase({ accountId, day: today, recoveryKey: random(32), record, sealed: random(72) });
  await store.openPassphrase({ accountId, record, day: today });
  await store.countPassphraseTry({ accountId, day: today, mostThatDay: 9, mostInAll: 9 });
  const [generation, chunk] = [random(16), random(80)];
  await store.putHistoryChunk({ accountId, generation, number: 0, chunk, day: today, maxBytes: 999, maxStoredBytes: 0 });
  await store.putHistoryManifest({ accountId, previous: 0, counter: 7, generation, chunks: 1, manifest: random(90), day: today });
  await store.admin.setRestrictions({
    accountId,
    restrictions: [{ what: "tokens", sinceDay: today, untilDay: today + 30 }],
  });
  return { ...ids, inboxId, version: 1 };
}

/** How the package writes what is in a column, where that is not the number, the day, the text or the bytes themselves. */
const coded: Readonly<Record<string, (value: number, database: DatabaseSync) => unknown>> = {
  "account_pops.position": () => undefined,
  "usernames.bound": (value) => (value === 1 ? "bound" : "released"),
  "inbox_items.id": seqOf,
  "history_chunks.id": seqOf,
  "inbox_items.digest": () => undefined,
  "inbox_items.is_stranger": (value) => (value === 1 ? "strangers" : "contacts"),
  "key_packages.last_resort": (value) => (value === 1 ? "last resort" : "one-time"),
  "directory_labels.type": (value) => ({ 1: "username", 2: "account" })[value],
  "directory_values.is_release": (value) => value === 1,
  "directory_values.name_label": (value, database) => {
    const row = database.prepare("SELECT name FROM directory_labels WHERE id = ?").get(value);
    return new TextDecoder().decode(row?.["name"] as Uint8Array);
  },
};

/** Of these it has the hash alone. */
const hashed: ReadonlySet<string> = new Set(["history_chunks.chunk", "passphrases.record", "passphrases.sealed"]);

/** The ways in which the package may write what is in a column. */
function written(value: unknown): unknown[] {
  if (value instanceof Uint8Array) return [toBase64Url(value), new TextDecoder().decode(value)];
  return typeof value === "number" && value < 1_000_000 ? [value, dayText(value)] : [value];
}

describe("the package", () => {
  test("[F-20] has what is in every column that can be an account's, in the field that the inventory names", async () => {
    const directory = temporaryDirectory();
    const store = await openSqliteStore({ directory });
    const { accountId } = await live(store);
    // One that is being deleted and not yet served.
    const deletion = newState({
      accountId,
      version: 2,
      deviceIds: [(await store.holdings({ accountId }))?.devices[0]?.deviceId ?? random(16)],
      names: { bind: undefined, release: undefined },
      deletion: { reservedUntilDay: today + 180 },
    });
    await store.publishDirectory(newPublication({ changes: [deletion], isServed: false }));
    const held = await packageOf(store, accountId);
    await store.close();

    const database = new DatabaseSync(join(directory, "accounts.sqlite"), { readOnly: true });
    const missing: string[] = [];
    for (const { table, column, field = "", tiedTo } of columns) {
      if (tiedTo !== "account") continue;
      const name = `${table}.${column}`;
      const inPackage = valuesAt(held, field);
      const rows = database.prepare(`SELECT "${column}" AS value FROM ${table} WHERE "${column}" IS NOT NULL`).all();
      // Nothing is looked at that is empty.
      if (rows.length === 0 || inPackage.length === 0) missing.push(`${name}: nothing to look at`);
      for (const { value } of rows) {
        const code = coded[name];
        const ways = code === undefined ? written(value) : [code(Number(value), database)];
        if (hashed.has(name) && value instanceof Uint8Array) {
          if (!inPackage.includes(toBase64Url(sha256(value)))) missing.push(name);
        } else if (name === "inbox_items.digest") {
          if (!valuesAt(held, field).some((hash) => shortDigest(fromBase64Url(String(hash))) === seqOf(Number(value)))) missing.push(name);
        } else if (!ways.some((way) => way === undefined || inPackage.includes(way))) missing.push(`${name}: ${JSON.stringify(ways)}`);
      }
    }
    database.close();
    expect(missing).toEqual([]);
  });

  test("[F-20] explains every field that it has, says what is not held and that a copy may be kept", async () => {
    const store = await openSqliteStore({ directory: temporaryDirectory() });
    const { accountId } = await live(store);
    const held = await packageOf(store, accountId);
    const explained = held["explanations"] as Record<string, string>;
    const paths = [...Object.keys(held).filter((key) => !["explanations", "format"].includes(key)), ...Object.keys(fields)];
    for (const path of paths) expect(explained[path], path).toMatch(/^.{5,}$/);
    expect([held["not_held"], held["copy_kept"]]).toEqual([explained["not_held"], explained["copy_kept"]]);
    await store.close();
  });

  test("[F-20] is the same bytes whenever the same is held, whatever the rows are numbered, and nothing of others", async () => {
    const directory = temporaryDirectory();
    const first = await openSqliteStore({ directory });
    const [alice, bobby] = [await live(first, "alice"), await live(first, "bobby")];
    const before = await assembleHoldings({ store: first, host }, alice.accountId);
    await first.close();
    const again = await openSqliteStore({ directory });
    const after = await assembleHoldings({ store: again, host }, alice.accountId);
    expect(Buffer.from(after ?? []).equals(Buffer.from(before ?? []))).toBe(true);
    const text = new TextDecoder().decode(after);
    for (const id of [bobby.accountId, bobby.deviceId, bobby.inboxId]) expect(text).not.toContain(toBase64Url(id));
    expect(text).not.toContain("bobby");
    expect(await assembleHoldings({ store: again, host }, random(32))).toBeUndefined();
    await again.close();
  });

  test("[F-20] a name that somebody else has now stays in the package of who had it, and in nobody else's is what they signed", async () => {
    const store = await openSqliteStore({ directory: temporaryDirectory() });
    const { accountId } = await live(store);
    const taken = newState({ day: today + 181, names: { bind: { username: "alice-before", binding: random(80) }, release: undefined } });
    expect(await publishState(store, taken)).toEqual({ kind: "published" });
    const [before, after] = [await packageOf(store, accountId), await packageOf(store, taken.accountId)];
    expect(valuesAt(before, "usernames[].username")).toEqual(["alice"]);
    expect(valuesAt(before, "directory[].value")).toContain("alice-before");
    const [mine, theirs] = [before, after].map((held) => valuesAt(held, "directory[].values[].binding"));
    expect(theirs).toEqual([toBase64Url(taken.names.bind?.binding ?? new Uint8Array())]);
    expect(mine).not.toContain(theirs?.[0]);
    expect(mine).toHaveLength(3);
    await store.close();
  });

  test("[F-21] of a deleted account nothing is left but what the inventory says stays", async () => {
    const directory = temporaryDirectory();
    const store = await openSqliteStore({ directory });
    const { accountId, deviceId, inboxId, version } = await live(store);
    const before = await packageOf(store, accountId);
    const names = { bind: undefined, release: { username: "alice", binding: random(80), reservedUntilDay: today + 180 } };
    const last = newState({ accountId, version: version + 1, deviceIds: [], names, deletion: { reservedUntilDay: today + 180 } });
    await store.publishDirectory(newPublication({ changes: [last] }));
    const after = await packageOf(store, accountId);
    const left = Object.entries(fields).filter(
      ([path, { afterDeletion }]) => afterDeletion === undefined && valuesAt(after, path).length > 0,
    );
    expect(left.map(([path]) => path)).toEqual([]);
    // What stays is what was signed last, and of the rest no opening.
    expect(valuesAt(after, "states[].state")).toEqual([toBase64Url(last.state)]);
    expect(valuesAt(after, "directory[].values[].opening").length).toBeLessThan(valuesAt(before, "directory[].values[].opening").length);
    await store.close();
    const gone = [
      deviceId,
      inboxId,
      ...[
        "states[].state",
        "devices[].card",
        "devices[].inbox_items[].sealed",
        "devices[].key_packages[].key_package",
        "history_backup.manifest",
        "history_generations[].chunks[].sha256",
      ]
        .flatMap((path) => valuesAt(before, path))
        .map((text) => fromBase64Url(String(text))),
    ];
    expect(gone.length).toBeGreaterThan(9);
    const database = new DatabaseSync(join(directory, "accounts.sqlite"), { readOnly: true });
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all();
    for (const { name } of tables) {
      const rows = database.prepare(`SELECT * FROM ${String(name)}`).all();
      const bytes = rows.flatMap((row) => Object.values(row)).filter((value) => value instanceof Uint8Array);
      for (const one of gone)
        expect(
          bytes.some((value) => Buffer.from(value).includes(one)),
          String(name),
        ).toBe(false);
    }
    database.close();
  });

  test("[F-20] an inbox with 100,000 items and a history of 10,000 states come whole, in small pieces", async () => {
    const directory = temporaryDirectory();
    const store = await openSqliteStore({ directory });
    const { accountId } = await live(store);
    await store.close();
    fill(join(directory, "accounts.sqlite"), { items: 100_000, states: 10_000 });
    const large = await openSqliteStore({ directory });
    let [bytes, largest] = [0, 0];
    const hashes: string[] = [];
    const texts: string[] = [];
    for (const isKept of [true, false]) {
      const hash = createHash("sha256");
      for await (const piece of (await openHoldings({ store: large, host }, accountId)) ?? []) {
        hash.update(piece);
        bytes += piece.length;
        largest = Math.max(largest, piece.length);
        if (isKept) texts.push(Buffer.from(piece).toString());
      }
      hashes.push(hash.digest("hex"));
    }
    expect(hashes[0]).toBe(hashes[1]);
    expect(largest).toBeLessThan(262_144);
    expect(bytes).toBeGreaterThan(2 * 20_000_000);
    const held = JSON.parse(texts.join("")) as Package;
    expect(valuesAt(held, "devices[].inbox_items[].seq")).toHaveLength(100_003);
    expect(valuesAt(held, "states[].version")).toHaveLength(10_002);
    await large.close();
  }, 120_000);
});

/** More items and states than any client makes, written as the store writes them. */
function fill(path: string, { items, states }: { items: number; states: number }): void {
  const database = new DatabaseSync(path);
  const inbox = Number(database.prepare("SELECT id FROM inboxes").get()?.["id"]);
  const account = Number(database.prepare("SELECT id FROM accounts").get()?.["id"]);
  database.exec("BEGIN");
  const item = database.prepare("INSERT INTO inbox_items (id, day, digest, is_stranger, blob) VALUES (?, ?, ?, 0, ?)");
  for (let seq = 4; seq < items + 4; seq++) {
    const bytes = random(64);
    item.run(rowId(inbox, seq), today, rowId(inbox, shortDigest(sha256(bytes))), bytes);
  }
  const state = database.prepare("INSERT INTO account_states (account, version, day, state) VALUES (?, ?, ?, ?)");
  for (let version = 2; version < states + 2; version++) state.run(account, version, today, random(100));
  database.prepare("UPDATE inboxes SET last_seq = ?").run(items + 3);
  database.exec("COMMIT");
  database.close();
}
