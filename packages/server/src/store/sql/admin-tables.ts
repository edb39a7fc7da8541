import type { AdminStore, ListedAccount, StoredInvitation, StoredRules } from "../admin-store.ts";
import type { Day, StoredRestriction } from "../accounts.ts";
import type { Sql, Steps } from "./steps.ts";

/** A name that counts: bound, and not that of a deleted account. */
const isHeld = "bound = 1 AND reserved_until_day = 0";

const restrictionColumns = `what, by, since_day AS "sinceDay", until_day AS "untilDay"`;

type RestrictionRow = Omit<StoredRestriction, "untilDay"> & { readonly untilDay: Day | null };

function readRestriction({ untilDay, ...row }: RestrictionRow): StoredRestriction {
  return { ...row, untilDay: untilDay ?? undefined };
}

type Handlers = {
  readonly [Name in Exclude<keyof AdminStore, "totals">]: (
    params: Parameters<AdminStore[Name]>[0],
  ) => Steps<Awaited<ReturnType<AdminStore[Name]>>>;
};

/** What the operator decides, beside the accounts: every method runs inside the caller's transaction. */
export class AdminTables {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** The store's operations by their names. */
  handlers(): Handlers {
    const sql = this.#sql;
    return {
      addInvitation: (params) => this.#addInvitation(params),
      *isInvited({ codeHash, day }) {
        const text = "SELECT 1 FROM invitations WHERE code_hash = ? AND uses_left > 0 AND last_day >= ?";
        return (yield* sql.get(text, codeHash, day)) !== undefined;
      },
      listInvitations: ({ day }) =>
        sql.all<StoredInvitation>(
          `SELECT code_hash AS "codeHash", uses_left AS "usesLeft", last_day AS "lastDay" FROM invitations
           WHERE uses_left > 0 AND last_day >= ? ORDER BY code_hash`,
          day,
        ),
      revokeInvitation: ({ prefix }) => this.#revokeInvitation(prefix),
      rules: () => this.#rules(),
      *setNameReserved({ name, isReserved }) {
        const add = "INSERT INTO kept_names (name) VALUES (?) ON CONFLICT DO NOTHING";
        yield* sql.run(isReserved ? add : "DELETE FROM kept_names WHERE name = ?", name);
      },
      accountOfName: ({ username }) => this.#accountOfName(username),
      setSuspended: (params) => this.#setSuspended(params),
      setRestrictions: (params) => this.#setRestrictions(params),
      expireRestrictions: ({ day }) => sql.run("DELETE FROM restrictions WHERE until_day <= ?", day),
      *setSetting({ name, value }) {
        const set = "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        if (value === "") yield* sql.run("DELETE FROM settings WHERE name = ?", name);
        else yield* sql.run(set, name, value);
      },
      listAccounts: ({ after, maxItems }) =>
        sql.all<ListedAccount>(
          `SELECT username,
             (SELECT count(*) FROM devices WHERE account = u.account) AS devices,
             (SELECT history_bytes FROM accounts WHERE id = u.account)
               + (SELECT coalesce(sum(coalesce(length(card), 0)), 0) FROM devices WHERE account = u.account)
               + (SELECT coalesce(sum(coalesce(length(k.package), 0)), 0) FROM key_packages k JOIN devices d ON d.id = k.device
                  WHERE d.account = u.account) AS "sizeBytes"
           FROM usernames u WHERE username > ? AND ${isHeld} ORDER BY username LIMIT ?`,
          after,
          maxItems,
        ),
    };
  }

