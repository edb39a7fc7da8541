import type { SpentToken, TokenSeed } from "../token-store.ts";
import type { Day } from "../accounts.ts";
import type { Statements } from "./statements.ts";

/** The tokens that were spent in one database. Every method runs inside the caller's transaction. */
export class SpentTokens {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** Whether it was not spent before; it is from now on. Without a token nothing is spent. */
  spend(token: SpentToken | undefined): boolean {
    if (token === undefined) return true;
    return this.#sql.run("INSERT OR IGNORE INTO spent_tokens (nonce, day) VALUES (?, ?)", token.nonce, token.day).changes === 1;
  }

  /** Answers how many they were: at most `maxItems`, where it says so. */
  forget({ beforeDay, maxItems = -1 }: { beforeDay: Day; maxItems?: number }): number {
    const sql = "DELETE FROM spent_tokens WHERE nonce IN (SELECT nonce FROM spent_tokens WHERE day < ? LIMIT ?)";
    return Number(this.#sql.run(sql, beforeDay, maxItems).changes);
  }
}

/** The issuer's keys and what accounts were given, inside the caller's transaction. */
export class TokenTables {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  seeds({ fresh, fromDay }: { fresh: readonly TokenSeed[]; fromDay: Day }): TokenSeed[] {
    for (const { day, seed } of fresh) this.#sql.run("INSERT OR IGNORE INTO token_keys (day, seed) VALUES (?, ?)", day, seed);
    return this.#sql.all<{ day: number; seed: Uint8Array }>("SELECT day, seed FROM token_keys WHERE day >= ? ORDER BY day", fromDay);
  }

  count({ accountId, day, count, most }: { accountId: Uint8Array; day: Day; count: number; most: number }): boolean {
    const changed = this.#sql.run(
      `UPDATE accounts SET tokens = CASE tokens_day WHEN ? THEN tokens ELSE 0 END + ?, tokens_day = ?
       WHERE account_id = ? AND CASE tokens_day WHEN ? THEN tokens ELSE 0 END + ? <= ?`,
      day,
      count,
      day,
      accountId,
      day,
      count,
      most,
    );
    return changed.changes === 1;
  }

  forget({ beforeDay }: { beforeDay: Day }): void {
    this.#sql.run("DELETE FROM token_keys WHERE day < ?", beforeDay);
  }
}
