import { labelTypes } from "@latchkey/transparency";
import type { AccountHoldings, HeldDevice, HeldInbox, HeldKeyPackage, HeldLabel, HeldState } from "../holdings.ts";
import type { AdminTables } from "./admin-tables.ts";
import type { HistoryTables } from "./history-tables.ts";
import type { Sql, Steps } from "./steps.ts";

/** What is kept of an account, read in an order that does not hang on row numbers. Every method runs inside the caller's transaction. */
export class HoldingsTables {
  readonly #sql: Sql;
  readonly #admin: Pick<AdminTables, "restrictionsOf">;
  readonly #histories: Pick<HistoryTables, "held">;

  constructor(sql: Sql, parts: { admin: Pick<AdminTables, "restrictionsOf">; histories: Pick<HistoryTables, "held"> }) {
    this.#sql = sql;
    this.#admin = parts.admin;
    this.#histories = parts.histories;
  }

  *head({ accountId }: { accountId: Uint8Array }): Steps<AccountHoldings | undefined> {
    const account = yield* this.#sql.get<
      Omit<AccountHoldings["account"], "deletionSize" | "restrictions" | "passphrase" | "passphraseTries">
    >(
      `SELECT id AS row, version, history_bytes AS "historyBytes", updates_day AS "updatesDay", updates AS "updatesThatDay",
         tokens_day AS "tokensDay", tokens AS "tokensThatDay" FROM accounts WHERE account_id = ?`,
      accountId,
    );
    if (account === undefined) return undefined;
    const { row } = account;
    const deletion = yield* this.#sql.get<{ size: number }>(
      "SELECT size FROM directory_deletions WHERE account = ? ORDER BY size LIMIT 1",
      row,
    );
    return {
      account: {
        ...account,
        deletionSize: deletion?.size,
        restrictions: yield* this.#admin.restrictionsOf(row),
        passphrase: yield* this.#sql.get(
          `SELECT recovery_key AS "recoveryKey", record, sealed, set_day AS "setDay", opened_day AS "openedDay" FROM passphrases WHERE account = ?`,
          row,
        ),
        passphraseTries: yield* this.#sql.get(
          `SELECT day, that_day AS "thatDay", in_all AS "inAll" FROM passphrase_tries WHERE account = ?`,
          row,
        ),
      },
      usernames: yield* this.#usernames(row),
      devices: yield* this.#devices(row),
      labels: yield* this.#labels(row, accountId),
      history: yield* this.#histories.held(row),
    };
  }

  *states(params: { accountId: Uint8Array; fromVersion: number; maxBytes: number }): Steps<HeldState[]> {
    const account = yield* this.#sql.get<{ id: number }>("SELECT id FROM accounts WHERE account_id = ?", params.accountId);
    if (account === undefined) return [];
    const found: HeldState[] = [];
    let [bytes, next] = [0, params.fromVersion];
    while (bytes < params.maxBytes) {
      const row = yield* this.#sql.get<{ version: number; day: number; state: Uint8Array }>(
        "SELECT version, day, state FROM account_states WHERE account = ? AND version >= ? ORDER BY version LIMIT 1",
        account.id,
        next,
      );
      if (row === undefined) break;
      const pops = (yield* this.#sql.all<{ pop: Uint8Array }>(
        "SELECT pop FROM account_pops WHERE account = ? AND version = ? ORDER BY position",
        account.id,
        row.version,
      )).map(({ pop }) => pop);
      found.push({ ...row, pops });
      bytes += pops.reduce((sum, { length }) => sum + length, row.state.length);
      next = row.version + 1;
    }
    return found;
  }

  *#usernames(account: number): Steps<AccountHoldings["usernames"]> {
    return (yield* this.#sql.all<{ username: string; bound: number; reserved: number; binding: Uint8Array }>(
      "SELECT username, bound, reserved_until_day AS reserved, binding FROM usernames WHERE account = ? ORDER BY username",
      account,
    )).map(({ username, bound, reserved, binding }) => ({
      username,
      status: bound === 1 ? "bound" : "released",
      reservedUntilDay: reserved === 0 ? undefined : reserved,
      binding,
    }));
  }

  *#devices(account: number): Steps<HeldDevice[]> {
    const rows = yield* this.#sql.all<{ row: number; deviceId: Uint8Array; inbox: number | null; card: Uint8Array | null }>(
      `SELECT id AS row, device_id AS "deviceId", inbox, card FROM devices WHERE account = ? ORDER BY device_id`,
      account,
    );
    const devices: HeldDevice[] = [];
    for (const { row, deviceId, inbox, card } of rows) {
      const held = inbox === null ? undefined : yield* this.#inbox(inbox);
      devices.push({ row, deviceId, card: card ?? undefined, inbox: held, keyPackages: yield* this.#keyPackages(row) });
    }
    return devices;
  }

  *#inbox(row: number): Steps<HeldInbox | undefined> {
    const found = yield* this.#sql.get<Omit<HeldInbox, "capability"> & { generation: number; hash: Uint8Array | null }>(
      `SELECT id AS row, inbox_id AS "inboxId", last_seq AS "lastSeq", items, bytes, stranger_items AS "strangerItems",
         stranger_bytes AS "strangerBytes", capability_generation AS generation, capability_hash AS hash FROM inboxes WHERE id = ?`,
      row,
    );
    if (found === undefined) return undefined;
    const { generation, hash, ...inbox } = found;
    return { ...inbox, capability: hash === null ? undefined : { generation, hash } };
  }

  *#keyPackages(device: number): Steps<HeldKeyPackage[]> {
    return (yield* this.#sql.all<{
      row: number;
      seq: number;
      lastResort: number;
      notAfterDay: number;
      digest: Uint8Array;
      bytes: Uint8Array | null;
    }>(
      `SELECT id AS row, seq, last_resort AS "lastResort", not_after_day AS "notAfterDay", digest, package AS bytes
         FROM key_packages WHERE device = ? ORDER BY seq`,
      device,
    )).map(({ lastResort, bytes, ...row }) => ({ ...row, lastResort: lastResort === 1, bytes: bytes ?? undefined }));
  }

  /** The account's own label, and that of each name that it ever bound, also of those that somebody else has now. */
  *#labels(account: number, accountId: Uint8Array): Steps<HeldLabel[]> {
    const labels = yield* this.#sql.all<{ row: number; type: number; value: Uint8Array; index: Uint8Array; vrfProof: Uint8Array }>(
      `SELECT id AS row, type, name AS value, place AS "index", vrf_proof AS "vrfProof" FROM directory_labels
       WHERE (type = ? AND name = ?) OR id IN (SELECT label FROM directory_values WHERE account = ?) ORDER BY type DESC, name`,
      labelTypes.account,
      accountId,
      account,
    );
    const held: HeldLabel[] = [];
    for (const { type, ...label } of labels) {
      const isOwn = type === labelTypes.account;
      held.push({ ...label, type: isOwn ? "account" : "username", values: yield* this.#values(label.row, isOwn ? undefined : account) });
    }
    return held;
  }

  *#values(label: number, account: number | undefined): Steps<HeldLabel["values"]> {
    return (yield* this.#sql.all<{
      version: number;
      commitment: Uint8Array;
      opening: Uint8Array | null;
      binding: Uint8Array | null;
      isRelease: number;
      username: Uint8Array | null;
    }>(
      `SELECT version, commitment, opening, value AS binding, is_release AS "isRelease",
           (SELECT name FROM directory_labels WHERE id = name_label) AS username
         FROM directory_values WHERE label = ? AND account IS NOT DISTINCT FROM ? ORDER BY version`,
      label,
      account ?? null,
    )).map(({ opening, binding, isRelease, username, ...value }) => ({
      ...value,
      opening: opening ?? undefined,
      binding: binding ?? undefined,
      isRelease: isRelease === 1,
      username: username === null ? undefined : new TextDecoder().decode(username),
    }));
  }
}