  /** Takes one use of an invitation; false when it has none left, or its last day is over. */
  *spendInvitation(params: { codeHash: Uint8Array; day: Day }): Steps<boolean> {
    const { codeHash, day } = params;
    const taken = yield* this.#sql.run(
      "UPDATE invitations SET uses_left = uses_left - 1 WHERE code_hash = ? AND uses_left > 0 AND last_day >= ?",
      codeHash,
      day,
    );
    // Used up, nothing of it is needed any more.
    yield* this.#sql.run("DELETE FROM invitations WHERE code_hash = ? AND uses_left = 0", codeHash);
    return taken === 1;
  }

  /** What is taken from an account, by its row. */
  *restrictionsOf(account: number): Steps<StoredRestriction[]> {
    const sql = `SELECT ${restrictionColumns} FROM restrictions WHERE account = ? ORDER BY what, by`;
    return (yield* this.#sql.all<RestrictionRow>(sql, account)).map(readRestriction);
  }

  /** Forgets what was taken from an account, by its row. */
  *endRestrictions(account: number): Steps<void> {
    yield* this.#sql.run("DELETE FROM restrictions WHERE account = ?", account);
  }

  *countAccounts(): Steps<number> {
    return (yield* this.#sql.get<{ n: number }>(`SELECT count(*) AS n FROM usernames WHERE ${isHeld}`))?.n ?? 0;
  }

  *#addInvitation(params: StoredInvitation & { day: Day; maxItems: number }): Steps<boolean> {
    const { codeHash, usesLeft, lastDay, day, maxItems } = params;
    yield* this.#sql.run("DELETE FROM invitations WHERE last_day < ?", day);
    if (((yield* this.#sql.get<{ n: number }>("SELECT count(*) AS n FROM invitations"))?.n ?? 0) >= maxItems) return false;
    yield* this.#sql.run("INSERT INTO invitations (code_hash, uses_left, last_day) VALUES (?, ?, ?)", codeHash, usesLeft, lastDay);
    return true;
  }

  *#revokeInvitation(prefix: Uint8Array): Steps<boolean> {
    const found = yield* this.#sql.all<{ codeHash: Uint8Array }>(
      `SELECT code_hash AS "codeHash" FROM invitations WHERE substr(code_hash, 1, ?) = ? LIMIT 2`,
      prefix.length,
      prefix,
    );
    const [only] = found;
    if (only === undefined || found.length > 1) return false;
    yield* this.#sql.run("DELETE FROM invitations WHERE code_hash = ?", only.codeHash);
    return true;
  }

  *#rules(): Steps<StoredRules> {
    return {
      reservedNames: (yield* this.#sql.all<{ name: string }>("SELECT name FROM kept_names ORDER BY name")).map(({ name }) => name),
      restricted: (yield* this.#sql.all<RestrictionRow & { accountId: Uint8Array; username: string }>(
        `SELECT a.account_id AS "accountId", ${restrictionColumns},
             coalesce((SELECT username FROM usernames WHERE account = r.account AND ${isHeld}), '') AS username
           FROM restrictions r JOIN accounts a ON a.id = r.account ORDER BY username, a.account_id, what, by`,
      )).map(({ accountId, username, ...row }) => ({ accountId, username, ...readRestriction(row) })),
      settings: Object.fromEntries(
        (yield* this.#sql.all<{ name: string; value: string }>("SELECT name, value FROM settings ORDER BY name")).map(({ name, value }) => [
          name,
          value,
        ]),
      ),
    };
  }

  *#accountOfName(username: string): Steps<{ accountId: Uint8Array } | undefined> {
    const found = yield* this.#holder(username);
    return found === undefined ? undefined : { accountId: found.accountId };
  }

  /** Who has a name now. */
  *#holder(username: string): Steps<{ account: number; accountId: Uint8Array } | undefined> {
    return yield* this.#sql.get<{ account: number; accountId: Uint8Array }>(
      `SELECT a.id AS account, a.account_id AS "accountId" FROM usernames u JOIN accounts a ON a.id = u.account WHERE u.username = ? AND ${isHeld}`,
      username,
    );
  }

  *#setSuspended(params: { username: string; isSuspended: boolean; day: Day }): Steps<{ accountId: Uint8Array } | undefined> {
    const { username, isSuspended, day } = params;
    const found = yield* this.#holder(username);
    if (found === undefined) return undefined;
    const { account, accountId } = found;
    if (isSuspended) {
      const sql = "INSERT INTO restrictions (account, what, by, since_day) VALUES (?, 'suspended', 'operator', ?) ON CONFLICT DO NOTHING";
      yield* this.#sql.run(sql, account, day);
    } else yield* this.#sql.run("DELETE FROM restrictions WHERE account = ? AND what = 'suspended' AND by = 'operator'", account);
    return { accountId };
  }

  *#setRestrictions(params: { accountId: Uint8Array; restrictions: readonly Omit<StoredRestriction, "by">[] }): Steps<void> {
    const account = (yield* this.#sql.get<{ id: number }>("SELECT id FROM accounts WHERE account_id = ?", params.accountId))?.id;
    if (account === undefined) return;
    yield* this.#sql.run("DELETE FROM restrictions WHERE account = ? AND by = 'desk'", account);
    const sql = "INSERT INTO restrictions (account, what, by, since_day, until_day) VALUES (?, ?, 'desk', ?, ?)";
    for (const { what, sinceDay, untilDay } of params.restrictions) yield* this.#sql.run(sql, account, what, sinceDay, untilDay ?? null);
  }
}
