import { randomBytes } from "node:crypto";
import type { Statements } from "../../store/sqlite/statements.ts";
import { personMac } from "./case-key.ts";
import type { Person } from "./evidence.ts";

/**
 * How many reports came in a day from each account that chose to be known. Of whom they are only HMACs are kept, under a key of the day that
 * goes with it: a day later nobody can tell who reported. Every method runs inside the caller's transaction.
 */
export class ReporterDays {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** How many came from them on this day. */
  count(reporter: Person, day: number): number {
    const key = this.#key(Math.max(day, this.#newest()));
    if (key === undefined) return 0;
    const sql = "SELECT reports AS n FROM reporter_counts WHERE mac = ?";
    return this.#sql.get<{ n: number }>(sql, personMac(key, reporter))?.n ?? 0;
  }

  /** One more came. A day that begins ends the one before; what came earlier and is opened only now counts for the newest. */
  add(reporter: Person, on: number): void {
    const newest = this.#newest();
    const day = Math.max(on, newest);
    if (day > newest) {
      this.#sql.run("DELETE FROM reporter_counts");
      this.#sql.run("DELETE FROM reporter_days");
      this.#sql.run("INSERT INTO reporter_days (day, key) VALUES (?, ?)", day, new Uint8Array(randomBytes(32)));
    }
    const key = this.#key(day);
    if (key === undefined) return;
    const sql = "INSERT INTO reporter_counts (mac, reports) VALUES (?, 1) ON CONFLICT (mac) DO UPDATE SET reports = reports + 1";
    this.#sql.run(sql, personMac(key, reporter));
  }

  #newest(): number {
    return this.#sql.get<{ day: number | null }>("SELECT max(day) AS day FROM reporter_days")?.day ?? -1;
  }

  #key(day: number): Uint8Array | undefined {
    return this.#sql.get<{ key: Uint8Array }>("SELECT key FROM reporter_days WHERE day = ?", day)?.key;
  }
}
