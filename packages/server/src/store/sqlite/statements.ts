import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { Sql, SqlValue, Steps } from "../sql/steps.ts";

/** Prepared statements by their text. Row types name the columns of the statement beside them; STRICT tables hold these types only. */
export class Statements {
  /** The same for what is written for all engines: here no statement travels, so that work never stops. */
  readonly shared: Sql;
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.shared = new SharedStatements(this);
  }

  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined;
  }

  all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values) as Row[];
  }

  run(sql: string, ...values: SQLInputValue[]): { changes: number | bigint } {
    return this.#statement(sql).run(...values);
  }

  /** Runs `work` as one transaction of its own: nothing of it stays when it throws. */
  transaction(work: () => void): void {
    this.#database.exec("BEGIN");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  #statement(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}

/* oxlint-disable require-yield -- nothing has to travel */
class SharedStatements implements Sql {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  *get<Row>(text: string, ...values: SqlValue[]): Steps<Row | undefined> {
    return this.#statements.get<Row>(text, ...values);
  }

  *all<Row>(text: string, ...values: SqlValue[]): Steps<Row[]> {
    return this.#statements.all<Row>(text, ...values);
  }

  *run(text: string, ...values: SqlValue[]): Steps<number> {
    return Number(this.#statements.run(text, ...values).changes);
  }
}
