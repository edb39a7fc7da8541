import type { SqlValue } from "../sql/steps.ts";

/** A value of a statement: lists stand for arrays, as `unnest` takes them. */
export type PostgresValue = SqlValue | readonly SqlValue[];

/** What a statement answers: bytea is a Uint8Array of its own, int8 and numeric are safe whole numbers. */
export interface PostgresResult<Row> {
  readonly rows: readonly Row[];
  readonly changes: number;
}

/** The way to PostgreSQL inside one transaction, or for one statement by itself. */
export interface PostgresTransaction {
  /** Runs a statement with `$1` and so on. @throws StoreError */
  query<Row>(text: string, values?: readonly PostgresValue[]): Promise<PostgresResult<Row>>;
}
