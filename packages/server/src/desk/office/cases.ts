import { deskPageSize } from "@latchkey/protocol/desk";
import type { CaseAt, CaseState, CaseSummary, TimelineEvent } from "@latchkey/protocol/desk";
import type { Statements } from "../../store/sqlite/statements.ts";
import { newCaseKey } from "./case-key.ts";
import { DeskError } from "./desk-error.ts";
import type { Person } from "./evidence.ts";
import type { Staff } from "./staff.ts";

/** A case, as the desk itself needs it. */
export interface StoredCase {
  readonly number: number;
  readonly revision: number;
  readonly state: CaseState;
  readonly accused: Person;
  readonly openedDay: number;
  readonly newestDay: number;
  readonly takenBy: Uint8Array | undefined;
  readonly key: Uint8Array;
  /** Until when somebody may appeal: the latest of all who were told. */
  readonly appealUntilDay: number;
}

interface CaseRow {
  readonly number: number;
  readonly revision: number;
  readonly state: CaseState;
  readonly host: string;
  readonly accountId: Uint8Array;
  readonly openedDay: number;
  readonly newestDay: number;
  readonly takenBy: Uint8Array | null;
  readonly key: Uint8Array;
  readonly appealUntilDay: number;
}

/** Other cases that stand beside one: the newest. */
export const maxShownOthers = 50;
/** Lines of a timeline that are shown: the newest. */
const maxShownEvents = 500;
const columns = `number, revision, state, accused_host AS host, accused_id AS accountId, opened_day AS openedDay, newest_day AS newestDay,
  taken_by AS takenBy, key, appeal_until_day AS appealUntilDay`;

/**
 * The cases: every method runs inside the caller's transaction.
 *
 *     new --take--> taken --decide--> decided --appeal--> appealed --decided by another--> decided --days of appeal over--> closed --30 days--> erased
 *
 * Each change counts the case's revision up, and names the one that it was made on: of two that were made on the same one counts.
 */
export class CaseTable {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** Begins a case. Numbers are never given twice, also when their case is erased. */
  add(accused: Person, day: number): StoredCase {
    const number = 1 + (this.#sql.get<{ number: number }>("SELECT number FROM last_case")?.number ?? 0);
    this.#sql.run("UPDATE last_case SET number = ?", number);
    this.#sql.run(
      "INSERT INTO cases (number, revision, state, accused_host, accused_id, opened_day, newest_day, key) VALUES (?, 1, 'new', ?, ?, ?, ?, ?)",
      number,
      accused.host,
      accused.accountId,
      day,
      day,
      newCaseKey(),
    );
    return this.require(number);
  }

  /** @throws DeskError `not_found`: of a case that never was, and of one that is erased */
  require(number: number): StoredCase {
    const row = this.#sql.get<CaseRow>(`SELECT ${columns} FROM cases WHERE number = ?`, number);
    if (row === undefined) throw new DeskError("not_found");
    return readCase(row);
  }

  /** The same as somebody read it. @throws DeskError `changed` where it is not so any more; `not_found` */
  requireAt({ number, revision }: CaseAt): StoredCase {
    const found = this.require(number);
    if (found.revision !== revision) throw new DeskError("changed");
    return found;
  }

  /** All about one account, the oldest first. */
  about({ accountId }: Person): readonly StoredCase[] {
    return this.#sql.all<CaseRow>(`SELECT ${columns} FROM cases WHERE accused_id = ? ORDER BY number`, accountId).map(readCase);
  }

  /** Every one of these states. */
  inStates(states: readonly CaseState[]): readonly StoredCase[] {
    const marks = states.map(() => "?").join(", ");
    return this.#sql.all<CaseRow>(`SELECT ${columns} FROM cases WHERE state IN (${marks}) ORDER BY number`, ...states).map(readCase);
  }

  /** Those that have waited longest first. */
  page({ states, after }: { states: readonly CaseState[]; after: number }): readonly StoredCase[] {
    const marks = states.map(() => "?").join(", ");
    const sql = `SELECT ${columns} FROM cases WHERE number > ? AND state IN (${marks}) ORDER BY number LIMIT ?`;
    return this.#sql.all<CaseRow>(sql, after, ...states, deskPageSize).map(readCase);
  }

