import type { Statements } from "../../../../store/sqlite/statements.ts";

/**
 * Notices of releases: of which file of a package, and how far each is. `ended_ms` is when a secrecy was taken back, `next_ms` when it is told
 * again. Whose file it is the package says.
 */
export const noticesStep = `
  CREATE TABLE request_notices (
    request_number INTEGER NOT NULL, file TEXT NOT NULL, notice_id BLOB NOT NULL, state TEXT NOT NULL, ended_ms INTEGER, sent_ms INTEGER,
    next_ms INTEGER, PRIMARY KEY (request_number, file)
  ) STRICT, WITHOUT ROWID`;

/** A notice, as it is stored. */
export interface StoredNotice {
  readonly number: number;
  /** Name of the file in the package. */
  readonly file: string;
  readonly noticeId: Uint8Array;
  readonly state: "waits" | "sent" | "cannot";
  readonly endedMs: number | undefined;
  readonly sentMs: number | undefined;
  /** Whether it is told again. */
  readonly isAgain: boolean;
}

interface Row extends Omit<StoredNotice, "endedMs" | "sentMs" | "isAgain"> {
  readonly endedMs: number | null;
  readonly sentMs: number | null;
  readonly nextMs: number | null;
}

const columns = "request_number AS number, file, notice_id AS noticeId, state, ended_ms AS endedMs, sent_ms AS sentMs, next_ms AS nextMs";

/** The notices: every method runs inside the caller's transaction. */
export class NoticeTable {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  add({ number, file, noticeId, endedMs }: Pick<StoredNotice, "number" | "file" | "noticeId" | "endedMs">): void {
    const sql = "INSERT INTO request_notices (request_number, file, notice_id, state, ended_ms) VALUES (?, ?, ?, 'waits', ?)";
    this.#sql.run(sql, number, file, noticeId, endedMs ?? null);
  }

  of(number: number): readonly StoredNotice[] {
    return this.#sql.all<Row>(`SELECT ${columns} FROM request_notices WHERE request_number = ? ORDER BY file`, number).map(readRow);
  }

  /** Those that wait, and those that are told again by now. */
  open(nowMs: number): readonly StoredNotice[] {
    const sql = `SELECT ${columns} FROM request_notices WHERE state = 'waits' OR next_ms <= ? ORDER BY request_number, file`;
    return this.#sql.all<Row>(sql, nowMs).map(readRow);
  }

  /** A secrecy ended, or there is one again. */
  setEnded(number: number, endedMs: number | undefined): void {
    this.#sql.run("UPDATE request_notices SET ended_ms = ? WHERE request_number = ? AND state = 'waits'", endedMs ?? null, number);
  }

  /** @param nextMs when it is told again; absent for never */
  sent({ number, file }: Pick<StoredNotice, "number" | "file">, nowMs: number, nextMs: number | undefined): void {
    const sql =
      "UPDATE request_notices SET state = 'sent', sent_ms = coalesce(sent_ms, ?), next_ms = ? WHERE request_number = ? AND file = ?";
    this.#sql.run(sql, nowMs, nextMs ?? null, number, file);
  }

  /** There is nobody to be told. */
  cannot({ number, file }: Pick<StoredNotice, "number" | "file">): void {
    this.#sql.run("UPDATE request_notices SET state = 'cannot', next_ms = NULL WHERE request_number = ? AND file = ?", number, file);
  }

  erase(number: number): void {
    this.#sql.run("DELETE FROM request_notices WHERE request_number = ?", number);
  }
}

function readRow({ endedMs, sentMs, nextMs, ...row }: Row): StoredNotice {
  return { ...row, endedMs: endedMs ?? undefined, sentMs: sentMs ?? undefined, isAgain: nextMs !== null };
}
