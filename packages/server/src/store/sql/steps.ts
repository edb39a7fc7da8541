/** What a column holds. Numbers are whole and safe; whether something is so is 1 or 0, as SQLite has it. */
export type SqlValue = string | number | Uint8Array | null;

/** One statement for a database that is asked over a network: the values stand for the `?` of its text, in their order. */
export interface Query {
  readonly text: string;
  readonly values: readonly SqlValue[];
}

/** What a statement answers: its rows by the names of their columns, and how many rows it changed. */
export interface QueryResult {
  readonly rows: readonly unknown[];
  readonly changes: number;
}

/**
 * Work on a database in a transaction, written once for all engines: it stops at each statement that has to travel, and goes on with the
 * answer. Where the database lies in this process it never stops. Nothing but the database is changed before it ends: an engine may begin it anew.
 */
export type Steps<T> = Generator<Query, T, QueryResult>;

/**
 * Statements in the SQL that SQLite and PostgreSQL share: `?` for values, names of results in quotation marks where they have capitals,
 * `ON CONFLICT` and never `OR REPLACE`. Row types name the columns of the statement beside them.
 */
export interface Sql {
  get<Row>(text: string, ...values: SqlValue[]): Steps<Row | undefined>;
  all<Row>(text: string, ...values: SqlValue[]): Steps<Row[]>;
  /** How many rows were changed. */
  run(text: string, ...values: SqlValue[]): Steps<number>;
}

/** The result of work that never stops. @throws Error for work that does, and what the work throws */
export function finish<T>(steps: Steps<T>): T {
  const step = steps.next();
  if (step.done !== true) throw new Error("this work waits for a database elsewhere");
  return step.value;
}
