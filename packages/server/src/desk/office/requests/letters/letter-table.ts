import { requestLimits } from "@latchkey/protocol/desk";
import type { RequestLetter } from "@latchkey/protocol/desk";
import type { Statements } from "../../../../store/sqlite/statements.ts";
import { DeskError } from "../../desk-error.ts";
import { openText, sealText } from "../request-table.ts";
import type { StoredRequest } from "../request-body.ts";
import { letterWords } from "./letter-words.ts";
import type { Letter } from "./letter.ts";

/** Letters that were written, whole, under the request's key: what their words are changed to later changes none. In the caller's transaction. */
export class LetterTable {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** @throws DeskError `limit` */
  add({ number, key }: StoredRequest, letter: Letter, by: string): number {
    const count = this.#sql.get<{ n: number }>("SELECT count(*) AS n FROM request_letters WHERE request_number = ?", number)?.n ?? 0;
    if (count >= requestLimits.letters) throw new DeskError("limit");
    const sql = "INSERT INTO request_letters (request_number, number, kind, at_ms, by, letter) VALUES (?, ?, ?, ?, ?, ?)";
    this.#sql.run(sql, number, count + 1, letter.kind, letter.atMs, by, sealText(key, JSON.stringify(letter)));
    return count + 1;
  }

  list(number: number): readonly RequestLetter[] {
    const sql = "SELECT number, kind, at_ms AS atMs, by FROM request_letters WHERE request_number = ? ORDER BY number";
    return this.#sql.all<Omit<RequestLetter, "title">>(sql, number).map((row) => ({ ...row, title: letterWords[row.kind].title }));
  }

  /** @throws DeskError `not_found` */
  require({ number: request, key }: StoredRequest, number: number): Letter {
    const sql = "SELECT letter FROM request_letters WHERE request_number = ? AND number = ?";
    const row = this.#sql.get<{ letter: Uint8Array }>(sql, request, number);
    if (row === undefined) throw new DeskError("not_found");
    // Written above.
    return JSON.parse(openText(key, row.letter)) as Letter;
  }
}
