import type { AdminStore, ListedAccount, StoredInvitation, StoredRules } from "../admin-store.ts";
import type { Day } from "../accounts.ts";
import type { Statements } from "./statements.ts";

/** A name that counts: bound, and not that of a deleted account. */
const isHeld = "bound = 1 AND reserved_until_day = 0";

type Handlers = {
  readonly [Name in Exclude<keyof AdminStore, "totals">]: (
    params: Parameters<AdminStore[Name]>[0],
  ) => Awaited<ReturnType<AdminStore[Name]>>;
};

/** What the operator decides, beside the accounts: every method runs inside the caller's transaction. */
export class AdminTables {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** The store's operations by their names. */
  handlers(): Handlers {
    return {
      addInvitation: (params) => this.#addInvitation(params),
      isInvited: ({ codeHash, day }) =>
        this.#sql.get("SELECT 1 FROM invitations WHERE code_hash = ? AND uses_left > 0 AND last_day >= ?", codeHash, day) !== undefined,
      listInvitations: ({ day }) =>
        this.#sql.all<StoredInvitation>(
          `SELECT code_hash AS codeHash, uses_left AS usesLeft, last_day AS lastDay FROM invitations
           WHERE uses_left > 0 AND last_day >= ? ORDER BY code_hash`,
          day,
        ),
      revokeInvitation: ({ prefix }) => this.#revokeInvitation(prefix),
      rules: () => this.#rules(),
      setNameReserved: ({ name, isReserved }) => {
        this.#sql.run(isReserved ? "INSERT OR IGNORE INTO kept_names (name) VALUES (?)" : "DELETE FROM kept_names WHERE name = ?", name);
      },
      setSuspended: (params) => this.#setSuspended(params),
      setSetting: ({ name, value }) => {
        if (value === "") this.#sql.run("DELETE FROM settings WHERE name = ?", name);
        else this.#sql.run("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", name, value);
      },
      listAccounts: ({ after, maxItems }) =>
        this.#sql.all<ListedAccount>(
          `SELECT username,
             (SELECT count(*) FROM devices WHERE account = u.account) AS devices,
             (SELECT history_bytes FROM accounts WHERE id = u.account)
               + (SELECT coalesce(sum(coalesce(length(card), 0)), 0) FROM devices WHERE account = u.account)
               + (SELECT coalesce(sum(coalesce(length(k.package), 0)), 0) FROM key_packages k JOIN devices d ON d.id = k.device
                  WHERE d.account = u.account) AS sizeBytes
           FROM usernames u WHERE username > ? AND ${isHeld} ORDER BY username LIMIT ?`,
          after,
          maxItems,
        ),
    };
  }

  /** Takes one use of an invitation; false when it has none left, or its last day is over. */
  spendInvitation(params: { codeHash: Uint8Array; day: Day }): boolean {
    const { codeHash, day } = params;
    const taken = this.#sql.run(
      "UPDATE invitations SET uses_left = uses_left - 1 WHERE code_hash = ? AND uses_left > 0 AND last_day >= ?",
      codeHash,
      day,
    );
    // Used up, nothing of it is needed any more.
    this.#sql.run("DELETE FROM invitations WHERE code_hash = ? AND uses_left = 0", codeHash);
    return taken.changes === 1;
  }

  /** Since when an account, by its row, is suspended. */
  suspendedSince(account: number): Day | undefined {
    return this.#sql.get<{ day: Day }>("SELECT since_day AS day FROM suspensions WHERE account = ?", account)?.day;
  }

  /** Forgets that an account, by its row, was suspended. */
  endSuspension(account: number): void {
    this.#sql.run("DELETE FROM suspensions WHERE account = ?", account);
  }

  countAccounts(): number {
    return this.#sql.get<{ n: number }>(`SELECT count(*) AS n FROM usernames WHERE ${isHeld}`)?.n ?? 0;
  }

  #addInvitation(params: StoredInvitation & { day: Day; maxItems: number }): boolean {
    const { codeHash, usesLeft, lastDay, day, maxItems } = params;
    this.#sql.run("DELETE FROM invitations WHERE last_day < ?", day);
    if ((this.#sql.get<{ n: number }>("SELECT count(*) AS n FROM invitations")?.n ?? 0) >= maxItems) return false;
    this.#sql.run("INSERT INTO invitations (code_hash, uses_left, last_day) VALUES (?, ?, ?)", codeHash, usesLeft, lastDay);
    return true;
  }

  #revokeInvitation(prefix: Uint8Array): boolean {
    const found = this.#sql.all<{ codeHash: Uint8Array }>(
      "SELECT code_hash AS codeHash FROM invitations WHERE substr(code_hash, 1, ?) = ? LIMIT 2",
      prefix.length,
      prefix,
    );
    const [only] = found;
    if (only === undefined || found.length > 1) return false;
    this.#sql.run("DELETE FROM invitations WHERE code_hash = ?", only.codeHash);
    return true;
  }

  #rules(): StoredRules {
    return {
      reservedNames: this.#sql.all<{ name: string }>("SELECT name FROM kept_names ORDER BY name").map(({ name }) => name),
      suspended: this.#sql.all<{ accountId: Uint8Array; username: string; sinceDay: Day }>(
        `SELECT a.account_id AS accountId, s.since_day AS sinceDay,
           coalesce((SELECT username FROM usernames WHERE account = s.account AND ${isHeld}), '') AS username
         FROM suspensions s JOIN accounts a ON a.id = s.account ORDER BY username`,
      ),
      settings: Object.fromEntries(
        this.#sql
          .all<{ name: string; value: string }>("SELECT name, value FROM settings ORDER BY name")
          .map(({ name, value }) => [name, value]),
      ),
    };
  }

  #setSuspended(params: { username: string; isSuspended: boolean; day: Day }): { accountId: Uint8Array } | undefined {
    const { username, isSuspended, day } = params;
    const found = this.#sql.get<{ account: number; accountId: Uint8Array }>(
      `SELECT a.id AS account, a.account_id AS accountId FROM usernames u JOIN accounts a ON a.id = u.account WHERE u.username = ? AND ${isHeld}`,
      username,
    );
    if (found === undefined) return undefined;
    const { account, accountId } = found;
    if (isSuspended) this.#sql.run("INSERT OR IGNORE INTO suspensions (account, since_day) VALUES (?, ?)", account, day);
    else this.endSuspension(account);
    return { accountId };
  }
}
