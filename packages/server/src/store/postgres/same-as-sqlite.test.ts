import { toHex } from "@latchkey/codec";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { entryBytes, random, temporaryDirectory } from "../../testing/fixtures.ts";
import { inProcessChannel } from "../../testing/in-process-channel.ts";
import { findPostgres, keptSettings, startPostgres } from "../../testing/postgres.ts";
import type { TestPostgres } from "../../testing/postgres.ts";
import { newEntry, today } from "../../testing/store-inputs.ts";
import { openStore } from "../sqlite/sqlite-store.ts";
import type { NewEntry, Store } from "../store.ts";
import { openPostgresStore } from "./postgres-store.ts";

const page = { maxItems: 1000, maxBytes: 10_000_000 };
const never = 2 ** 30;

describe.skipIf(findPostgres() === undefined)("PostgreSQL beside SQLite", () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres(keptSettings);
  });
  afterAll(() => postgres.stop());

  test("whatever is appended, purged and corrected, each outcome, position, page and day is as on SQLite", async () => {
    const history = fc.array(fc.oneof({ weight: 6, arbitrary: appends }, purges, corrections, reads), { minLength: 5, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(history, async (actions) => {
        const directory = temporaryDirectory();
        const ofPostgres = await openPostgresStore({ url: postgres.url, schemas: postgres.schemasOf(directory), acceptLoss: true });
        const sqlite = await openStore(inProcessChannel({ directory }, {}));
        try {
          await compare(actions, { sqlite, postgres: ofPostgres });
        } finally {
          await sqlite.close();
          await ofPostgres.close();
        }
      }),
      { numRuns: 30, interruptAfterTimeLimit: 100_000 },
    );
  }, 120_000);
});

// --- a history of both stores: numbers choose among what there is by then

const choice = fc.nat(1000);
const day = fc.constantFrom(0, 0, 0, 0, 1, 2, 9, -1, -8, -40, 15, 100, 5000).map((shift) => today + shift);
const appends = fc
  .array(
    fc.record({
      log: fc.constantFrom(0, 0, 0, 0, 1, 1, 1, 2, 2, 3),
      kind: fc.constantFrom("message", "message", "message", "commit", "complaint"),
      epoch: choice,
      after: choice,
      hasAccess: fc.nat(9).map((tenth) => tenth > 0),
      day,
      blobs: fc.array(choice, { maxLength: 3 }),
      size: fc.constantFrom(512, 512, 3000, 20_000),
      retry: fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, choice),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((entries) => ({ kind: "append", entries }) as const);
const purges = fc.record({ kind: fc.constant("purge"), beforeDay: day, maxItems: fc.constantFrom(10_000, 100_000) });
const corrections = fc.record({ kind: fc.constant("correct"), lastDay: day });
const reads = fc.record({ kind: fc.constant("read"), log: fc.nat(3), afterSeq: fc.nat(40), maxItems: fc.nat(9), maxBytes: fc.nat(5000) });
type Drawn<A> = A extends fc.Arbitrary<infer T> ? T : never;
type Action = Drawn<typeof appends | typeof purges | typeof corrections | typeof reads>;

async function compare(actions: readonly Action[], { sqlite, postgres }: { sqlite: Store; postgres: Store }): Promise<void> {
  const logIds = Array.from({ length: 4 }, () => random(32));
  const idOf = (log: number): Uint8Array => logIds[log] ?? random(32);
  const blobs = Array.from({ length: 4 }, () => ({ blobId: random(32), hash: random(32), sizeBytes: 3000 }));
  const both = async <T>(ask: (store: Store) => Promise<T>): Promise<T> => {
    const expected = await ask(sqlite);
    expect(await ask(postgres)).toEqual(expected);
    return expected;
  };
  // The last is nowhere.
  for (const logId of logIds.slice(0, 3)) {
    const accessHash = random(32);
    await both((store) => store.createLog({ logId, accessHash, day: today }));
  }
  for (const { blobId, hash, sizeBytes } of blobs.slice(0, 2)) {
    await both((store) => store.addBlob({ blobId, sha256: hash, sizeBytes, expiresDay: today }));
  }
  const epochs = logIds.map(() => [0]);
  const lastSeqs = logIds.map(() => 0);
  const sent: NewEntry[] = [];
  const act = async (action: Action): Promise<void> => {
    switch (action.kind) {
      case "append": {
        const entries = action.entries.map((drawn): NewEntry => {
          const known = drawn.retry === null ? undefined : sent[drawn.retry % Math.max(1, sent.length)];
          if (known !== undefined) return { ...known, hasAccess: drawn.hasAccess, day: drawn.day };
          const lastSeq = lastSeqs[drawn.log] ?? 0;
          const open = epochs[drawn.log] ?? [];
          // Of one in five nobody has heard, but for a commit of the same batch.
          const epochId = drawn.epoch % 5 === 0 ? lastSeq + 1 + (drawn.epoch % 3) : open[drawn.epoch % open.length];
          const named = drawn.blobs.length === 3 ? drawn.blobs.map((at) => blobs[at % 4]) : drawn.blobs.map((at) => blobs[at % 2]);
          const entry = newEntry(idOf(drawn.log), {
            kind: drawn.kind,
            epochId: epochId ?? 0,
            afterSeq: drawn.after % 3 === 0 ? 0 : drawn.after % (lastSeq + 3),
            nextAccessHash: drawn.kind === "commit" ? random(32) : new Uint8Array(32),
            hasAccess: drawn.hasAccess,
            day: drawn.day,
            blob: entryBytes(
              drawn.size,
              named.flatMap((blob) => (blob === undefined ? [] : [blob])),
            ),
          });
          sent.push(entry);
          return entry;
        });
        const outcomes = await both((store) => Promise.all(entries.map((entry) => store.append(entry))));
        for (const [at, outcome] of outcomes.entries()) {
          const { logId, kind } = entries[at] ?? newEntry(random(32));
          const log = logIds.indexOf(logId);
          if (outcome.kind !== "accepted" || !outcome.isNew) continue;
          lastSeqs[log] = outcome.seq;
          if (kind === "commit") epochs[log]?.push(outcome.seq);
        }
        return;
      }
      case "purge":
        await both((store) => store.purgeEntries(action));
        return;
      case "correct":
        await both((store) => store.correctDays({ today, lastDay: action.lastDay, lastBlobDay: today + 9, maxItems: 10_000 }));
        return;
      case "read":
        await both((store) => store.readEntries({ ...action, logId: idOf(action.log) }));
    }
  };
  for (const action of actions) {
    await act(action);
    for (const [log, logId] of logIds.entries()) {
      for (const epochId of [...(epochs[log] ?? []), 1]) await both((store) => store.readEpoch({ logId, epochId }));
    }
    await both((store) => store.newestDay());
  }
  for (const logId of logIds) await both((store) => store.readEntries({ logId, afterSeq: 0, ...page }));
  const unused = await Promise.all([sqlite, postgres].map((store) => store.expireBlobs({ day: never, maxItems: 9 })));
  const [ofSqlite, ofPostgres] = unused.map((list) => list.map(({ blobId }) => toHex(blobId)).toSorted());
  expect(ofPostgres).toEqual(ofSqlite);
}
