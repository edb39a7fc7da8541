import { equalBytes } from "@latchkey/codec";
import { sha256 } from "../../hash.ts";
import type { Day, NewState, PublishRefusal, Refused } from "../accounts.ts";
import type { AccountHead, KeyPackageCounts } from "../store.ts";
import type { AccountChange } from "../directory-store.ts";
import type { AdminTables } from "./admin-tables.ts";
import type { HistoryTables } from "./history-tables.ts";
import { maxSeq, randomId, randomRef, rowId } from "./row-ids.ts";
import type { Sql, Steps } from "./steps.ts";
import type { SpentToken } from "../token-store.ts";
import type { SpentTokens } from "./token-tables.ts";

interface AccountRow {
  readonly id: number;
  readonly version: number;
  readonly historyBytes: number;
  readonly updatesDay: Day;
  readonly updates: number;
}

interface DeviceRow {
  readonly id: number;
  readonly card: Uint8Array | null;
  readonly inbox: number | null;
}

/** Items of an inbox that go in the same transaction as the inbox. */
const droppedAtOnce = 200;

/** The accounts in SQLite: every method runs inside the caller's transaction. None of this is on the path of a message. */
export class AccountTables {
  readonly #sql: Sql;
  readonly #admin: Pick<AdminTables, "spendInvitation" | "countAccounts" | "endRestrictions">;

  readonly #spent: SpentTokens;
  readonly #histories: Pick<HistoryTables, "eraseOf">;

  constructor(
    sql: Sql,
    parts: {
      admin: Pick<AdminTables, "spendInvitation" | "countAccounts" | "endRestrictions">;
      spent: SpentTokens;
      histories: Pick<HistoryTables, "eraseOf">;
    },
  ) {
    this.#sql = sql;
    this.#admin = parts.admin;
    this.#spent = parts.spent;
    this.#histories = parts.histories;
  }

