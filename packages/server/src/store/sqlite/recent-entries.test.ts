import assert from "node:assert/strict";
import fc from "fast-check";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { random } from "../../testing/fixtures.ts";
import { RecentEntries, settleRecent } from "./recent-entries.ts";
import type { EntryOfLog } from "./recent-slot.ts";
import { rowId, seqOf } from "../sql/row-ids.ts";
import { logsSchema, migrate } from "./schema.ts";

const limits = { entries: 20, slots: 4 };
const refs = [7, 3, 5, 9_000_000];

/** A database of logs, its newest entries, and what should be there. */
class Fixture {
  readonly database = new DatabaseSync(":memory:");
  readonly expected = new Map<number, EntryOfLog[]>(refs.map((ref) => [ref, []]));
  recent: RecentEntries;

  constructor() {
    migrate(this.database, logsSchema);
    for (const ref of refs) this.database.prepare("INSERT INTO logs (id, log_id, created_day) VALUES (?, ?, 1)").run(ref, random(32));
    this.recent = new RecentEntries(this.database, limits);
  }

  /** A transaction that adds these, and how it ends: nobody may know. */
  transact(adds: readonly { ref: number; size: number }[], end: "commit" | "rollback" | "unknown" | "unknown, rolled back"): void {
    const { database, recent } = this;
    database.exec("BEGIN");
    recent.begin();
    const added = adds.map(({ ref, size }, index) => {
      const earlier = adds.slice(0, index).filter((other) => other.ref === ref).length;
      const seq = (this.expected.get(ref)?.length ?? 0) + earlier + 1;
      const hash = size % 3 === 0 ? random(32) : null;
      const entry = {
        id: rowId(ref, seq),
        epoch: seq - 1,
        kind: 1,
        day: 20_000 + seq,
        digest: size,
        hash,
        head: random(32),
        blob: random(size),
      };
      recent.add(entry);
      return { ref, entry };
    });
    recent.finish();
    const isThere = end === "commit" || end === "unknown";
    database.exec(isThere ? "COMMIT" : "ROLLBACK");
    if (end === "commit") recent.committed();
    else recent.rolledBack(end === "rollback");
    if (isThere) for (const { ref, entry } of added) this.expected.get(ref)?.push(entry);
    // What was unknown is looked up by the next one.
    if (!recent.isEmpty || end !== "commit") this.look();
  }

  settleSome(): boolean {
    this.database.exec("BEGIN");
    this.recent.begin();
    const isMore = this.recent.settleSome();
    this.database.exec("COMMIT");
    this.recent.committed();
    return isMore;
  }

  /** Of each log the first are in the table and the others in memory, with everything that they came with. */
  look(): void {
    this.database.exec("BEGIN");
    this.recent.begin();
    this.database.exec("COMMIT");
    this.recent.committed();
    for (const [ref, expected] of this.expected) {
      const placed = this.#placed(ref);
      const waiting = [...this.recent.after(ref, 0)];
      const found = [...placed, ...waiting].map(({ blob, head, hash, ...entry }) => ({
        ...entry,
        blob: blob.length,
        head: [...head],
        hash: hash && [...hash],
      }));
      assert.deepEqual(
        found,
        expected.map(({ blob, head, hash, ...entry }) => ({ ...entry, blob: blob.length, head: [...head], hash: hash && [...hash] })),
      );
      for (const [index, entry] of [...placed, ...waiting].entries())
        assert.equal(Buffer.compare(entry.blob, expected[index]?.blob ?? new Uint8Array()), 0);
      assert.equal(this.recent.first(ref)?.id, waiting[0]?.id);
      assert.equal(this.recent.last(ref)?.id, waiting.at(-1)?.id);
      for (const { id } of expected) assert.equal(this.recent.find(id)?.id, seqOf(id) > placed.length ? id : undefined);
    }
  }

  /** As a process that is started now finds it: the one that goes on is none the wiser. */
  lookAsStarted(): void {
    const { recent } = this;
    this.recent = new RecentEntries(this.database, limits);
    this.look();
    this.recent = recent;
  }

