import { toHex } from "@latchkey/codec";
import { entryLeaf, firstHead, nextHead } from "@latchkey/protocol";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { StoreError } from "../../errors.ts";
import { sha256 } from "../../hash.ts";
import { random, temporaryDirectory } from "../../testing/fixtures.ts";
import { askPostgres, findPostgres, keptSettings, startPostgres, startStandby } from "../../testing/postgres.ts";
import type { TestPostgres } from "../../testing/postgres.ts";
import { startWay } from "../../testing/way.ts";
import { newEntry, today } from "../../testing/store-inputs.ts";
import type { AppendAccepted, NewEntry, Store } from "../store.ts";
import { openPostgresStore } from "./postgres-store.ts";
import type { PostgresOptions } from "./postgres-store.ts";

const logs = 5;
const entriesOfWriter = 40;
const page = { maxItems: 1000, maxBytes: 10_000_000 };

describe.skipIf(findPostgres() === undefined)("a database that is killed", () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres(keptSettings);
  });
  afterAll(() => postgres.stop());

  test("[L-7] while two servers append: what was acknowledged is there, once, where it was said to be, and both go on by themselves", async () => {
    const accepted = await appendMeanwhile(
      { url: postgres.url, schemas: postgres.schemasOf(temporaryDirectory()), acceptLoss: true },
      [0.2, 0.6],
      async () => {
        await postgres.kill();
        await postgres.start();
      },
    );
    expect(accepted).toBe(2 * logs * entriesOfWriter);
  }, 60_000);

  test("[L-7] its standby takes its place: nothing that was acknowledged is lost", async () => {
    const primary = await startPostgres({ ...keptSettings, wal_level: "replica" });
    onTestFinished(() => primary.stop());
    const standby = await startStandby(primary, "second", keptSettings);
    onTestFinished(() => standby.stop());
    await askPostgres(primary.url, "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (second)'", "SELECT pg_reload_conf()");
    await expect.poll(() => askPostgres(primary.url, "SELECT sync_state FROM pg_stat_replication")).toEqual([{ sync_state: "quorum" }]);
    // What stands before the databases of a cluster, and leads to the one that is the primary.
    const way = await startWay(primary.url);
    onTestFinished(() => way.close());
    const schemas = primary.schemasOf(temporaryDirectory());
    const accepted = await appendMeanwhile({ url: way.url, schemas, acceptLoss: false }, [0.4], async () => {
      await primary.kill();
      await askPostgres(standby.url, "SELECT pg_promote()");
      way.lead(standby.url);
    });
    expect(accepted).toBe(2 * logs * entriesOfWriter);
  }, 60_000);

  test("[L-7] what is there and not on the standby is not acknowledged when it is asked for once more", async () => {
    const lonely = await startPostgres({ ...keptSettings, wal_level: "replica" });
    onTestFinished(() => lonely.stop());
    const store = await openPostgresStore({ url: lonely.url, schemas: lonely.schemasOf(temporaryDirectory()), acceptLoss: true });
    onTestFinished(() => store.close());
    const logId = random(32);
    await store.createLog({ logId, accessHash: random(32), day: today });
    await askPostgres(lonely.url, "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (second)'");
    await lonely.kill();
    await lonely.start();
    const entry = newEntry(logId);
    const cancelWaits = async (): Promise<void> => {
      const cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
      await expect.poll(() => askPostgres(lonely.url, cancel), { timeout: 5000 }).not.toEqual([]);
    };
    for (let time = 0; time < 2; time++) {
      const outcome = store.append(entry).catch((error: unknown) => error);
      await cancelWaits();
      expect(await outcome).toMatchObject({ code: "unavailable" });
    }
    await askPostgres(lonely.url, "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()");
    await expect.poll(() => store.append(entry).catch(() => undefined)).toMatchObject({ kind: "accepted", isNew: false, seq: 1 });
  }, 60_000);
});

/** Two servers append to the same logs, and something happens at these parts of it: then what both say is held against what was acknowledged. Answers how much. */
async function appendMeanwhile(options: PostgresOptions, parts: readonly number[], happens: () => Promise<void>): Promise<number> {
  const open = async (): Promise<Store> => {
    const store = await openPostgresStore(options);
    onTestFinished(() => store.close());
    return store;
  };
  const nodes = [await open(), await open()];
  const logIds = Array.from({ length: logs }, () => random(32));
  const accepted: { entry: NewEntry; outcome: AppendAccepted }[] = [];
  let unanswered = 0;
  /** As whoever hears nothing does: the same bytes again. */
  const append = async (store: Store, entry: NewEntry): Promise<void> => {
    for (;;) {
      try {
        const outcome = await store.append(entry);
        if (outcome.kind === "refused") throw new Error(outcome.code);
        accepted.push({ entry, outcome });
        return;
      } catch (error) {
        if (!(error instanceof StoreError) || error.code !== "unavailable") throw error;
        unanswered++;
        await new Promise((resolve) => {
          setTimeout(resolve, 50);
        });
      }
    }
  };
  const untilAccepted = async (count: number): Promise<void> => {
    while (accepted.length < count) {
      await new Promise((resolve) => {
        setTimeout(resolve, 5);
      });
    }
  };
  for (const logId of logIds) await nodes[0]?.createLog({ logId, accessHash: random(32), day: today });
  const writers = logIds.flatMap((logId) =>
    nodes.map(async (store) => {
      for (let at = 0; at < entriesOfWriter; at++) await append(store, newEntry(logId));
    }),
  );
  const total = writers.length * entriesOfWriter;
  for (const part of parts) {
    await untilAccepted(total * part);
    await happens();
  }
  await Promise.all(writers);
  expect(unanswered).toBeGreaterThan(0);

  for (const logId of logIds) {
    const ofLog = accepted.filter(({ entry }) => entry.logId === logId).toSorted((a, b) => a.outcome.seq - b.outcome.seq);
    let head = firstHead(sha256, logId);
    for (const [index, { entry, outcome }] of ofLog.entries()) {
      head = nextHead(sha256, head, entryLeaf(sha256, logId, { ...entry, seq: index + 1 }));
      expect(outcome).toMatchObject({ seq: index + 1, head });
    }
    for (const store of nodes) {
      const stored = await store.readEntries({ logId, afterSeq: 0, ...page });
      expect(stored.map(({ blob }) => toHex(blob))).toEqual(ofLog.map(({ entry }) => toHex(entry.blob)));
      expect(await store.readEpoch({ logId, epochId: 0 })).toMatchObject({ lastSeq: ofLog.length, head });
    }
  }
  expect(accepted).toHaveLength(total);
  return accepted.length;
}