  *accountHead(params: { accountId: Uint8Array }): Steps<AccountHead | undefined> {
    const account = yield* this.#account(params.accountId);
    if (account === undefined) return undefined;
    const row = yield* this.#sql.get<{ state: Uint8Array }>(
      "SELECT state FROM account_states WHERE account = ? AND version = ?",
      account.id,
      account.version,
    );
    return row === undefined ? undefined : { version: account.version, state: row.state };
  }

  *isNameFree(params: { username: string; day: Day }): Steps<boolean> {
    const row = yield* this.#name(params.username);
    // A name that is bound and held until a day is a deleted account's that did not release it.
    return row === undefined || ((row.bound === 0 || row.reserved_until_day > 0) && row.reserved_until_day < params.day);
  }

  /** Whether a state of this version is stored: `known` where it is this one. `undefined` where none is. */
  *storedAlready(next: Pick<NewState, "accountId" | "version" | "state">): Steps<{ kind: "known" } | Refused<PublishRefusal> | undefined> {
    const account = yield* this.#account(next.accountId);
    if (account === undefined || next.version > account.version) return undefined;
    const stored = yield* this.#findState(account.id, next.version);
    const isSame = stored !== undefined && equalBytes(stored.state, next.state);
    return isSame ? { kind: "known" } : { kind: "refused", code: "account_conflict" };
  }

  /** Compare-and-swap of an account's head (spec A-2). Answers the account's row. */
  *applyState(next: AccountChange): Steps<{ kind: "published"; account: number } | { kind: "known" } | Refused<PublishRefusal>> {
    const stored = yield* this.storedAlready(next);
    if (stored !== undefined) return stored;
    const account = yield* this.#account(next.accountId);
    if (next.version !== (account === undefined ? 0 : account.version + 1)) return { kind: "refused", code: "account_conflict" };
    const { bind, release } = next.names;
    if (bind !== undefined) {
      const holder = yield* this.#name(bind.username);
      const isOwn = holder !== undefined && account !== undefined && holder.account === account.id;
      if (!isOwn && !(yield* this.isNameFree({ username: bind.username, day: next.day })))
        return { kind: "refused", code: "username_taken" };
    }
    const signed = [...next.pops, ...[bind, release].flatMap((name) => name?.binding ?? [])];
    const bytes = signed.reduce((sum, one) => sum + one.length, next.state.length);
    const updates = account?.updatesDay === next.day ? account.updates + 1 : 1;
    if (updates > next.maxUpdatesPerDay || (account?.historyBytes ?? 0) + bytes > next.maxHistoryBytes) {
      return { kind: "refused", code: "too_many_updates" };
    }
    if (account === undefined && !(yield* this.#mayRegister(next))) return { kind: "refused", code: "registration_closed" };

    const id =
      account === undefined ? yield* this.#insertAccount(next, bytes) : yield* this.#updateAccount(account, { next, bytes, updates });
    yield* this.#sql.run(
      "INSERT INTO account_states (account, version, day, state) VALUES (?, ?, ?, ?)",
      id,
      next.version,
      next.day,
      next.state,
    );
    for (const [position, pop] of next.pops.entries()) {
      yield* this.#sql.run(
        "INSERT INTO account_pops (account, version, position, pop) VALUES (?, ?, ?, ?)",
        id,
        next.version,
        position,
        pop,
      );
    }
    if (release !== undefined) {
      yield* this.#sql.run(
        "UPDATE usernames SET bound = 0, reserved_until_day = ?, binding = ? WHERE username = ? AND account = ?",
        release.reservedUntilDay,
        release.binding,
        release.username,
        id,
      );
    }
    if (bind !== undefined) {
      yield* this.#sql.run(
        `INSERT INTO usernames (username, account, bound, reserved_until_day, binding) VALUES (?, ?, 1, 0, ?)
         ON CONFLICT (username) DO UPDATE SET account = excluded.account, bound = 1, reserved_until_day = 0, binding = excluded.binding`,
        bind.username,
        id,
        bind.binding,
      );
    }
    if (next.deletion !== undefined) {
      const hold = "UPDATE usernames SET reserved_until_day = ? WHERE account = ? AND bound = 1";
      yield* this.#sql.run(hold, next.deletion.reservedUntilDay, id);
    }
    yield* this.#dropOtherDevices(id, next.deviceIds);
    return { kind: "published", account: id };
  }

  /** Erases what a deleted account leaves behind: its last state stays, and the release of its name, for those who knew it. */
  *eraseDeleted(account: number): Steps<void> {
    const row = yield* this.#sql.get<{ accountId: Uint8Array; version: number }>(
      `SELECT account_id AS "accountId", version FROM accounts WHERE id = ?`,
      account,
    );
    if (row === undefined) return;
    yield* this.#sql.run("DELETE FROM account_states WHERE account = ? AND version < ?", account, row.version);
    yield* this.#sql.run("DELETE FROM account_pops WHERE account = ?", account);
    yield* this.#admin.endRestrictions(account);
    yield* this.#sql.run("DELETE FROM passphrases WHERE account = ?", account);
    yield* this.#sql.run("DELETE FROM passphrase_tries WHERE account = ?", account);
    yield* this.#histories.eraseOf(account);
    yield* this.#sql.run(
      `UPDATE directory_values SET opening = NULL
       WHERE label = (SELECT id FROM directory_labels WHERE type = 2 AND name = ?) AND version <= ?`,
      row.accountId,
      row.version,
    );
    // A binding that nothing released stays too: it is what the name's label says.
    yield* this.#sql.run(
      `UPDATE directory_values AS v SET opening = NULL, value = NULL
       WHERE v.account = ? AND v.is_release = 0 AND v.version < (SELECT max(o.version) FROM directory_values o WHERE o.label = v.label)`,
      account,
    );
    yield* this.#sql.run(
      `UPDATE accounts SET history_bytes = (SELECT coalesce(sum(length(state)), 0) FROM account_states WHERE account = ?),
         updates_day = 0, updates = 0, tokens_day = 0, tokens = 0
       WHERE id = ?`,
      account,
      account,
    );
  }

  *putCard(params: {
    accountId: Uint8Array;
    deviceId: Uint8Array;
    inboxId: Uint8Array;
    card: Uint8Array;
  }): Steps<{ kind: "stored" } | Refused<"not_found" | "not_allowed_here">> {
    const account = yield* this.#account(params.accountId);
    if (account === undefined) return { kind: "refused", code: "not_found" };
    const device = yield* this.#device(account.id, params.deviceId);
    const existing = yield* this.#sql.get<{ id: number }>("SELECT id FROM inboxes WHERE inbox_id = ?", params.inboxId);
    if (existing !== undefined && existing.id !== device.inbox) return { kind: "refused", code: "not_allowed_here" };
    if (existing === undefined) {
      if (device.inbox !== null) yield* this.#dropInbox(device.inbox);
      const inbox = yield* randomRef((ref) => this.#isInboxTaken(ref));
      yield* this.#sql.run("INSERT INTO inboxes (id, inbox_id) VALUES (?, ?)", inbox, params.inboxId);
      yield* this.#sql.run("UPDATE devices SET inbox = ? WHERE id = ?", inbox, device.id);
    }
    yield* this.#sql.run("UPDATE devices SET card = ? WHERE id = ?", params.card, device.id);
    return { kind: "stored" };
  }

  *inboxOf(params: { accountId: Uint8Array; deviceId: Uint8Array }): Steps<Uint8Array | undefined> {
    const row = yield* this.#sql.get<{ inbox_id: Uint8Array }>(
      `SELECT i.inbox_id FROM accounts a JOIN devices d ON d.account = a.id JOIN inboxes i ON i.id = d.inbox
       WHERE a.account_id = ? AND d.device_id = ?`,
      params.accountId,
      params.deviceId,
    );
    return row?.inbox_id;
  }

  *addKeyPackages(params: {
    accountId: Uint8Array;
    deviceId: Uint8Array;
    lastResort: boolean;
    notAfterDay: Day;
    keyPackages: readonly Uint8Array[];
    maxOneTime: number;
    day: Day;
  }): Steps<KeyPackageCounts | Refused<"not_found">> {
    const account = yield* this.#account(params.accountId);
    if (account === undefined) return { kind: "refused", code: "not_found" };
    const device = yield* this.#device(account.id, params.deviceId);
    if (params.lastResort) {
      const digest = sha256(params.keyPackages[0] ?? new Uint8Array());
      yield* this.#sql.run("DELETE FROM key_packages WHERE device = ? AND last_resort = 1 AND digest <> ?", device.id, digest);
    }
    let seq =
      (yield* this.#sql.get<{ last: number | null }>("SELECT max(seq) AS last FROM key_packages WHERE device = ?", device.id))?.last ?? 0;
    let room = params.lastResort ? 1 : params.maxOneTime - (yield* this.#count(device.id, params.day)).oneTime;
    for (const keyPackage of params.keyPackages) {
      if (room <= 0) break;
      const added = yield* this.#sql.run(
        `INSERT INTO key_packages (id, device, seq, last_resort, not_after_day, digest, package) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING`,
        randomId(),
        device.id,
        ++seq,
        params.lastResort ? 1 : 0,
        params.notAfterDay,
        sha256(keyPackage),
        keyPackage,
      );
      room -= added;
    }
    return yield* this.#count(device.id, params.day);
  }

  *countKeyPackages(params: { accountId: Uint8Array; deviceId: Uint8Array; day: Day }): Steps<KeyPackageCounts> {
    const account = yield* this.#account(params.accountId);
    const device = account === undefined ? undefined : yield* this.#findDevice(account.id, params.deviceId);
    return device === undefined ? { kind: "counts", oneTime: 0, lastResortNotAfterDay: 0 } : yield* this.#count(device.id, params.day);
  }

  *takeKeyPackage(params: {
    accountId: Uint8Array;
    deviceId: Uint8Array;
    day: Day;
    onlyLastResort?: boolean;
    token?: SpentToken | undefined;
  }): Steps<
    | { kind: "taken"; card: Uint8Array; keyPackage: Uint8Array; lastResort: boolean }
    | Refused<"not_found" | "no_key_package" | "token_invalid">
  > {
    const account = yield* this.#account(params.accountId);
    if (account === undefined) return { kind: "refused", code: "not_found" };
    const device = yield* this.#findDevice(account.id, params.deviceId);
    if (device === undefined || device.card === null) return { kind: "refused", code: "no_key_package" };
    const row = yield* this.#sql.get<{ id: number; last_resort: number; package: Uint8Array }>(
      `SELECT id, last_resort, package FROM key_packages
       WHERE device = ? AND package IS NOT NULL AND not_after_day > ? AND last_resort >= ? ORDER BY last_resort, seq LIMIT 1`,
      device.id,
      params.day,
      params.onlyLastResort === true ? 1 : 0,
    );
    if (row === undefined) return { kind: "refused", code: "no_key_package" };
    // The row stays until its day, without the package: published again by a late retry, it is not given out again.
    if (row.last_resort === 0 && !(yield* this.#spent.spend(params.token))) return { kind: "refused", code: "token_invalid" };
    if (row.last_resort === 0) yield* this.#sql.run("UPDATE key_packages SET package = NULL WHERE id = ? AND package IS NOT NULL", row.id);
    return { kind: "taken", card: device.card, keyPackage: row.package, lastResort: row.last_resort === 1 };
  }

  *card(params: { accountId: Uint8Array; deviceId: Uint8Array }): Steps<Uint8Array | undefined> {
    const account = yield* this.#account(params.accountId);
    return account === undefined ? undefined : ((yield* this.#findDevice(account.id, params.deviceId))?.card ?? undefined);
  }

  *expireKeyPackages(params: { day: Day; maxItems: number }): Steps<number> {
    const sql = "DELETE FROM key_packages WHERE id IN (SELECT id FROM key_packages WHERE not_after_day <= ? LIMIT ?)";
    return yield* this.#sql.run(sql, params.day, params.maxItems);
  }

  /** Takes the use of an invitation that a new account needs: with the account itself, or not at all. */
  *#mayRegister({ invitation, maxAccounts, day }: AccountChange): Steps<boolean> {
    if (maxAccounts > 0 && (yield* this.#admin.countAccounts()) >= maxAccounts) return false;
    return invitation === undefined || (yield* this.#admin.spendInvitation({ codeHash: invitation, day }));
  }

  *#account(accountId: Uint8Array): Steps<AccountRow | undefined> {
    return yield* this.#sql.get<AccountRow>(
      `SELECT id, version, history_bytes AS "historyBytes", updates_day AS "updatesDay", updates FROM accounts WHERE account_id = ?`,
      accountId,
    );
  }

  *#findState(account: number, version: number): Steps<{ state: Uint8Array } | undefined> {
    return yield* this.#sql.get("SELECT state FROM account_states WHERE account = ? AND version = ?", account, version);
  }

  *#name(username: string): Steps<{ account: number; bound: number; reserved_until_day: number } | undefined> {
    return yield* this.#sql.get("SELECT account, bound, reserved_until_day FROM usernames WHERE username = ?", username);
  }

  *#insertAccount(next: NewState, bytes: number): Steps<number> {
    const id = randomId();
    const sql = "INSERT INTO accounts (id, account_id, version, history_bytes, updates_day, updates) VALUES (?, ?, 0, ?, ?, 1)";
    yield* this.#sql.run(sql, id, next.accountId, bytes, next.day);
    return id;
  }

  *#updateAccount(account: AccountRow, change: { next: NewState; bytes: number; updates: number }): Steps<number> {
    const { next, bytes, updates } = change;
    const done = yield* this.#sql.run(
      "UPDATE accounts SET version = ?, history_bytes = history_bytes + ?, updates_day = ?, updates = ? WHERE id = ? AND version = ?",
      next.version,
      bytes,
      next.day,
      updates,
      account.id,
      next.version - 1,
    );
    if (done !== 1) throw new Error("the account changed inside a transaction");
    return account.id;
  }

  *#findDevice(account: number, deviceId: Uint8Array): Steps<DeviceRow | undefined> {
    return yield* this.#sql.get<DeviceRow>("SELECT id, card, inbox FROM devices WHERE account = ? AND device_id = ?", account, deviceId);
  }

  *#device(account: number, deviceId: Uint8Array): Steps<DeviceRow> {
    const found = yield* this.#findDevice(account, deviceId);
    if (found !== undefined) return found;
    const id = randomId();
    yield* this.#sql.run("INSERT INTO devices (id, account, device_id) VALUES (?, ?, ?)", id, account, deviceId);
    return { id, card: null, inbox: null };
  }

  *#count(device: number, day: Day): Steps<KeyPackageCounts> {
    const row = yield* this.#sql.get<{ oneTime: number; lastResort: number | null }>(
      `SELECT coalesce(sum(1 - last_resort), 0) AS "oneTime", max(CASE WHEN last_resort = 1 THEN not_after_day END) AS "lastResort"
       FROM key_packages WHERE device = ? AND package IS NOT NULL AND not_after_day > ?`,
      device,
      day,
    );
    return { kind: "counts", oneTime: row?.oneTime ?? 0, lastResortNotAfterDay: row?.lastResort ?? 0 };
  }

  *#dropOtherDevices(account: number, keep: readonly Uint8Array[]): Steps<void> {
    for (const device of yield* this.#sql.all<{ id: number; device_id: Uint8Array; inbox: number | null }>(
      "SELECT id, device_id, inbox FROM devices WHERE account = ?",
      account,
    )) {
      if (keep.some((id) => equalBytes(id, device.device_id))) continue;
      yield* this.#sql.run("DELETE FROM key_packages WHERE device = ?", device.id);
      yield* this.#sql.run("DELETE FROM devices WHERE id = ?", device.id);
      if (device.inbox !== null) yield* this.#dropInbox(device.inbox);
    }
  }

  /** What many items there are is purged in slices: nobody waits for it. */
  *#dropInbox(inbox: number): Steps<void> {
    const { items = 0 } = (yield* this.#sql.get<{ items: number }>("SELECT items FROM inboxes WHERE id = ?", inbox)) ?? {};
    if (items > droppedAtOnce) yield* this.#sql.run("INSERT INTO dropped_inboxes (id) VALUES (?)", inbox);
    else yield* this.#sql.run("DELETE FROM inbox_items WHERE id > ? AND id <= ?", rowId(inbox, 0), rowId(inbox, maxSeq));
    yield* this.#sql.run("DELETE FROM inboxes WHERE id = ?", inbox);
  }

  *#isInboxTaken(ref: number): Steps<boolean> {
    return (
      (yield* this.#sql.get("SELECT 1 FROM inboxes WHERE id = ? UNION ALL SELECT 1 FROM dropped_inboxes WHERE id = ?", ref, ref)) !==
      undefined
    );
  }
}
