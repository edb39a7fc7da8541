import type { Sql, Steps } from "../sql/steps.ts";
import type { ActiveLog, ActiveHead } from "../sql/log-head-source.ts";

/** Which logs have entries that no publication of heads took yet (spec L-11), and where they stand. Inside the caller's write. */
export class PostgresLogHeads {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /**
   * Takes logs with entries since their heads were last taken, and where they stand now, in the order of their places in the map of heads,
   * behind one of them. `taken` counts those without a head, too.
   */
  *takeActive(behind: Uint8Array, maxItems: number): Steps<{ readonly heads: readonly ActiveHead[]; readonly taken: number }> {
    const active = yield* this.#sql.all<{ place: Uint8Array; log: number; seq: number | null; head: Uint8Array | null }>(
      `SELECT a.head_place AS place, a.log, l.last_seq AS seq, l.head
       FROM (SELECT head_place, log FROM active_logs WHERE head_place > ? ORDER BY head_place LIMIT ?) a
       LEFT JOIN LATERAL (SELECT last_seq, head FROM logs WHERE ref = a.log LIMIT 1) l ON true ORDER BY a.head_place`,
      behind,
      maxItems,
    );
    const last = active.at(-1);
    if (last !== undefined) {
      yield* this.#sql.run("DELETE FROM active_logs WHERE head_place > ? AND head_place <= ?", behind, last.place);
    }
    const heads = active.flatMap(({ place, log, seq, head }) => (seq === null || head === null ? [] : [{ place, log, seq, head }]));
    return { heads, taken: active.length };
  }

  /** Whether any log has entries since its head was taken. */
  *hasActive(): Steps<boolean> {
    return (yield* this.#sql.get("SELECT log FROM active_logs LIMIT 1")) !== undefined;
  }

  /** Has the head of a log published once more, if it has entries still. */
  *markActive({ place, log }: ActiveLog): Steps<void> {
    yield* this.#sql.run(
      `INSERT INTO active_logs (head_place, log) SELECT CAST(? AS bytea), ref FROM logs WHERE ref = ? AND last_seq > purged_seq
       ON CONFLICT DO NOTHING`,
      place,
      log,
    );
  }
}
