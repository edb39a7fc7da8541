import type { SpentToken, TokenSeed } from "../token-store.ts";
import type { Day } from "../accounts.ts";
import type { Sql, Steps } from "./steps.ts";

/** The tokens that were spent in one database. Every method runs inside the caller's transaction. */
export class SpentTokens {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Whether it was not spent before; it is from now on. Without a token nothing is spent. */
  *spend(token: SpentToken | undefined): Steps<boolean> {
    if (token === undefined) return true;
    const sql = "INSERT INTO spent_tokens (nonce, day) VALUES (?, ?) ON CONFLICT DO NOTHING";
    return (yield* this.#sql.run(sql, token.nonce, token.day)) === 1;
  }

  /** Answers how many they were: at most `maxItems`, where it says so. */
  *forget({ beforeDay, maxItems = Number.MAX_SAFE_INTEGER }: { beforeDay: Day; maxItems?: number }): Steps<number> {
    const sql = "DELETE FROM spent_tokens WHERE nonce IN (SELECT nonce FROM spent_tokens WHERE day < ? LIMIT ?)";
    return yield* this.#sql.run(sql, beforeDay, maxItems);
  }
}

/** The issuer's keys and what accounts were given, inside the caller's transaction. */
export class TokenTables {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  *seeds({ fresh, fromDay }: { fresh: readonly TokenSeed[]; fromDay: Day }): Steps<TokenSeed[]> {
    const sql = "INSERT INTO token_keys (day, seed) VALUES (?, ?) ON CONFLICT DO NOTHING";
    for (const { day, seed } of fresh) yield* this.#sql.run(sql, day, seed);
    return yield* this.#sql.all<{ day: number; seed: Uint8Array }>("SELECT day, seed FROM token_keys WHERE day >= ? ORDER BY day", fromDay);
  }

  *count({ accountId, day, count, most }: { accountId: Uint8Array; day: Day; count: number; most: number }): Steps<boolean> {
    const changed = yield* this.#sql.run(
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
    return changed === 1;
  }

  *forget({ beforeDay }: { beforeDay: Day }): Steps<void> {
    yield* this.#sql.run("DELETE FROM token_keys WHERE day < ?", beforeDay);
  }
}
