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

/** What was held when a copy was made and is not in it, sealed as the rest: absent of copies from before that was written down. */
export const copiesLeftOutStep = "ALTER TABLE request_copies ADD COLUMN left_out BLOB";

/** Whose a copy is, and of when. */
export interface CopyMark {
  /** base64url */
  readonly accountId: string;
  readonly asOfMs: number;
}

/** A copy of what was held about an account. */
export interface KeptCopy extends CopyMark {
  readonly bytes: Uint8Array;
  /** What was held and is not in it, since the request that had it kept did not ask for it: paths of the inventory. */
  readonly leftOut: readonly string[];
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
  keep({ number, key }: Named, place: number, { accountId, asOfMs, bytes, leftOut }: KeptCopy): void {
    const sql =
      "INSERT OR IGNORE INTO request_copies (request_number, place, as_of_ms, account_id, bytes, left_out) VALUES (?, ?, ?, ?, ?, ?)";
    const seal = (plaintext: Uint8Array): Uint8Array => this.#vault.seal(key, plaintext);
    this.#sql.run(sql, number, place, asOfMs, seal(utf8Bytes(accountId)), seal(bytes), seal(utf8Bytes(JSON.stringify(leftOut))));
  }

  /** Of which requests there are any. */
  owners(): readonly number[] {
    const sql = "SELECT DISTINCT request_number AS number FROM request_copies ORDER BY request_number";
    return this.#sql.all<{ number: number }>(sql).map(({ number }) => number);
  }

  /** Whose they are, by the places of their identifiers: nothing that was held is read. */
  marks({ number, key }: Named): ReadonlyMap<number, CopyMark> {
    type Row = { place: number; asOfMs: number; accountId: Uint8Array };
    const sql = "SELECT place, as_of_ms AS asOfMs, account_id AS accountId FROM request_copies WHERE request_number = ? ORDER BY place";
    return new Map(
      this.#sql
        .all<Row>(sql, number)
        .map(({ place, asOfMs, accountId }) => [place, { asOfMs, accountId: textOf(this.#vault.open(key, accountId)) }]),
    );
  }

  /** The one of an identifier's place. */
  at({ number, key }: Named, place: number): KeptCopy | undefined {
    type Row = { asOfMs: number; accountId: Uint8Array; bytes: Uint8Array; leftOut: Uint8Array | null };
    const sql = `SELECT as_of_ms AS asOfMs, account_id AS accountId, bytes, left_out AS leftOut FROM request_copies
      WHERE request_number = ? AND place = ?`;
    const row = this.#sql.get<Row>(sql, number, place);
    if (row === undefined) return undefined;
    return {
      asOfMs: row.asOfMs,
      accountId: textOf(this.#vault.open(key, row.accountId)),
      bytes: this.#vault.open(key, row.bytes),
      // Written above.
      leftOut: row.leftOut === null ? [] : (JSON.parse(textOf(this.#vault.open(key, row.leftOut))) as readonly string[]),
    };
  }

  /** Erases them. Answers how many there were. */
  erase(number: number): number {
    return Number(this.#sql.run("DELETE FROM request_copies WHERE request_number = ?", number).changes);
  }
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
