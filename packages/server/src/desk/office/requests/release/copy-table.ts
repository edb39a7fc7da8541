import { utf8Bytes } from "@latchkey/codec";
import type { Statements } from "../../../../store/sqlite/statements.ts";
import type { StoredRequest } from "../request-body.ts";
import type { Vault } from "./vault.ts";

/** Copies that are kept for requests: whose, and what was held, sealed under the request and the desk's own key. */
export const copiesStep = `
  CREATE TABLE request_copies (
    request_number INTEGER NOT NULL, place INTEGER NOT NULL, as_of_ms INTEGER NOT NULL, account_id BLOB NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY (request_number, place)
  ) STRICT`;

/** A copy of what was held about an account. */
export interface KeptCopy {
  /** base64url */
  readonly accountId: string;
  readonly asOfMs: number;
  readonly bytes: Uint8Array;
}

type Named = Pick<StoredRequest, "number" | "key">;

/** The copies: every method runs inside the caller's transaction. */
export class CopyTable {
  readonly #sql: Statements;
  readonly #vault: Vault;

  constructor(sql: Statements, vault: Vault) {
    this.#sql = sql;
    this.#vault = vault;
  }

  /** Keeps a copy, once: what was kept before stays as it is. */
  keep({ number, key }: Named, place: number, { accountId, asOfMs, bytes }: KeptCopy): void {
    const sql = "INSERT OR IGNORE INTO request_copies (request_number, place, as_of_ms, account_id, bytes) VALUES (?, ?, ?, ?, ?)";
    this.#sql.run(sql, number, place, asOfMs, this.#vault.seal(key, utf8Bytes(accountId)), this.#vault.seal(key, bytes));
  }

  /** By the places of their identifiers. */
  of({ number, key }: Named): ReadonlyMap<number, KeptCopy> {
    type Row = { place: number; asOfMs: number; accountId: Uint8Array; bytes: Uint8Array };
    const sql =
      "SELECT place, as_of_ms AS asOfMs, account_id AS accountId, bytes FROM request_copies WHERE request_number = ? ORDER BY place";
    return new Map(
      this.#sql
        .all<Row>(sql, number)
        .map(({ place, asOfMs, accountId, bytes }) => [
          place,
          { asOfMs, accountId: new TextDecoder().decode(this.#vault.open(key, accountId)), bytes: this.#vault.open(key, bytes) },
        ]),
    );
  }

  /** Erases them. Answers how many there were. */
  erase(number: number): number {
    return Number(this.#sql.run("DELETE FROM request_copies WHERE request_number = ?", number).changes);
  }
}
