import type { Day } from "../accounts.ts";
import type { DatabaseName } from "./database-files.ts";
import { maxSeq, rowId } from "./row-ids.ts";
import type { Statements } from "./statements.ts";

/** The day of what came last into a database, which no row's number tells: written when the day is another one than before. */
export class NewestDay {
  readonly #sql: Statements;
  #day: Day | undefined;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** In the transaction that adds something of this day. */
  note(day: Day): void {
    if (day === this.#day) return;
    this.#sql.run("UPDATE newest_day SET day = ?", day);
    this.#day = day;
  }

  /** 0 where nothing ever came. */
  read(): Day {
    return this.#sql.get<{ day: Day }>("SELECT day FROM newest_day")?.day ?? 0;
  }

  /** After a transaction that did not commit. */
  forget(): void {
    this.#day = undefined;
  }
}

/** The days of what is stored, and those that a wrong clock left. Called in a transaction of the accounts' database. */
export class ClockTables {
  readonly #sql: Statements;
  readonly #sqlOfLogs: Statements;
  readonly #newestDays: Readonly<Record<DatabaseName, NewestDay>>;

  constructor(parts: { sql: Statements; sqlOfLogs: Statements; newestDays: Readonly<Record<DatabaseName, NewestDay>> }) {
    this.#sql = parts.sql;
    this.#sqlOfLogs = parts.sqlOfLogs;
    this.#newestDays = parts.newestDays;
  }

  /** The day of what came last, 0 where nothing is kept. */
  newestDay(): Day {
    return Math.max(this.#newestDays.logs.read(), this.#newestDays.accounts.read());
  }

  /**
   * Gives the oldest entries of logs that are of days after `lastDay`, behind which others wait for their expiry, the day of the next one
   * that has a possible one, before which they came, else `today`; items get `today`; unused blobs expire at the latest at
   * `lastBlobDay`. Answers how many rows, at most about `maxItems`.
   */
  correctDays(params: { today: Day; lastDay: Day; lastBlobDay: Day; maxItems: number }): number {
    const { today, lastDay, lastBlobDay, maxItems } = params;
    for (const newest of Object.values(this.#newestDays)) if (newest.read() > lastDay) newest.note(today);
    const items = this.#sql.run(
      "UPDATE inbox_items SET day = ? WHERE id IN (SELECT id FROM inbox_items WHERE day > ? LIMIT ?)",
      today,
      lastDay,
      maxItems,
    );
    let corrected = Number(items.changes);
    this.#sqlOfLogs.transaction(() => {
      const logs = this.#sqlOfLogs.all<{ id: number }>("SELECT id FROM logs WHERE oldest_day > ? LIMIT ?", lastDay, maxItems);
      for (const { id } of logs) {
        if (corrected >= maxItems) break;
        corrected += this.#correctLog(id, { today, lastDay, maxItems: maxItems - corrected });
      }
      this.#sqlOfLogs.run("UPDATE blobs SET expires_day = ? WHERE refs = 0 AND expires_day > ?", lastBlobDay, lastBlobDay);
    });
    return corrected;
  }

  #correctLog(log: number, params: { today: Day; lastDay: Day; maxItems: number }): number {
    const { today, lastDay, maxItems } = params;
    const [first, last] = [rowId(log, 0), rowId(log, maxSeq)];
    const next = this.#sqlOfLogs.get<{ id: number; day: Day }>(
      "SELECT id, day FROM entries WHERE id > ? AND id <= ? AND day <= ? ORDER BY id LIMIT 1",
      first,
      last,
      lastDay,
    ) ?? { id: last + 1, day: today };
    const entries = this.#sqlOfLogs.run(
      "UPDATE entries SET day = ? WHERE id IN (SELECT id FROM entries WHERE id > ? AND id < ? AND day > ? ORDER BY id LIMIT ?)",
      next.day,
      first,
      next.id,
      lastDay,
      maxItems,
    );
    this.#sqlOfLogs.run("UPDATE logs SET oldest_day = ? WHERE id = ?", next.day, log);
    return Number(entries.changes);
  }
}
