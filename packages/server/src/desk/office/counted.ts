import type { Statements } from "../../store/sqlite/statements.ts";
import type { CountedCase } from "../exports/report-parts.ts";
import type { DecisionTable, StoredDecision } from "./decisions.ts";

/** Days for which an erased case still counts: until the report of its year is long out. */
const countedDays = 1100;

/** What is counted of cases, also of those that are erased: days, kinds and categories, and nobody's words or name. */
export class CountedTable {
  readonly #sql: Statements;
  readonly #decisions: DecisionTable;

  constructor(sql: Statements, decisions: DecisionTable) {
    this.#sql = sql;
    this.#decisions = decisions;
  }

  /** Keeps what counts of a case that is erased in the same transaction. */
  keep(caseNumber: number, today: number): void {
    const facts = JSON.stringify(this.#of(caseNumber));
    this.#sql.run("INSERT INTO counted_cases (erased_day, facts) VALUES (?, ?)", today, facts);
  }

  expire(today: number): void {
    this.#sql.run("DELETE FROM counted_cases WHERE erased_day < ?", today - countedDays);
  }

  /** Of all cases. */
  all(): readonly CountedCase[] {
    const erased = this.#sql.all<{ facts: string }>("SELECT facts FROM counted_cases ORDER BY id");
    const here = this.#sql.all<{ number: number }>("SELECT number FROM cases ORDER BY number");
    // Written above.
    return [...erased.map(({ facts }) => JSON.parse(facts) as CountedCase), ...here.map(({ number }) => this.#of(number))];
  }

  /** Decisions of these days, oldest first, with whom each is about; those of erased cases have lost the words that a statement needs. */
  decisionsBetween(fromMs: number, untilMs: number): readonly { decision: StoredDecision; accusedId: Uint8Array | undefined }[] {
    const rows = this.#sql.all<{ puid: string; accusedId: Uint8Array | null }>(
      `SELECT puid, (SELECT accused_id FROM cases WHERE number = case_number) AS accusedId FROM decisions
       WHERE at_ms >= ? AND at_ms < ? ORDER BY at_ms, rowid`,
      fromMs,
      untilMs,
    );
    return rows.map(({ puid, accusedId }) => ({ decision: this.#decisions.require(puid), accusedId: accusedId ?? undefined }));
  }

  #of(caseNumber: number): CountedCase {
    const received = this.#sql.all<{ arrivedDay: number }>(
      "SELECT arrived_day AS arrivedDay FROM case_reports WHERE case_number = ? ORDER BY id",
      caseNumber,
    );
    return {
      received: received.map(({ arrivedDay }) => ({ arrivedDay })),
      decisions: this.#decisions.of(caseNumber).map(({ atMs, kind, category, ground, limitedReporters = 0 }) => ({
        atMs,
        kind,
        category,
        isIllegal: ground?.kind === "illegal",
        limitedReporters,
      })),
      appeals: this.#decisions.appeals(caseNumber).map(({ by, arrivedDay, outcome }) => ({
        by,
        arrivedDay,
        ...(outcome === undefined ? {} : { outcome: { kind: outcome.kind, atMs: outcome.atMs } }),
      })),
    };
  }
}
