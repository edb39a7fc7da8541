import { equalBytes } from "@latchkey/codec";
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { sha256 } from "../../hash.ts";
import type {
  AccountHead,
  AccountHoldings,
  Day,
  KeyPackageCounts,
  NewState,
  PublishRefusal,
  Refused,
  StoredAccount,
  StoredState,
} from "../store.ts";

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

/** The accounts in SQLite: every method runs inside the caller's transaction. None of this is on the path of a message. */
export class AccountTables {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  accountHead(params: { accountId: Uint8Array }): AccountHead | undefined {
    const account = this.#account(params.accountId);
    if (account === undefined) return undefined;
    const row = this.#get<{ state: Uint8Array }>(
      "SELECT state FROM account_states WHERE account = ? AND version = ?",
      account.id,
      account.version,
    );
    return row === undefined ? undefined : { version: account.version, state: row.state };
  }

  account(params: { accountId: Uint8Array; fromVersion: number; maxBytes: number }): StoredAccount | undefined {
    const account = this.#account(params.accountId);
    if (account === undefined) return undefined;
    const states: StoredState[] = [];
    let bytes = 0;
    for (let version = params.fromVersion; version <= account.version; version++) {
      const stored = this.#state(account.id, version);
      bytes += stored.state.length + stored.pops.reduce((sum, pop) => sum + pop.length, 0);
      if (states.length > 0 && bytes > params.maxBytes) break;
      states.push(stored);
    }
    const name = this.#get<{ binding: Uint8Array }>("SELECT binding FROM usernames WHERE account = ? AND bound = 1", account.id);
    return { accountId: params.accountId, headVersion: account.version, states, binding: name?.binding };
  }

  accountByName(params: { username: string; fromVersion: number; maxBytes: number }): StoredAccount | undefined {
    const row = this.#get<{ account_id: Uint8Array }>(
      "SELECT a.account_id FROM usernames u JOIN accounts a ON a.id = u.account WHERE u.username = ? AND u.bound = 1",
      params.username,
    );
    return row === undefined ? undefined : this.account({ ...params, accountId: row.account_id });
  }

  isNameFree(params: { username: string; day: Day }): boolean {
    const row = this.#name(params.username);
    return row === undefined || (row.bound === 0 && row.reserved_until_day < params.day);
  }

  publishState(next: NewState): { kind: "published" } | Refused<PublishRefusal> {
    const account = this.#account(next.accountId);
    if (account !== undefined && next.version <= account.version) {
      const stored = this.#state(account.id, next.version);
      return equalBytes(stored.state, next.state) ? { kind: "published" } : { kind: "refused", code: "account_conflict" };
    }
    if (next.version !== (account === undefined ? 0 : account.version + 1)) return { kind: "refused", code: "account_conflict" };
    const { bind, release } = next.names;
    if (bind !== undefined) {
      const holder = this.#name(bind.username);
      const isOwn = holder !== undefined && account !== undefined && holder.account === account.id;
      if (!isOwn && !this.isNameFree({ username: bind.username, day: next.day })) return { kind: "refused", code: "username_taken" };
    }
    const bytes = next.state.length + next.pops.reduce((sum, pop) => sum + pop.length, 0);
    const updates = account?.updatesDay === next.day ? account.updates + 1 : 1;
    if (updates > next.maxUpdatesPerDay || (account?.historyBytes ?? 0) + bytes > next.maxHistoryBytes) {
      return { kind: "refused", code: "too_many_updates" };
    }

    const id = account === undefined ? this.#insertAccount(next, bytes) : this.#updateAccount(account, { next, bytes, updates });
    this.#run("INSERT INTO account_states (account, version, day, state) VALUES (?, ?, ?, ?)", id, next.version, next.day, next.state);
    for (const [position, pop] of next.pops.entries()) {
      this.#run("INSERT INTO account_pops (account, version, position, pop) VALUES (?, ?, ?, ?)", id, next.version, position, pop);
    }
    if (release !== undefined) {
      this.#run(
        "UPDATE usernames SET bound = 0, reserved_until_day = ?, binding = ? WHERE username = ? AND account = ?",
        release.reservedUntilDay,
        release.binding,
        release.username,
        id,
      );
    }
    if (bind !== undefined) {
      this.#run(
        "INSERT OR REPLACE INTO usernames (username, account, bound, reserved_until_day, binding) VALUES (?, ?, 1, 0, ?)",
        bind.username,
        id,
        bind.binding,
      );
    }
    this.#dropOtherDevices(id, next.deviceIds);
    return { kind: "published" };
  }

  putCard(params: {
    accountId: Uint8Array;
    deviceId: Uint8Array;
    inboxId: Uint8Array;
    card: Uint8Array;
  }): { kind: "stored" } | Refused<"not_found" | "not_allowed_here"> {
    const account = this.#account(params.accountId);
    if (account === undefined) return { kind: "refused", code: "not_found" };
    const device = this.#device(account.id, params.deviceId);
    const existing = this.#get<{ id: number }>("SELECT id FROM inboxes WHERE inbox_id = ?", params.inboxId);
    if (existing !== undefined && existing.id !== device.inbox) return { kind: "refused", code: "not_allowed_here" };
    if (existing === undefined) {
      if (device.inbox !== null) this.#dropInbox(device.inbox);
      const inbox = Number(this.#run("INSERT INTO inboxes (inbox_id) VALUES (?)", params.inboxId).lastInsertRowid);
      this.#run("UPDATE devices SET inbox = ? WHERE id = ?", inbox, device.id);
    }
    this.#run("UPDATE devices SET card = ? WHERE id = ?", params.card, device.id);
    return { kind: "stored" };
  }

  inboxOf(params: { accountId: Uint8Array; deviceId: Uint8Array }): Uint8Array | undefined {
    const row = this.#get<{ inbox_id: Uint8Array }>(
      `SELECT i.inbox_id FROM accounts a JOIN devices d ON d.account = a.id JOIN inboxes i ON i.id = d.inbox
       WHERE a.account_id = ? AND d.device_id = ?`,
      params.accountId,
      params.deviceId,
    );
    return row?.inbox_id;
  }

  addKeyPackages(params: {
    accountId: Uint8Array;
    deviceId: Uint8Array;
    lastResort: boolean;
    notAfterDay: Day;
    keyPackages: readonly Uint8Array[];
    maxOneTime: number;
    day: Day;
  }): KeyPackageCounts | Refused<"not_found"> {
    const account = this.#account(params.accountId);
    if (account === undefined) return { kind: "refused", code: "not_found" };
    const device = this.#device(account.id, params.deviceId);
    if (params.lastResort) {
      const digest = sha256(params.keyPackages[0] ?? new Uint8Array());
      this.#run("DELETE FROM key_packages WHERE device = ? AND last_resort = 1 AND digest <> ?", device.id, digest);
    }
    let room = params.lastResort ? 1 : params.maxOneTime - this.#count(device.id, params.day).oneTime;
    for (const keyPackage of params.keyPackages) {
      if (room <= 0) break;
      const added = this.#run(
        "INSERT OR IGNORE INTO key_packages (device, last_resort, not_after_day, digest, package) VALUES (?, ?, ?, ?, ?)",
        device.id,
        params.lastResort ? 1 : 0,
        params.notAfterDay,
        sha256(keyPackage),
        keyPackage,
      );
      room -= Number(added.changes);
    }
    return this.#count(device.id, params.day);
  }

  countKeyPackages(params: { accountId: Uint8Array; deviceId: Uint8Array; day: Day }): KeyPackageCounts {
    const account = this.#account(params.accountId);
    const device = account === undefined ? undefined : this.#findDevice(account.id, params.deviceId);
    return device === undefined ? { kind: "counts", oneTime: 0, lastResortNotAfterDay: 0 } : this.#count(device.id, params.day);
  }

  takeKeyPackage(params: {
    accountId: Uint8Array;
    deviceId: Uint8Array;
    day: Day;
  }): { kind: "taken"; card: Uint8Array; keyPackage: Uint8Array; lastResort: boolean } | Refused<"not_found" | "no_key_package"> {
    const account = this.#account(params.accountId);
    if (account === undefined) return { kind: "refused", code: "not_found" };
    const device = this.#findDevice(account.id, params.deviceId);
    if (device === undefined || device.card === null) return { kind: "refused", code: "no_key_package" };
    const row = this.#get<{ id: number; last_resort: number; package: Uint8Array }>(
      `SELECT id, last_resort, package FROM key_packages
       WHERE device = ? AND package IS NOT NULL AND not_after_day > ? ORDER BY last_resort, id LIMIT 1`,
      device.id,
      params.day,
    );
    if (row === undefined) return { kind: "refused", code: "no_key_package" };
    // The row stays until its day, without the package: published again by a late retry, it is not given out again.
    if (row.last_resort === 0) this.#run("UPDATE key_packages SET package = NULL WHERE id = ? AND package IS NOT NULL", row.id);
    return { kind: "taken", card: device.card, keyPackage: row.package, lastResort: row.last_resort === 1 };
  }

  expireKeyPackages(params: { day: Day }): number {
    return Number(this.#run("DELETE FROM key_packages WHERE not_after_day <= ?", params.day).changes);
  }

  holdings(params: { accountId: Uint8Array }): AccountHoldings | undefined {
    const account = this.#account(params.accountId);
    if (account === undefined) return undefined;
    const states = this.#all<{ version: number; day: number }>(
      "SELECT version, day FROM account_states WHERE account = ? ORDER BY version",
      account.id,
    );
    const names = this.#all<{ username: string; bound: number; binding: Uint8Array }>(
      "SELECT username, bound, binding FROM usernames WHERE account = ?",
      account.id,
    );
    const devices = this.#all<{ id: number; device_id: Uint8Array; inbox: number | null; card: Uint8Array | null }>(
      "SELECT id, device_id, inbox, card FROM devices WHERE account = ?",
      account.id,
    );
    return {
      account: {
        version: account.version,
        historyBytes: account.historyBytes,
        updatesDay: account.updatesDay,
        updatesThatDay: account.updates,
      },
      usernames: names.map((name) => ({ username: name.username, status: name.bound === 1 ? "bound" : "released", binding: name.binding })),
      states: states.map(({ version, day }) => ({ day, ...this.#state(account.id, version) })),
      devices: devices.map((device) => {
        const inbox =
          device.inbox === null
            ? undefined
            : this.#get<{ inbox_id: Uint8Array; last_seq: number }>("SELECT inbox_id, last_seq FROM inboxes WHERE id = ?", device.inbox);
        return {
          deviceId: device.device_id,
          card: device.card ?? undefined,
          inboxId: inbox?.inbox_id,
          inboxLastSeq: inbox?.last_seq ?? 0,
          inboxItems: this.#all<{ seq: number; day: number; sizeBytes: number }>(
            "SELECT seq, day, length(blob) AS sizeBytes FROM inbox_items WHERE inbox = ? ORDER BY seq",
            device.inbox ?? 0,
          ),
          keyPackages: this.#all<{ last_resort: number; not_after_day: number; size: number | null }>(
            "SELECT last_resort, not_after_day, length(package) AS size FROM key_packages WHERE device = ? ORDER BY id",
            device.id,
          ).map((row) => ({
            lastResort: row.last_resort === 1,
            notAfterDay: row.not_after_day,
            taken: row.size === null,
            sizeBytes: row.size ?? 0,
          })),
        };
      }),
    };
  }

  #account(accountId: Uint8Array): AccountRow | undefined {
    return this.#get<AccountRow>(
      "SELECT id, version, history_bytes AS historyBytes, updates_day AS updatesDay, updates FROM accounts WHERE account_id = ?",
      accountId,
    );
  }

  #state(account: number, version: number): StoredState {
    const row = this.#get<{ state: Uint8Array }>("SELECT state FROM account_states WHERE account = ? AND version = ?", account, version);
    if (row === undefined) throw new Error("an account has all states up to its version");
    const pops = this.#all<{ pop: Uint8Array }>(
      "SELECT pop FROM account_pops WHERE account = ? AND version = ? ORDER BY position",
      account,
      version,
    );
    return { version, state: row.state, pops: pops.map(({ pop }) => pop) };
  }

  #name(username: string): { account: number; bound: number; reserved_until_day: number } | undefined {
    return this.#get("SELECT account, bound, reserved_until_day FROM usernames WHERE username = ?", username);
  }

  #insertAccount(next: NewState, bytes: number): number {
    const sql = "INSERT INTO accounts (account_id, version, history_bytes, updates_day, updates) VALUES (?, 0, ?, ?, 1)";
    return Number(this.#run(sql, next.accountId, bytes, next.day).lastInsertRowid);
  }

  #updateAccount(account: AccountRow, change: { next: NewState; bytes: number; updates: number }): number {
    const { next, bytes, updates } = change;
    const done = this.#run(
      "UPDATE accounts SET version = ?, history_bytes = history_bytes + ?, updates_day = ?, updates = ? WHERE id = ? AND version = ?",
      next.version,
      bytes,
      next.day,
      updates,
      account.id,
      next.version - 1,
    );
    if (done.changes !== 1) throw new Error("the account changed inside a transaction");
    return account.id;
  }

  #findDevice(account: number, deviceId: Uint8Array): DeviceRow | undefined {
    return this.#get<DeviceRow>("SELECT id, card, inbox FROM devices WHERE account = ? AND device_id = ?", account, deviceId);
  }

  #device(account: number, deviceId: Uint8Array): DeviceRow {
    const found = this.#findDevice(account, deviceId);
    if (found !== undefined) return found;
    const id = Number(this.#run("INSERT INTO devices (account, device_id) VALUES (?, ?)", account, deviceId).lastInsertRowid);
    return { id, card: null, inbox: null };
  }

  #count(device: number, day: Day): KeyPackageCounts {
    const row = this.#get<{ oneTime: number; lastResort: number | null }>(
      `SELECT coalesce(sum(last_resort = 0), 0) AS oneTime, max(CASE WHEN last_resort = 1 THEN not_after_day END) AS lastResort
       FROM key_packages WHERE device = ? AND package IS NOT NULL AND not_after_day > ?`,
      device,
      day,
    );
    return { kind: "counts", oneTime: row?.oneTime ?? 0, lastResortNotAfterDay: row?.lastResort ?? 0 };
  }

  #dropOtherDevices(account: number, keep: readonly Uint8Array[]): void {
    for (const device of this.#all<{ id: number; device_id: Uint8Array; inbox: number | null }>(
      "SELECT id, device_id, inbox FROM devices WHERE account = ?",
      account,
    )) {
      if (keep.some((id) => equalBytes(id, device.device_id))) continue;
      this.#run("DELETE FROM key_packages WHERE device = ?", device.id);
      this.#run("DELETE FROM devices WHERE id = ?", device.id);
      if (device.inbox !== null) this.#dropInbox(device.inbox);
    }
  }

  #dropInbox(inbox: number): void {
    this.#run("DELETE FROM inbox_items WHERE inbox = ?", inbox);
    this.#run("DELETE FROM inboxes WHERE id = ?", inbox);
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  // The row types name the columns of the statement beside them; SQLite's STRICT tables hold these types only.
  #get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined;
  }

  #all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values) as Row[];
  }

  #run(sql: string, ...values: SQLInputValue[]): { changes: number | bigint; lastInsertRowid: number | bigint } {
    return this.#statement(sql).run(...values);
  }
}
