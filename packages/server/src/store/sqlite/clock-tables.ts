import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Day } from "../accounts.ts";

/** Tables of which every row is of a day, in the order of arrival. */
const dated = ["entries", "inbox_items"] as const;

/** Rows that can have come between the correction of a clock and that of the days. */
const newestRows = 1000;

interface Dated {
  readonly newest: StatementSync;
  readonly find: StatementSync;
  readonly lastUpTo: StatementSync;
  readonly nextUpTo: StatementSync;
  readonly correct: StatementSync;
}

/** The days of what is stored, and those that a wrong clock left: every method runs inside the caller's transaction. */
export class ClockTables {
  readonly #tables: readonly Dated[];
  readonly #correctBlobs: StatementSync;

  constructor(database: DatabaseSync) {
    const rows = (sql: string): StatementSync => {
      const statement = database.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    this.#tables = dated.map((table) => ({
      newest: rows(`SELECT day FROM ${table} ORDER BY id DESC LIMIT 1`),
      // Where they would hold others up, and where a clock that has just been corrected leaves them.
      find: rows(
        `SELECT id FROM (SELECT id, day FROM ${table} ORDER BY id LIMIT 1) WHERE day > :day
         UNION ALL SELECT id FROM (SELECT id, day FROM ${table} ORDER BY id DESC LIMIT ${String(newestRows)}) WHERE day > :day LIMIT 1`,
      ),
      lastUpTo: rows(`SELECT id FROM ${table} WHERE id < ? AND day <= ? ORDER BY id DESC LIMIT 1`),
      nextUpTo: rows(`SELECT id, day FROM ${table} WHERE id > ? AND day <= ? ORDER BY id LIMIT 1`),
      correct: rows(
        `UPDATE ${table} SET day = ? WHERE id IN (SELECT id FROM ${table} WHERE id > ? AND id < ? AND day > ? ORDER BY id LIMIT ?)`,
      ),
    }));
    this.#correctBlobs = rows("UPDATE blobs SET expires_day = ? WHERE refs = 0 AND expires_day > ?");
  }

  /** The day of what came last, 0 where nothing is kept. */
  newestDay(): Day {
    return Math.max(0, ...this.#tables.map(({ newest }) => (newest.get() as [Day] | undefined)?.[0] ?? 0));
  }

  /**
   * Gives rows of days after `lastDay`, the oldest of all and the newest, the day of the next row that has a possible one, before which
   * they came, else `today`; unused blobs expire at the latest at `lastBlobDay`. Answers how many rows, at most about `maxItems`.
   */
  correctDays(params: { today: Day; lastDay: Day; lastBlobDay: Day; maxItems: number }): number {
    const { today, lastDay, lastBlobDay, maxItems } = params;
    let corrected = 0;
    for (const { find, lastUpTo, nextUpTo, correct } of this.#tables) {
      const [id] = (find.get({ day: lastDay }) as [number] | undefined) ?? [];
      if (id === undefined) continue;
      const [lastId] = (lastUpTo.get(id, lastDay) as [number] | undefined) ?? [0];
      const [nextId, nextDay] = (nextUpTo.get(id, lastDay) as [number, Day] | undefined) ?? [Number.MAX_SAFE_INTEGER, today];
      corrected += Number(correct.run(nextDay, lastId, nextId, lastDay, maxItems).changes);
    }
    this.#correctBlobs.run(lastBlobDay, lastBlobDay);
    return corrected;
  }
}