  /** Changes a case: what it says now, in its next revision. @throws DeskError `changed` when somebody was first */
  change(before: StoredCase, to: Partial<Pick<StoredCase, "state" | "takenBy" | "newestDay" | "appealUntilDay">>): StoredCase {
    const { state, takenBy, newestDay, appealUntilDay } = { ...before, ...to };
    const { changes } = this.#sql.run(
      "UPDATE cases SET revision = revision + 1, state = ?, taken_by = ?, newest_day = ?, appeal_until_day = ? WHERE number = ? AND revision = ?",
      state,
      takenBy ?? null,
      newestDay,
      appealUntilDay,
      before.number,
      before.revision,
    );
    // Said in the write itself, although nobody else writes meanwhile.
    if (Number(changes) !== 1) throw new DeskError("changed");
    return this.require(before.number);
  }

  /** Keeps a case for appeals until this day: nothing that anybody decides on changes by it. */
  extendAppeal(number: number, day: number): void {
    this.#sql.run("UPDATE cases SET appeal_until_day = max(appeal_until_day, ?) WHERE number = ?", day, number);
  }

  /** How many cases nobody has decided, since when the oldest waits, and how many appeals wait. */
  waiting(): { readonly cases: number; readonly oldestDay: number | undefined; readonly appeals: number } {
    type Row = { cases: number; oldestDay: number | null };
    const row = this.#sql.get<Row>("SELECT count(*) AS cases, min(opened_day) AS oldestDay FROM cases WHERE state IN ('new', 'taken')");
    const appeals = this.#sql.get<{ n: number }>("SELECT count(*) AS n FROM appeals WHERE outcome IS NULL")?.n ?? 0;
    return { cases: row?.cases ?? 0, oldestDay: row?.oldestDay ?? undefined, appeals };
  }

  /** Adds a line to a case's timeline. */
  tell(number: number, event: { kind: TimelineEvent["kind"]; by?: string; text?: string }, nowMs: number): void {
    const sql = "INSERT INTO case_events (case_number, at_ms, kind, by, text) VALUES (?, ?, ?, ?, ?)";
    this.#sql.run(sql, number, nowMs, event.kind, event.by ?? null, event.text ?? null);
  }

  /** The newest lines. */
  timeline(number: number): readonly TimelineEvent[] {
    type Row = { atMs: number; kind: TimelineEvent["kind"]; by: string | null; text: string | null };
    const rows = this.#sql.all<Row>(
      "SELECT at_ms AS atMs, kind, by, text FROM case_events WHERE case_number = ? ORDER BY id DESC LIMIT ?",
      number,
      maxShownEvents,
    );
    return rows.toReversed().map(({ atMs, kind, by, text }) => ({
      atMs,
      kind,
      ...(by === null ? {} : { by }),
      ...(text === null ? {} : { text }),
    }));
  }

  /** Says that two cases have a conversation in common. */
  link(one: number, other: number): void {
    const sql = "INSERT OR IGNORE INTO case_links (case_number, other) VALUES (?, ?)";
    this.#sql.run(sql, one, other);
    this.#sql.run(sql, other, one);
  }

  summary(found: StoredCase, nameOf: (id: Uint8Array) => Staff | undefined): CaseSummary {
    const { number, revision, state, openedDay, newestDay, takenBy } = found;
    const count = (sql: string): number => this.#sql.get<{ n: number }>(sql, number)?.n ?? 0;
    const taker = takenBy === undefined ? undefined : nameOf(takenBy);
    const reasons = this.#sql.all<{ reason: string }>(
      "SELECT DISTINCT reason FROM case_reports WHERE case_number = ? ORDER BY reason",
      number,
    );
    const linked = this.#sql.all<{ other: number }>(
      "SELECT other FROM case_links WHERE case_number = ? ORDER BY other DESC LIMIT ?",
      number,
      maxShownOthers,
    );
    const others = this.#sql.all<{ number: number }>(
      "SELECT number FROM cases WHERE accused_id = ? AND number <> ? ORDER BY number DESC LIMIT ?",
      found.accused.accountId,
      number,
      maxShownOthers,
    );
    return {
      number,
      revision,
      state,
      openedDay,
      newestDay,
      reports: count("SELECT count(*) AS n FROM case_reports WHERE case_number = ?"),
      reasons: reasons.map(({ reason }) => reason),
      ...(taker === undefined ? {} : { takenBy: taker.name }),
      messages: count("SELECT count(*) AS n FROM case_items WHERE case_number = ?"),
      proved: count("SELECT count(*) AS n FROM case_items WHERE case_number = ? AND is_proved = 1 AND author = 'accused'"),
      sameConversation: linked.map(({ other }) => other).toReversed(),
      sameAccused: others.map((one) => one.number).toReversed(),
    };
  }

  /** Removes a case and everything in it. What its decisions took stays until its day, and what they were without words. */
  erase(number: number): void {
    // Words may name people: what is counted later is not.
    this.#sql.run(
      "UPDATE decisions SET case_number = NULL, input = json_remove(input, '$.facts', '$.toReporter', '$.ground.explanation') WHERE case_number = ?",
      number,
    );
    this.#sql.run("DELETE FROM case_links WHERE other = ?", number);
    for (const table of eraseFrom) this.#sql.run(`DELETE FROM ${table} WHERE case_number = ?`, number);
    this.#sql.run("DELETE FROM cases WHERE number = ?", number);
  }
}

const eraseFrom = [
  "appeals",
  "case_events",
  "case_links",
  "case_conversations",
  "case_people",
  "case_files",
  "case_items",
  "case_reports",
] as const;

function readCase({ host, accountId, takenBy, ...row }: CaseRow): StoredCase {
  return { ...row, accused: { host, accountId }, takenBy: takenBy ?? undefined };
}
