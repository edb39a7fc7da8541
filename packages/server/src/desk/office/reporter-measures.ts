import { toHex } from "@latchkey/codec";
import { unfoundedRememberedDays } from "@latchkey/protocol/desk";
import { randomBytes } from "node:crypto";
import type { Statements } from "../../store/sqlite/statements.ts";
import { personMac } from "./case-key.ts";
import type { Person } from "./evidence.ts";

/** What a decision took from one who reported; days since 1970. */
export interface ReporterMeasure {
  /** First day on which a limit does not hold any more; `undefined` of a warning. */
  readonly limitedUntilDay: number | undefined;
}

/**
 * Who was warned, or limited for a time, since what they reported was manifestly unfounded (spec F-22, DSA Art. 23). Of whom it is only HMACs
 * are kept, under a key of their own. Every method runs inside the caller's transaction.
 */
export class ReporterMeasures {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** What stands for somebody here. */
  macOf(reporter: Person): Uint8Array {
    return personMac(this.#key(), reporter);
  }

  /** Warns somebody by a decision; who was warned by another one before is limited for so many days, where that is above 0. */
  add(params: { reporter: Uint8Array; puid: string; days: number; today: number }): void {
    const { reporter, puid, days, today } = params;
    const until = days > 0 && this.countOf(reporter) > 0 ? today + days : null;
    // Somebody may have reported twice in one case.
    const sql = "INSERT OR IGNORE INTO reporter_measures (puid, mac, limited_until_day, last_day) VALUES (?, ?, ?, ?)";
    this.#sql.run(sql, puid, reporter, until, today + unfoundedRememberedDays);
  }

  /** What a decision took from them. */
  of(reporter: Uint8Array, puid: string): ReporterMeasure | undefined {
    const sql = "SELECT limited_until_day AS untilDay FROM reporter_measures WHERE puid = ? AND mac = ?";
    const row = this.#sql.get<{ untilDay: number | null }>(sql, puid, reporter);
    return row === undefined ? undefined : { limitedUntilDay: row.untilDay ?? undefined };
  }

  /** By how many decisions that stand they were warned or limited within a year. */
  countOf(reporter: Uint8Array): number {
    return this.#sql.get<{ n: number }>("SELECT count(*) AS n FROM reporter_measures WHERE mac = ?", reporter)?.n ?? 0;
  }

  /** How many of them were warned or limited within a year. */
  warnedOf(reporters: readonly Uint8Array[]): number {
    const each = new Map(reporters.map((reporter) => [toHex(reporter), reporter]));
    return [...each.values()].filter((reporter) => this.countOf(reporter) > 0).length;
  }

  /** Whether fewer of their reports are taken in on a day. */
  isLimited(reporter: Uint8Array, day: number): boolean {
    return this.#sql.get("SELECT 1 FROM reporter_measures WHERE mac = ? AND limited_until_day > ?", reporter, day) !== undefined;
  }

  /** A decision does not stand any more, nor what it took, nor a limit that rested on its warning. */
  end(puid: string): void {
    const macs = this.#sql.all<{ mac: Uint8Array }>("SELECT mac FROM reporter_measures WHERE puid = ?", puid);
    this.#sql.run("DELETE FROM reporter_measures WHERE puid = ?", puid);
    // Who was limited since they had been warned before is warned for the first time now.
    const one =
      "UPDATE reporter_measures SET limited_until_day = NULL WHERE mac = ?1 AND (SELECT count(*) FROM reporter_measures WHERE mac = ?1) = 1";
    for (const { mac } of macs) this.#sql.run(one, mac);
  }

  /** Forgets what is over. */
  expire(today: number): void {
    this.#sql.run("DELETE FROM reporter_measures WHERE last_day < ?", today);
  }

  /** Made with the first report that somebody signs. */
  #key(): Uint8Array {
    const known = this.#sql.get<{ key: Uint8Array }>("SELECT key FROM reporter_measures_key");
    if (known !== undefined) return known.key;
    const key = new Uint8Array(randomBytes(32));
    this.#sql.run("INSERT INTO reporter_measures_key (id, key) VALUES (1, ?)", key);
    return key;
  }
}
