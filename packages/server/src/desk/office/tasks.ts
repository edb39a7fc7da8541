import type { DecisionRecord } from "@latchkey/protocol/desk";
import type { Statements } from "../../store/sqlite/statements.ts";

/** What is told to whom because of a decision; bytes are base64url. */
export type Task =
  /** An account's sanctions are to be what stands now. */
  | { readonly kind: "sanctions"; readonly accountId: string }
  /** The statement of reasons of a decision, to the accused. */
  | { readonly kind: "statement"; readonly accountId: string; readonly puid: string; readonly noticeId: string; readonly isAgain: boolean }
  /** What became of an appeal, to the accused. */
  | {
      readonly kind: "appeal-notice";
      readonly accountId: string;
      readonly caseNumber: number;
      readonly appeal: number;
      readonly noticeId: string;
    }
  /** A report arrived, or what was decided, or what became of an appeal: to one reporter. */
  | { readonly kind: "answer"; readonly reporter: number; readonly what: "arrived" }
  | { readonly kind: "answer"; readonly reporter: number; readonly what: "decided"; readonly puid: DecisionRecord["puid"] }
  | {
      readonly kind: "answer";
      readonly reporter: number;
      readonly what: "appeal-decided";
      readonly caseNumber: number;
      readonly appeal: number;
    };

/** A task, and its place in the order. */
export interface StoredTask {
  readonly id: number;
  readonly task: Task;
}

/**
 * What is to be done outside of the desk's database, written down with the decision that asks for it: done after that, as often as it takes,
 * and removed once it is done.
 */
export class TaskTable {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** @param notBeforeDay the day from which on it is done */
  add(task: Task, notBeforeDay: number = 0): void {
    const { kind, ...params } = task;
    this.#sql.run("INSERT INTO tasks (kind, params, not_before_day) VALUES (?, ?, ?)", kind, JSON.stringify(params), notBeforeDay);
  }

  /** Those after a place that are to be done by now, the oldest first. */
  after({ id, today, most }: { id: number; today: number; most: number }): readonly StoredTask[] {
    type Row = { id: number; kind: string; params: string };
    const rows = this.#sql.all<Row>(
      "SELECT id, kind, params FROM tasks WHERE id > ? AND not_before_day <= ? ORDER BY id LIMIT ?",
      id,
      today,
      most,
    );
    // Written above.
    return rows.map((row) => ({ id: row.id, task: { kind: row.kind, ...(JSON.parse(row.params) as object) } as Task }));
  }

  remove(id: number): void {
    this.#sql.run("DELETE FROM tasks WHERE id = ?", id);
  }
}
