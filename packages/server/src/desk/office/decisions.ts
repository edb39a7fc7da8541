import { toBase64Url } from "@latchkey/codec";
import { appealDays } from "@latchkey/protocol/desk";
import type { AppealOutcome, CaseAppeal, DecisionInput, DecisionRecord, Restriction } from "@latchkey/protocol/desk";
import { randomBytes } from "node:crypto";
import { dayOf } from "../../days.ts";
import type { Statements } from "../../store/sqlite/statements.ts";
import type { StoredCase } from "./cases.ts";
import { DeskError } from "./desk-error.ts";
import type { Staff } from "./staff.ts";

/** What holds of an account by decisions that stand. */
export interface Sanction {
  readonly what: Restriction | "suspended";
  readonly sinceDay: number;
  /** First day on which it does not hold any more. */
  readonly untilDay: number;
}

/** A decision, and who made it. */
export interface StoredDecision extends DecisionRecord {
  readonly staffId: Uint8Array;
}

interface DecisionRow {
  readonly puid: string;
  readonly staffId: Uint8Array;
  readonly name: string;
  readonly atMs: number;
  readonly untilDay: number | null;
  readonly contentDay: number;
  readonly appealUntilDay: number;
  readonly state: DecisionRecord["state"];
  readonly input: string;
}

const columns = `puid, staff AS staffId, (SELECT name FROM staff WHERE id = decisions.staff) AS name, at_ms AS atMs, until_day AS untilDay,
  content_day AS contentDay, appeal_until_day AS appealUntilDay, state, input`;

interface AppealRow {
  readonly number: number;
  readonly by: CaseAppeal["by"];
  readonly report: number | null;
  readonly arrivedDay: number;
  readonly words: string;
  readonly items: string;
  readonly puid: string;
  readonly outcome: AppealOutcome | null;
  readonly name: string | null;
  readonly atMs: number | null;
  readonly answer: string | null;
}

