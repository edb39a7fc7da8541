import type { Day } from "../accounts.ts";
import type { BlobTables } from "../sql/blob-tables.ts";
import type { InboxTables } from "../sql/inbox-tables.ts";
import type { NewestDay } from "../sql/newest-day.ts";
import { maxSeq, rowId } from "../sql/row-ids.ts";
import { finish } from "../sql/steps.ts";
import type { DatabaseName } from "./database-files.ts";
import type { Statements } from "./statements.ts";

/** The days of what is stored, and those that a wrong clock left. Called in a transaction of the accounts' database. */
export class ClockTables {
  readonly #sqlOfLogs: Statements;
  readonly #inboxes: InboxTables;
  readonly #blobs: BlobTables;
  readonly #newestDays: Readonly<Record<DatabaseName, NewestDay>>;

  constructor(parts: {
    sqlOfLogs: Statements;
    inboxes: InboxTables;
    blobs: BlobTables;
    newestDays: Readonly<Record<DatabaseName, NewestDay>>;
  }) {
    this.#sqlOfLogs = parts.sqlOfLogs;
    this.#inboxes = parts.inboxes;
    this.#blobs = parts.blobs;
    this.#newestDays = parts.newestDays;
  }

  /** The day of what came last, 0 where nothing is kept. */
  newestDay(): Day {
    return Math.max(...Object.values(this.#newestDays).map((newest) => finish(newest.read())));
  }

  /**
   * Gives the oldest entries of logs that are of days after `lastDay`, behind which others wait for their expiry, the day of the next one
   * that has a possible one, before which they came, else `today`; items get `today`; unused blobs expire at the latest at
   * `lastBlobDay`. Answers how many rows, at most about `maxItems`.
   */
  correctDays(params: { today: Day; lastDay: Day; lastBlobDay: Day; maxItems: number }): number {
    const { today, lastDay, lastBlobDay, maxItems } = params;
    for (const newest of Object.values(this.#newestDays)) finish(newest.correct({ today, lastDay }));
    let corrected = finish(this.#inboxes.correctDays({ today, lastDay, maxItems }));
    this.#sqlOfLogs.transaction(() => {
      const logs = this.#sqlOfLogs.all<{ id: number }>("SELECT id FROM logs WHERE oldest_day > ? LIMIT ?", lastDay, maxItems);
      for (const { id } of logs) {
        if (corrected >= maxItems) break;
        corrected += this.#correctLog(id, { today, lastDay, maxItems: maxItems - corrected });
      }
      finish(this.#blobs.correctDays({ lastBlobDay }));
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
