import type { PassphraseStatus } from "@latchkey/protocol";
import type { Day, Refused } from "../accounts.ts";
import type { StoredPassphrase } from "../passphrase-store.ts";
import type { Sql, Steps } from "./steps.ts";

interface TriesRow {
  readonly day: Day;
  readonly thatDay: number;
  readonly inAll: number;
}

/** Passphrases of accounts and tries of them, inside the caller's transaction. */
export class PassphraseTables {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  *set(params: { accountId: Uint8Array; day: Day } & StoredPassphrase): Steps<{ kind: "stored" } | Refused<"not_found">> {
    const account = yield* this.#account(params.accountId);
    if (account === undefined) return { kind: "refused", code: "not_found" };
    yield* this.#erase(account);
    yield* this.#sql.run(
      "INSERT INTO passphrases (account, recovery_key, record, sealed, set_day) VALUES (?, ?, ?, ?, ?)",
      account,
      params.recoveryKey,
      params.record,
      params.sealed,
      params.day,
    );
    return { kind: "stored" };
  }

  *clear({ accountId }: { accountId: Uint8Array }): Steps<void> {
    const account = yield* this.#account(accountId);
    if (account !== undefined) yield* this.#erase(account);
  }

  *countTry(params: {
    accountId: Uint8Array;
    day: Day;
    mostThatDay: number;
    mostInAll: number;
  }): Steps<{ kind: "counted"; passphrase: StoredPassphrase | undefined } | Refused<"not_found" | "rate_limited">> {
    const account = yield* this.#account(params.accountId);
    if (account === undefined) return { kind: "refused", code: "not_found" };
    const { day, thatDay, inAll } = (yield* this.#tries(account)) ?? { day: params.day, thatDay: 0, inAll: 0 };
    // By a clock that was set back a little the day of before goes on; a day that is not to come soon was of a clock that was ahead.
    const today = day > params.day + 1 ? params.day : Math.max(day, params.day);
    const before = day === today ? thatDay : 0;
    if (before >= params.mostThatDay) return { kind: "refused", code: "rate_limited" };
    yield* this.#sql.run(
      `INSERT INTO passphrase_tries (account, day, that_day, in_all) VALUES (?, ?, ?, ?)
       ON CONFLICT (account) DO UPDATE SET day = excluded.day, that_day = excluded.that_day, in_all = excluded.in_all`,
      account,
      today,
      before + 1,
      inAll + 1,
    );
    const kept = yield* this.#sql.get<StoredPassphrase>(
      `SELECT recovery_key AS "recoveryKey", record, sealed FROM passphrases WHERE account = ?`,
      account,
    );
    return { kind: "counted", passphrase: inAll >= params.mostInAll ? undefined : kept };
  }

  *open(params: { accountId: Uint8Array; record: Uint8Array; day: Day }): Steps<Uint8Array | undefined> {
    const account = yield* this.#account(params.accountId);
    if (account === undefined) return undefined;
    const row = yield* this.#sql.get<{ sealed: Uint8Array }>(
      "SELECT sealed FROM passphrases WHERE account = ? AND record = ?",
      account,
      params.record,
    );
    if (row === undefined) return undefined;
    yield* this.#sql.run("UPDATE passphrases SET opened_day = ? WHERE account = ?", params.day, account);
    yield* this.#forgiveTries(account);
    return row.sealed;
  }

  *status({ accountId, recoveryKey }: { accountId: Uint8Array; recoveryKey: Uint8Array }): Steps<PassphraseStatus> {
    const account = yield* this.#account(accountId);
    const kept =
      account === undefined
        ? undefined
        : yield* this.#sql.get<{ setDay: Day; openedDay: Day }>(
            `SELECT set_day AS "setDay", opened_day AS "openedDay" FROM passphrases WHERE account = ? AND recovery_key = ?`,
            account,
            recoveryKey,
          );
    const { inAll, day } = (account === undefined || kept === undefined ? undefined : yield* this.#tries(account)) ?? { inAll: 0, day: 0 };
    return {
      isSet: kept !== undefined,
      setDay: kept?.setDay ?? 0,
      tries: inAll,
      lastTryDay: inAll === 0 ? 0 : day,
      openedDay: kept?.openedDay ?? 0,
    };
  }

  *forgetTries({ beforeDay }: { beforeDay: Day }): Steps<number> {
    const sql =
      "DELETE FROM passphrase_tries WHERE (day < ? OR day > ? + 1) AND (in_all = 0 OR account NOT IN (SELECT account FROM passphrases))";
    return yield* this.#sql.run(sql, beforeDay, beforeDay);
  }

  *#tries(account: number): Steps<TriesRow | undefined> {
    return yield* this.#sql.get<TriesRow>(
      `SELECT day, that_day AS "thatDay", in_all AS "inAll" FROM passphrase_tries WHERE account = ?`,
      account,
    );
  }

  *#account(accountId: Uint8Array): Steps<number | undefined> {
    return (yield* this.#sql.get<{ id: number }>("SELECT id FROM accounts WHERE account_id = ?", accountId))?.id;
  }

  *#erase(account: number): Steps<void> {
    yield* this.#sql.run("DELETE FROM passphrases WHERE account = ?", account);
    yield* this.#forgiveTries(account);
  }

  /** Those of the day stay: else whoever can set, open or erase it has as many a day as they like, and strangers see by the count that somebody did. */
  *#forgiveTries(account: number): Steps<void> {
    yield* this.#sql.run("UPDATE passphrase_tries SET in_all = 0 WHERE account = ?", account);
  }
}