/** Decisions, what they take, and appeals against them: every method runs inside the caller's transaction. */
export class DecisionTable {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** Writes a decision down, with what it takes from the accused from now on. */
  add(params: {
    of: StoredCase;
    input: DecisionInput;
    staff: Staff;
    nowMs: number;
    contentDay: number;
    limitedReporters: number;
  }): StoredDecision {
    const { of, input, staff, nowMs, contentDay, limitedReporters } = params;
    const today = dayOf(nowMs);
    const untilDay = input.days === undefined ? null : today + input.days;
    // Random: who sees it published learns no case's number by it.
    const puid = toBase64Url(new Uint8Array(randomBytes(18)));
    this.#sql.run(
      `INSERT INTO decisions (puid, case_number, staff, at_ms, until_day, content_day, appeal_until_day, state, input)
       VALUES (?, ?, ?, ?, ?, ?, ?, 'stands', ?)`,
      puid,
      of.number,
      staff.id,
      nowMs,
      untilDay,
      contentDay,
      today + appealDays,
      JSON.stringify({ ...input, ...(limitedReporters > 0 ? { limitedReporters } : {}) }),
    );
    if (untilDay !== null) {
      const taken: readonly Sanction["what"][] = input.kind === "suspend" ? ["suspended"] : (input.restrictions ?? []);
      const sql = "INSERT INTO sanctions (puid, account_id, what, since_day, until_day) VALUES (?, ?, ?, ?, ?)";
      for (const what of taken) this.#sql.run(sql, puid, of.accused.accountId, what, today, untilDay);
    }
    return this.require(puid);
  }

  /** @throws DeskError `not_found` */
  require(puid: string): StoredDecision {
    const row = this.#sql.get<DecisionRow>(`SELECT ${columns} FROM decisions WHERE puid = ?`, puid);
    if (row === undefined) throw new DeskError("not_found");
    return readDecisionRow(row);
  }

  /** The case that a decision is of; `undefined` where it is erased, or there is no such decision. */
  caseOf(puid: string): number | undefined {
    const row = this.#sql.get<{ number: number | null }>("SELECT case_number AS number FROM decisions WHERE puid = ?", puid);
    return row?.number ?? undefined;
  }

  /** Of a case, the oldest first. */
  of(number: number): readonly StoredDecision[] {
    const sql = `SELECT ${columns} FROM decisions WHERE case_number = ? ORDER BY at_ms, rowid`;
    return this.#sql.all<DecisionRow>(sql, number).map(readDecisionRow);
  }

  /** The one that stands in a case. */
  standing(number: number): StoredDecision | undefined {
    return this.of(number).findLast(({ state }) => state === "stands");
  }

  /** Ends a decision, and with it what it took. */
  end(puid: string, state: "reversed" | "replaced"): void {
    this.#sql.run("UPDATE decisions SET state = ? WHERE puid = ?", state, puid);
    this.#sql.run("DELETE FROM sanctions WHERE puid = ?", puid);
  }

  /** Lets both sides appeal a decision until this day. */
  appealUntil(puid: string, day: number): void {
    this.#sql.run("UPDATE decisions SET appeal_until_day = max(appeal_until_day, ?) WHERE puid = ?", day, puid);
  }

  /** What holds of an account: of the same by several decisions, that which lasts longest. */
  sanctionsOf(accountId: Uint8Array, today: number): readonly Sanction[] {
    return this.#sql.all<Sanction>(
      `SELECT what, min(since_day) AS sinceDay, max(until_day) AS untilDay FROM sanctions WHERE account_id = ? AND until_day > ?
       GROUP BY what ORDER BY what`,
      accountId,
      today,
    );
  }

  /** Forgets sanctions that are over. */
  expireSanctions(today: number): void {
    this.#sql.run("DELETE FROM sanctions WHERE until_day <= ?", today);
  }

  addAppeal(params: {
    of: StoredCase;
    puid: string;
    by: CaseAppeal["by"];
    report: number | undefined;
    day: number;
    words: string;
    items: readonly number[];
  }): number {
    const { of, puid, by, report, day, words, items } = params;
    const sql = "SELECT coalesce(max(number), 0) + 1 AS next FROM appeals WHERE case_number = ?";
    const number = this.#sql.get<{ next: number }>(sql, of.number)?.next ?? 1;
    this.#sql.run(
      "INSERT INTO appeals (case_number, number, by, report, arrived_day, words, items, puid) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      of.number,
      number,
      by,
      report ?? null,
      day,
      words,
      JSON.stringify(items),
      puid,
    );
    return number;
  }

  appeals(caseNumber: number): readonly (CaseAppeal & { readonly report: number | undefined })[] {
    const rows = this.#sql.all<AppealRow>(
      `SELECT number, by, report, arrived_day AS arrivedDay, words, items, puid, outcome,
         (SELECT name FROM staff WHERE id = appeals.staff) AS name, at_ms AS atMs, answer FROM appeals WHERE case_number = ? ORDER BY number`,
      caseNumber,
    );
    return rows.map(({ items, puid, outcome, name, atMs, answer, report, ...row }) => ({
      ...row,
      report: report ?? undefined,
      // Written above.
      items: JSON.parse(items) as number[],
      decision: puid,
      ...(outcome === null ? {} : { outcome: { kind: outcome, by: name ?? "", atMs: atMs ?? 0, words: answer ?? "" } }),
    }));
  }

  /** Answers an appeal, once. @throws DeskError `changed` */
  answerAppeal(params: { of: StoredCase; number: number; outcome: AppealOutcome; staff: Staff; nowMs: number; words: string }): void {
    const { of, number, outcome, staff, nowMs, words } = params;
    const { changes } = this.#sql.run(
      "UPDATE appeals SET outcome = ?, staff = ?, at_ms = ?, answer = ? WHERE case_number = ? AND number = ? AND outcome IS NULL",
      outcome,
      staff.id,
      nowMs,
      words,
      of.number,
      number,
    );
    if (Number(changes) !== 1) throw new DeskError("changed");
  }

  /** Whether anything was decided in a case. */
  hasAny(caseNumber: number): boolean {
    return this.#sql.get("SELECT 1 FROM decisions WHERE case_number = ?", caseNumber) !== undefined;
  }
}

function readDecisionRow({ input, name, untilDay, ...row }: DecisionRow): StoredDecision {
  return {
    // As it was read from whoever wrote it; of an erased case without its words.
    ...({ facts: "", toReporter: "", ...(JSON.parse(input) as Partial<DecisionInput>) } as DecisionInput),
    ...row,
    by: name,
    ...(untilDay === null ? {} : { untilDay }),
    source: "notice",
    isAutomatedDetection: false,
    automatedDecision: "NOT_AUTOMATED",
  };
}
