import type { Query, QueryResult, Sql, SqlValue, Steps } from "../sql/steps.ts";
import type { PostgresTransaction, PostgresValue } from "./transaction.ts";

export type DatabaseName = "logs" | "accounts";

/** A statement with the database that it is for, and lists where PostgreSQL takes arrays. */
export interface PostgresQuery extends Omit<Query, "values"> {
  readonly database: DatabaseName;
  readonly values: readonly PostgresValue[];
}

/** The statements that all engines share, for one of the databases: each stops the work until it is answered. */
export class PostgresSql implements Sql {
  readonly #database: DatabaseName;

  constructor(database: DatabaseName) {
    this.#database = database;
  }

  *get<Row>(text: string, ...values: SqlValue[]): Steps<Row | undefined> {
    return (yield* this.ask<Row>(numbered(text), values)).rows[0];
  }

  *all<Row>(text: string, ...values: SqlValue[]): Steps<Row[]> {
    return [...(yield* this.ask<Row>(numbered(text), values)).rows];
  }

  *run(text: string, ...values: SqlValue[]): Steps<number> {
    return (yield* this.ask(numbered(text), values)).changes;
  }

  /** A statement of PostgreSQL's own, with `$1` and so on for its values. */
  *ask<Row>(text: string, values: readonly PostgresValue[]): Steps<{ readonly rows: readonly Row[]; readonly changes: number }> {
    const query: PostgresQuery = { database: this.#database, text, values };
    // Work of this engine is only ever done by `take`, which knows its statements; its rows have the columns that its text names.
    const { rows, changes } = yield query as unknown as Query;
    return { rows: rows as readonly Row[], changes };
  }
}

/** Does work to its end, each of its statements by what answers for its database. @throws what the work or an answer throws */
export async function take<T>(steps: Steps<T>, databases: Readonly<Record<DatabaseName, PostgresTransaction>>): Promise<T> {
  let result: QueryResult = { rows: [], changes: 0 };
  for (;;) {
    const step = steps.next(result);
    if (step.done === true) return step.value;
    const { database, text, values } = step.value as unknown as PostgresQuery;
    result = await databases[database].query(text, values);
  }
}

const texts = new Map<string, string>();

/** `$1` and so on in place of each `?`: no text of ours has one inside quotation marks. */
function numbered(text: string): string {
  const known = texts.get(text);
  if (known !== undefined) return known;
  let count = 0;
  const made = text.replaceAll("?", () => `$${++count}`);
  texts.set(text, made);
  return made;
}
