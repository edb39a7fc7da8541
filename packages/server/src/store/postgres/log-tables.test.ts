import { toHex } from "@latchkey/codec";
import { firstHead } from "@latchkey/protocol";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { sha256 } from "../../hash.ts";
import { entryBytes, random, temporaryDirectory } from "../../testing/fixtures.ts";
import { findPostgres, keptSettings, startPostgres } from "../../testing/postgres.ts";
import type { TestPostgres } from "../../testing/postgres.ts";
import { newCommit, newEntry, today } from "../../testing/store-inputs.ts";
import type { Steps } from "../sql/steps.ts";
import type { NewEntry, Store } from "../store.ts";
import { appendBatch } from "./append-entries.ts";
import { PostgresDatabase } from "./database.ts";
import { PostgresLogHeads } from "./log-heads.ts";
import { createLog } from "./log-tables.ts";
import { openPostgresStore } from "./postgres-store.ts";
import { PostgresSql, take } from "./statements.ts";
import type { PostgresTransaction } from "./transaction.ts";

const page = { maxItems: 1000, maxBytes: 10_000_000 };
const never = 2 ** 30;

describe.skipIf(findPostgres() === undefined)("logs on PostgreSQL", () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres(keptSettings);
  });
  afterAll(() => postgres.stop());

  const openIn = async (directory: string): Promise<Store> => {
    const store = await openPostgresStore({ url: postgres.url, schemas: postgres.schemasOf(directory), acceptLoss: true });
    onTestFinished(() => store.close());
    return store;
  };
  /** A store, and its database of logs. */
  const opened = async (): Promise<{ store: Store; database: PostgresDatabase }> => {
    const directory = temporaryDirectory();
    const store = await openIn(directory);
    const database = await PostgresDatabase.open({ url: postgres.url, schema: postgres.schemasOf(directory).logs });
    onTestFinished(() => database.close());
    return { store, database };
  };
  /** With one log. */
  const withLog = async (): Promise<{ store: Store; database: PostgresDatabase; logId: Uint8Array }> => {
    const logId = random(32);
    const { store, database } = await opened();
    await store.createLog({ logId, accessHash: random(32), day: today });
    return { store, database, logId };
  };
  const appendTogether = (store: Store, entries: readonly NewEntry[]): Promise<Awaited<ReturnType<Store["append"]>>[]> =>
    Promise.all(entries.map((entry) => store.append(entry)));
  const partitions = async (database: PostgresDatabase): Promise<string[]> => {
    const { rows } = await database.query<{ name: string }>(
      "SELECT relname AS name FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'entries'::regclass ORDER BY relname",
    );
    return rows.map(({ name }) => name);
  };

  test("what was appended by another node is found, and both go on from there", async () => {
    const directory = temporaryDirectory();
    const [one, other] = [await openIn(directory), await openIn(directory)];
    const logId = random(32);
    await one.createLog({ logId, accessHash: random(32), day: today });
    const entry = newEntry(logId);
    const first = await one.append(entry);
    expect(await other.append(entry)).toEqual({ ...first, isNew: false });
    const outcomes = await Promise.all(Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? one : other).append(newEntry(logId))));
    const seqs = outcomes.map((outcome) => (outcome.kind === "accepted" ? outcome.seq : 0));
    expect(seqs.toSorted((a, b) => a - b)).toEqual(seqs.map((_, index) => index + 2));
    expect(await one.readEpoch({ logId, epochId: 0 })).toEqual(await other.readEpoch({ logId, epochId: 0 }));
  });

  test("a commit opens its epoch for what comes with it, and the same entry twice is stored once", async () => {
    const { store, logId } = await withLog();
    const [commit, message] = [newCommit(logId, 0), newEntry(logId, { epochId: 1 })];
    const outcomes = await appendTogether(store, [commit, message, message, commit, newEntry(logId)]);
    expect(outcomes).toMatchObject([
      { kind: "accepted", seq: 1, isNew: true },
      { kind: "accepted", seq: 2, isNew: true },
      { kind: "accepted", seq: 2, isNew: false },
      { kind: "accepted", seq: 1, isNew: false },
      { kind: "refused", code: "stale" },
    ]);
    expect(await store.readEntries({ logId, afterSeq: 0, ...page })).toHaveLength(2);
  });

  test("what is called together takes effect in the order of the calls, whatever it is", async () => {
    const { store } = await opened();
    const logId = random(32);
    const outcomes = await Promise.all([
      store.append(newEntry(logId)),
      store.createLog({ logId, accessHash: random(32), day: today }),
      store.append(newEntry(logId, { day: today - 2 })),
      store.append(newEntry(logId)),
      store.purgeEntries({ beforeDay: today, maxItems: 9 }),
      store.append(newEntry(logId, { day: today - 2 })),
    ]);
    expect(outcomes).toMatchObject([{ code: "unknown_log" }, { lastSeq: 0 }, { seq: 1 }, { seq: 2 }, 1, { seq: 3 }]);
  });

  test("[P1] what comes together lies in no order of its coming", async () => {
    const { store, database } = await opened();
    const logIds = Array.from({ length: 20 }, () => random(32));
    for (const logId of logIds) await store.createLog({ logId, accessHash: random(32), day: today });
    await appendTogether(
      store,
      [...logIds, ...logIds].map((logId) => newEntry(logId)),
    );
    const { rows: entries } = await database.query<{ id: number }>("SELECT id FROM entries ORDER BY tableoid, ctid");
    expect(entries).toEqual(entries.toSorted((a, b) => a.id - b.id));
    const { rows: active } = await database.query<{ log: number }>("SELECT log FROM active_logs ORDER BY ctid");
    expect(active).toEqual(active.toSorted((a, b) => a.log - b.log));
    expect([entries.length, active.length]).toEqual([40, 20]);
  });

  test("a batch asks as many statements whether it is of one entry or of hundreds", async () => {
    const { database } = await opened();
    const logIds = Array.from({ length: 50 }, () => random(32));
    for (const logId of logIds) await database.write((tx) => createLog(tx, { logId, accessHash: random(32), day: today }));
    const statementsOf = async (entries: readonly NewEntry[]): Promise<number> => {
      let count = 0;
      await database.write((tx) => appendBatch({ query: (...query) => (count++, tx.query(...query)) }, entries));
      return count;
    };
    await statementsOf([newEntry(logIds[0] ?? random(32))]);
    const one = await statementsOf([newEntry(logIds[0] ?? random(32))]);
    expect(await statementsOf(logIds.flatMap((logId) => Array.from({ length: 8 }, () => newEntry(logId))))).toBe(one);
    expect(one).toBeLessThan(4);
  });

  test("a plan that was made while the tables were empty reads none of them whole once they are full", async () => {
    const { store, database } = await opened();
    const [first, ...others] = Array.from({ length: 400 }, () => random(32));
    if (first === undefined) throw new Error("there is one");
    const create = (logId: Uint8Array): Promise<unknown> => store.createLog({ logId, accessHash: random(32), day: today });
    await create(first);
    const append = async (entries: readonly NewEntry[]): Promise<number> =>
      await database.write(
        async (tx) => {
          await appendBatch(tx, entries);
          const { rows } = await tx.query<{ read: number }>(
            `SELECT COALESCE(sum(seq_tup_read), 0) AS read FROM pg_stat_xact_user_tables
             WHERE schemaname = current_schema() AND (relname IN ('logs', 'epochs', 'active_logs') OR relname LIKE 'entries%')`,
          );
          return rows[0]?.read ?? Number.NaN;
        },
        { keepsPlans: true },
      );
    // Now the planner knows that they are.
    await database.write((tx) => tx.query("ANALYZE logs, epochs, entries, active_logs"));
    await append([newEntry(first), newCommit(first, 0)]);
    await Promise.all(others.map(create));
    await appendTogether(
      store,
      others.map((logId) => newEntry(logId)),
    );
    expect(await append(others.flatMap((logId) => [newEntry(logId), newCommit(logId, 0)]))).toBe(0);
  });

  test("a batch whose log moved on meanwhile writes nothing", async () => {
    const { store, database, logId } = await withLog();
    await store.append(newEntry(logId));
    // What was read is a number behind, as that of a node which has lost its turn.
    const stale = (tx: PostgresTransaction): PostgresTransaction => ({
      async query<Row>(...[text, values]: Parameters<PostgresTransaction["query"]>) {
        const result = await tx.query<Row & { lastSeq?: number }>(text, values);
        for (const row of result.rows) if (row.lastSeq !== undefined) row.lastSeq -= 1;
        return result;
      },
    });
    await expect(database.write((tx) => appendBatch(stale(tx), [newEntry(logId)]))).rejects.toThrow();
    expect(await store.readEntries({ logId, afterSeq: 0, ...page })).toHaveLength(1);
  });

  test("[C-4] a blob that several entries named is free once the last of them has gone, and not before", async () => {
    const { store, logId } = await withLog();
    const named = { blobId: random(32), hash: random(32), sizeBytes: 9 };
    await store.addBlob({ blobId: named.blobId, sha256: named.hash, sizeBytes: 9, expiresDay: today });
    const naming = (day: number): NewEntry => newEntry(logId, { day, blob: entryBytes(512, [named]) });
    await appendTogether(store, [naming(today - 2), naming(today - 2), naming(today)]);
    expect(await store.purgeEntries({ beforeDay: today, maxItems: 9 })).toBe(2);
    expect(await store.expireBlobs({ day: never, maxItems: 9 })).toEqual([]);
    expect(await store.purgeEntries({ beforeDay: never, maxItems: 9 })).toBe(1);
    expect(await store.expireBlobs({ day: never, maxItems: 9 })).toEqual([{ blobId: named.blobId, sha256: named.hash }]);
  });

  describe("partitions", () => {
    test("[L-8] one that has lost all its entries goes, and with it every byte of them", async () => {
      const { store, database, logId } = await withLog();
      const old = newEntry(logId, { day: today - 14 });
      const isInFiles = async (): Promise<boolean> => {
        await database.query("CHECKPOINT");
        const files = readdirSync(join(postgres.data, "base"), { recursive: true, withFileTypes: true });
        return files.some((file) => file.isFile() && readFileSync(join(file.parentPath, file.name)).includes(old.blob));
      };
      // Days of two weeks.
      await store.append(old);
      expect(await isInFiles()).toBe(true);
      await store.append(newEntry(logId, { day: today }));
      const weeks = [today - 14, today].map((day) => `entries_${Math.floor(day / 7)}`);
      expect(await partitions(database)).toEqual(["entries_0", ...weeks]);
      expect(await store.purgeEntries({ beforeDay: today - 1, maxItems: 1 })).toBe(1);
      expect(await store.purgeEntries({ beforeDay: today - 1, maxItems: 1 })).toBe(0);
      expect(await partitions(database)).toEqual(["entries_0", ...weeks.slice(1)]);
      expect(await isInFiles()).toBe(false);
      expect(await store.append(newEntry(logId, { day: today - 14 }))).toMatchObject({ kind: "accepted", seq: 3 });
    });

    test("one that somebody reads for long stays until another time, and nobody waits for it", async () => {
      const { store, database, logId } = await withLog();
      await store.append(newEntry(logId, { day: today - 14 }));
      let finish = (): void => {};
      const reading = new Promise<void>((started) => {
        void database.read(async (tx) => {
          await tx.query("SELECT count(*) FROM entries");
          started();
          await new Promise<void>((resolve) => {
            finish = resolve;
          });
        });
      });
      await reading;
      expect(await store.purgeEntries({ beforeDay: today, maxItems: 9 })).toBe(1);
      expect(await partitions(database)).toHaveLength(2);
      // A week that is new while somebody reads.
      expect(await store.append(newEntry(logId, { day: today }))).toMatchObject({ kind: "accepted", seq: 2 });
      finish();
      expect(await store.purgeEntries({ beforeDay: today, maxItems: 9 })).toBe(0);
      expect(await partitions(database)).toEqual(["entries_0", `entries_${Math.floor(today / 7)}`]);
    });

    test("a clock that runs wild makes no more of them than there may be, and what it dated is set right", async () => {
      const { store, database, logId } = await withLog();
      const wild = Array.from({ length: 80 }, (_, index) => newEntry(logId, { day: today + 70 * index }));
      for (const outcome of await appendTogether(store, wild)) expect(outcome.kind).toBe("accepted");
      expect(await partitions(database)).toHaveLength(64);
      expect(await store.readEntries({ logId, afterSeq: 0, ...page })).toHaveLength(80);
      expect(await store.purgeEntries({ beforeDay: today + 1, maxItems: 1 })).toBe(1);
      expect(await store.correctDays({ today, lastDay: today + 2, lastBlobDay: never, maxItems: 50 })).toBe(50);
      expect(await store.correctDays({ today, lastDay: today + 2, lastBlobDay: never, maxItems: 50 })).toBe(0);
      expect(await store.purgeEntries({ beforeDay: today + 1, maxItems: 100 })).toBe(50);
      expect(await store.correctDays({ today, lastDay: today + 2, lastBlobDay: never, maxItems: 50 })).toBe(29);
      expect(await partitions(database)).toEqual(["entries_0", `entries_${Math.floor(today / 7)}`]);
      expect((await store.readEntries({ logId, afterSeq: 0, ...page })).map(({ day }) => day)).toEqual(
        Array.from({ length: 29 }, () => today),
      );
    });
  });

  test("[L-11] active logs are taken in the order of their places, each once, with where they stand now", async () => {
    const { store, database } = await opened();
    const on = <T>(work: (heads: PostgresLogHeads) => Steps<T>): Promise<T> =>
      database.write((tx) => take(work(new PostgresLogHeads(new PostgresSql("logs"))), { logs: tx, accounts: tx }));
    const logIds = Array.from({ length: 5 }, () => random(32)).toSorted((a, b) => Buffer.compare(sha256(a), sha256(b)));
    for (const logId of logIds) await store.createLog({ logId, accessHash: random(32), day: today });
    expect(await on((of) => of.hasActive())).toBe(false);
    for (const logId of logIds.slice(1)) await appendTogether(store, [newEntry(logId), newEntry(logId)]);
    const first = await on((of) => of.takeActive(new Uint8Array(), 3));
    expect(first.taken).toBe(3);
    expect(first.heads.map(({ place }) => toHex(place))).toEqual(logIds.slice(1, 4).map((logId) => toHex(sha256(logId))));
    for (const [index, { seq, head }] of first.heads.entries()) {
      expect(await store.readEpoch({ logId: logIds[index + 1] ?? random(32), epochId: 0 })).toMatchObject({ lastSeq: seq, head });
    }
    const [last] = first.heads;
    expect((await on((of) => of.takeActive(last?.place ?? random(32), 9))).taken).toBe(1);
    expect(await on((of) => of.hasActive())).toBe(false);
    if (last === undefined) throw new Error("none was taken");
    await on((of) => of.markActive(last));
    await on((of) => of.markActive(last));
    expect((await on((of) => of.takeActive(new Uint8Array(), 9))).heads).toEqual([last]);
    await store.purgeEntries({ beforeDay: never, maxItems: 99 });
    await on((of) => of.markActive(last));
    expect(await on((of) => of.hasActive())).toBe(false);
  });

  test("a token is spent once, and a log's position before its first entry can be computed by anyone", async () => {
    const { store } = await opened();
    const [logId, other] = [random(32), random(32)];
    const token = { nonce: random(32), day: today };
    const created = await store.createLog({ logId, accessHash: random(32), day: today, token });
    expect(created).toMatchObject({ kind: "epoch", lastSeq: 0, firstSeq: 1, head: firstHead(sha256, logId) });
    expect(created).toEqual(await store.readEpoch({ logId, epochId: 0 }));
    const refused = { kind: "refused", code: "token_invalid" };
    expect(await store.createLog({ logId: other, accessHash: random(32), day: today, token })).toEqual(refused);
    expect(await store.readEpoch({ logId: other, epochId: 0 })).toEqual({ kind: "refused", code: "unknown_log" });
  });
});
