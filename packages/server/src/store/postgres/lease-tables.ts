import type { LeaseName, LeaseOutcome, LeaseStore } from "../lease-store.ts";
import type { Leases } from "../sql/leases.ts";
import type { Steps } from "../sql/steps.ts";
import type { PostgresSql } from "./statements.ts";

/** Leases of the nodes of a database, by its clock: under the writers' lock, so that no two look at one at once. */
export class LeaseTables implements Leases {
  readonly #sql: PostgresSql;

  constructor(sql: PostgresSql) {
    this.#sql = sql;
  }

  *take({ name, holder, forMs }: Parameters<LeaseStore["takeLease"]>[0]): Steps<LeaseOutcome> {
    const { rows: taken } = yield* this.#sql.ask<{ term: number }>(
      `INSERT INTO leases AS l (name, term, holder, until, is_wanted)
       VALUES ($1, 1, $2, clock_timestamp() + $3::bigint * interval '1 millisecond', 0)
       ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until, is_wanted = 0,
         term = CASE WHEN l.until > clock_timestamp() THEN l.term ELSE l.term + 1 END
       WHERE l.holder = excluded.holder OR l.until <= clock_timestamp()
       RETURNING term`,
      [name, holder, forMs],
    );
    const term = taken[0]?.term;
    if (term !== undefined) return { kind: "taken", term };
    const { rows: held } = yield* this.#sql.ask<{ leftMs: number }>(
      `UPDATE leases SET is_wanted = 1 WHERE name = $1
       RETURNING greatest(0, extract(epoch FROM until - clock_timestamp()) * 1000)::bigint AS "leftMs"`,
      [name],
    );
    return { kind: "held", leftMs: held[0]?.leftMs ?? 0 };
  }

  *giveBack({ name, term }: Parameters<LeaseStore["giveBackLease"]>[0]): Steps<{ readonly isWanted: boolean }> {
    const { rows } = yield* this.#sql.ask<{ wanted: number }>(
      "UPDATE leases SET until = '-infinity' WHERE name = $1 AND term = $2 RETURNING is_wanted AS wanted",
      [name, term],
    );
    return { isWanted: rows[0]?.wanted === 1 };
  }

  *isNewest(name: LeaseName, term: number): Steps<boolean> {
    const sql = "SELECT 1 FROM leases WHERE name = ? AND term = ?";
    return (yield* this.#sql.get(sql, name, term)) !== undefined;
  }
}
