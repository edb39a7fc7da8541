import { toHex } from "@latchkey/codec";
import { entryLeaf, firstHead, nextHead } from "@latchkey/protocol";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { StoreError } from "../../errors.ts";
import { sha256 } from "../../hash.ts";
import { random, temporaryDirectory } from "../../testing/fixtures.ts";
import { findPostgres, keptSettings, startPostgres } from "../../testing/postgres.ts";
import type { TestPostgres } from "../../testing/postgres.ts";
import { newEntry, today } from "../../testing/store-inputs.ts";
import type { AppendAccepted, NewEntry, Store } from "../store.ts";
import { openPostgresStore } from "./postgres-store.ts";

const entriesOfWriter = 40;
const page = { maxItems: 1000, maxBytes: 10_000_000 };

describe.skipIf(findPostgres() === undefined)("a database that is killed", () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres(keptSettings);
  });
  afterAll(() => postgres.stop());

  test("[L-7] while two servers append: what was acknowledged is there, once, where it was said to be, and both go on by themselves", async () => {
    const directory = temporaryDirectory();
    const open = async (): Promise<Store> => {
      const store = await openPostgresStore({ url: postgres.url, schemas: postgres.schemasOf(directory), acceptLoss: true });
      onTestFinished(() => store.close());
      return store;
    };
    const nodes = [await open(), await open()];
    const logIds = Array.from({ length: 5 }, () => random(32));
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
    for (const part of [0.2, 0.6]) {
      await untilAccepted(total * part);
      await postgres.kill();
      await postgres.start();
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
  }, 60_000);
});