  #placed(ref: number): EntryOfLog[] {
    const rows = this.database
      .prepare("SELECT id, epoch, kind, day, digest, next_access_hash AS hash, head, blob FROM entries WHERE id > ? AND id < ? ORDER BY id")
      .all(rowId(ref, 0), rowId(ref + 1, 0));
    // The columns are those of EntryOfLog.
    return rows.map((row) => ({ ...row })) as unknown as EntryOfLog[];
  }

  /** Bytes of slots that are not zero. */
  leftBytes(): number {
    const rows = this.database.prepare("SELECT slot FROM recent_entries").all() as { slot: Uint8Array }[];
    return rows.reduce((sum, { slot }) => sum + slot.filter((byte) => byte !== 0).length, 0);
  }
}

const transaction = fc.record({
  kind: fc.constant("transact" as const),
  adds: fc.array(fc.record({ ref: fc.constantFrom(...refs), size: fc.constantFrom(1, 30, 600, 2048, 2049, 9000, 40_000) }), {
    maxLength: 30,
  }),
  end: fc.constantFrom(
    "commit" as const,
    "commit" as const,
    "commit" as const,
    "rollback" as const,
    "unknown" as const,
    "unknown, rolled back" as const,
  ),
});
const step = fc.oneof(
  { weight: 6, arbitrary: transaction },
  { weight: 1, arbitrary: fc.constant({ kind: "restart" as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: "settle some" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "settle" as const }) },
);

test("[L-7] the newest entries are where they should be, each once and in order, whatever was committed, moved, lost or started anew", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const fixture = new Fixture();
      for (const each of steps) {
        if (each.kind === "transact") fixture.transact(each.adds, each.end);
        else if (each.kind === "restart") fixture.recent = new RecentEntries(fixture.database, limits);
        else if (each.kind === "settle some") fixture.settleSome();
        else {
          // The first time what was there when this was begun before.
          while (fixture.settleSome());
          while (fixture.settleSome());
          expect(fixture.recent.isEmpty).toBe(true);
          expect(fixture.leftBytes()).toBe(0);
        }
        fixture.look();
      }
      fixture.database.close();
    }),
    { numRuns: 60 },
  );
});

test("what waits is never written over, also where others reach their places with the transaction that needs a row", () => {
  const fixture = new Fixture();
  let random = 1;
  for (let count = 0; count < 40; count++) {
    random = (random * 69_069 + 1) % 2 ** 32;
    const length = 1 + Math.floor(random / 2 ** 28);
    const adds = Array.from({ length }, (_, index) => ({ ref: refs[index % refs.length] ?? 3, size: 1500 }));
    fixture.transact(adds, "commit");
    expect(() => fixture.lookAsStarted()).not.toThrow();
  }
});

test("[P1] once they are all in their places nothing tells in what order they came, in a copy either", () => {
  const fixture = new Fixture();
  const adds = Array.from({ length: 30 }, (_, index) => ({ ref: refs[index % refs.length] ?? 3, size: 500 }));
  for (let count = 0; count < 5; count++) fixture.transact(adds, "commit");
  expect(fixture.leftBytes()).toBeGreaterThan(0);
  settleRecent(fixture.database);
  expect(fixture.database.prepare("SELECT count(*) AS n FROM recent_entries").get()).toEqual({ n: 0 });
  fixture.recent = new RecentEntries(fixture.database, limits);
  expect(fixture.recent.isEmpty).toBe(true);
  fixture.look();
});

test("what waits for a log whose first entries were removed for their age is not brought back by a start", () => {
  const fixture = new Fixture();
  const adds = Array.from({ length: 30 }, () => ({ ref: 3, size: 100 }));
  fixture.transact(adds, "commit");
  // Moves of the thirty as many as it takes, while all of them stand in slots.
  fixture.transact([{ ref: 5, size: 10 }], "commit");
  const { n } = fixture.database.prepare("SELECT count(*) AS n FROM entries").get() as { n: number };
  expect(n).toBe(30);
  fixture.database.exec(
    `DELETE FROM entries WHERE id <= ${rowId(3, 20)} AND id > ${rowId(3, 0)}; UPDATE logs SET purged_seq = 20 WHERE id = 3`,
  );
  fixture.recent = new RecentEntries(fixture.database, limits);
  expect([...fixture.recent.after(3, 0)]).toEqual([]);
  fixture.database.exec(
    `DELETE FROM entries WHERE id > ${rowId(3, 0)} AND id < ${rowId(4, 0)}; UPDATE logs SET purged_seq = 30 WHERE id = 3`,
  );
  fixture.recent = new RecentEntries(fixture.database, limits);
  expect([...fixture.recent.after(3, 0)]).toEqual([]);
});
