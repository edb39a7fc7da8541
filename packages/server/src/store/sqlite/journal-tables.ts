import type { Statements } from "./statements.ts";

/** Publications that are stored and not yet in the journal of the public record, inside the caller's transaction. */
export class JournalTables {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  add(size: number, record: Uint8Array): void {
    this.#sql.run("INSERT INTO directory_unjournaled (size, record) VALUES (?, ?)", size, record);
  }

  /** Their records, in order. */
  waiting(): Uint8Array[] {
    return this.#sql.all<{ record: Uint8Array }>("SELECT record FROM directory_unjournaled ORDER BY size").map(({ record }) => record);
  }

  /** Those up to this size are in the journal. */
  drop(size: number): void {
    this.#sql.run("DELETE FROM directory_unjournaled WHERE size <= ?", size);
  }
}
