import { labelTypes } from "@latchkey/transparency";
import type { AccountHoldings, HeldDevice, HeldInbox, HeldKeyPackage, HeldLabel, HeldState } from "../holdings.ts";
import type { AdminTables } from "./admin-tables.ts";
import type { HistoryTables } from "./history-tables.ts";
import type { Statements } from "./statements.ts";

/** What is kept of an account, read in an order that does not hang on row numbers. Every method runs inside the caller's transaction. */
export class HoldingsTables {
  readonly #sql: Statements;
  readonly #admin: Pick<AdminTables, "restrictionsOf">;
  readonly #histories: Pick<HistoryTables, "held">;

  constructor(sql: Statements, parts: { admin: Pick<AdminTables, "restrictionsOf">; histories: Pick<HistoryTables, "held"> }) {
    this.#sql = sql;
    this.#admin = parts.admin;
    this.#histories = parts.histories;
  }

  head({ accountId }: { accountId: Uint8Array }): AccountHoldings | undefined {
    const account = this.#sql.get<Omit<AccountHoldings["account"], "deletionSize" | "restrictions" | "passphrase" | "passphraseTries">>(
      `SELECT id AS row, version, history_bytes AS historyBytes, updates_day AS updatesDay, updates AS updatesThatDay,
         tokens_day AS tokensDay, tokens AS tokensThatDay FROM accounts WHERE account_id = ?`,
      accountId,
    );
    if (account === undefined) return undefined;
    const { row } = account;
    const deletion = this.#sql.get<{ size: number }>("SELECT size FROM directory_deletions WHERE account = ? ORDER BY size LIMIT 1", row);
    return {
      account: {
        ...account,
        deletionSize: deletion?.size,
        restrictions: this.#admin.restrictionsOf(row),
        passphrase: this.#sql.get(
          "SELECT recovery_key AS recoveryKey, record, sealed, set_day AS setDay, opened_day AS openedDay FROM passphrases WHERE account = ?",
          row,
        ),
        passphraseTries: this.#sql.get("SELECT day, that_day AS thatDay, in_all AS inAll FROM passphrase_tries WHERE account = ?", row),
      },
      usernames: this.#usernames(row),
      devices: this.#devices(row),
      labels: this.#labels(row, accountId),
      history: this.#histories.held(row),
    };
  }

  states(params: { accountId: Uint8Array; fromVersion: number; maxBytes: number }): HeldState[] {
    const account = this.#sql.get<{ id: number }>("SELECT id FROM accounts WHERE account_id = ?", params.accountId);
    if (account === undefined) return [];
    const found: HeldState[] = [];
    let [bytes, next] = [0, params.fromVersion];
    while (bytes < params.maxBytes) {
      const row = this.#sql.get<{ version: number; day: number; state: Uint8Array }>(
        "SELECT version, day, state FROM account_states WHERE account = ? AND version >= ? ORDER BY version LIMIT 1",
        account.id,
        next,
      );
      if (row === undefined) break;
      const pops = this.#sql
        .all<{ pop: Uint8Array }>(
          "SELECT pop FROM account_pops WHERE account = ? AND version = ? ORDER BY position",
          account.id,
          row.version,
        )
        .map(({ pop }) => pop);
      found.push({ ...row, pops });
      bytes += pops.reduce((sum, { length }) => sum + length, row.state.length);
      next = row.version + 1;
    }
    return found;
  }

  #usernames(account: number): AccountHoldings["usernames"] {
    return this.#sql
      .all<{ username: string; bound: number; reserved: number; binding: Uint8Array }>(
        "SELECT username, bound, reserved_until_day AS reserved, binding FROM usernames WHERE account = ? ORDER BY username",
        account,
      )
      .map(({ username, bound, reserved, binding }) => ({
        username,
        status: bound === 1 ? "bound" : "released",
        reservedUntilDay: reserved === 0 ? undefined : reserved,
        binding,
      }));
  }

  #devices(account: number): HeldDevice[] {
    return this.#sql
      .all<{ row: number; deviceId: Uint8Array; inbox: number | null; card: Uint8Array | null }>(
        "SELECT id AS row, device_id AS deviceId, inbox, card FROM devices WHERE account = ? ORDER BY device_id",
        account,
      )
      .map(({ row, deviceId, inbox, card }) => ({
        row,
        deviceId,
        card: card ?? undefined,
        inbox: inbox === null ? undefined : this.#inbox(inbox),
        keyPackages: this.#keyPackages(row),
      }));
  }

  #inbox(row: number): HeldInbox | undefined {
    const found = this.#sql.get<Omit<HeldInbox, "capability"> & { generation: number; hash: Uint8Array | null }>(
      `SELECT id AS row, inbox_id AS inboxId, last_seq AS lastSeq, items, bytes, stranger_items AS strangerItems,
         stranger_bytes AS strangerBytes, capability_generation AS generation, capability_hash AS hash FROM inboxes WHERE id = ?`,
      row,
    );
    if (found === undefined) return undefined;
    const { generation, hash, ...inbox } = found;
    return { ...inbox, capability: hash === null ? undefined : { generation, hash } };
  }

  #keyPackages(device: number): HeldKeyPackage[] {
    return this.#sql
      .all<{ row: number; seq: number; lastResort: number; notAfterDay: number; digest: Uint8Array; bytes: Uint8Array | null }>(
        `SELECT id AS row, seq, last_resort AS lastResort, not_after_day AS notAfterDay, digest, package AS bytes
         FROM key_packages WHERE device = ? ORDER BY seq`,
        device,
      )
      .map(({ lastResort, bytes, ...row }) => ({ ...row, lastResort: lastResort === 1, bytes: bytes ?? undefined }));
  }

  /** The account's own label, and that of each name that it ever bound, also of those that somebody else has now. */
  #labels(account: number, accountId: Uint8Array): HeldLabel[] {
    const labels = this.#sql.all<{ row: number; type: number; value: Uint8Array; index: Uint8Array; vrfProof: Uint8Array }>(
      `SELECT id AS row, type, name AS value, place AS "index", vrf_proof AS vrfProof FROM directory_labels
       WHERE (type = ? AND name = ?) OR id IN (SELECT label FROM directory_values WHERE account = ?) ORDER BY type DESC, name`,
      labelTypes.account,
      accountId,
      account,
    );
    return labels.map(({ type, ...label }) => {
      const isOwn = type === labelTypes.account;
      return { ...label, type: isOwn ? "account" : "username", values: this.#values(label.row, isOwn ? undefined : account) };
    });
  }

  #values(label: number, account: number | undefined): HeldLabel["values"] {
    return this.#sql
      .all<{
        version: number;
        commitment: Uint8Array;
        opening: Uint8Array | null;
        binding: Uint8Array | null;
        isRelease: number;
        username: Uint8Array | null;
      }>(
        `SELECT version, commitment, opening, value AS binding, is_release AS isRelease,
           (SELECT name FROM directory_labels WHERE id = name_label) AS username
         FROM directory_values WHERE label = ? AND account IS ? ORDER BY version`,
        label,
        account ?? null,
      )
      .map(({ opening, binding, isRelease, username, ...value }) => ({
        ...value,
        opening: opening ?? undefined,
        binding: binding ?? undefined,
        isRelease: isRelease === 1,
        username: username === null ? undefined : new TextDecoder().decode(username),
      }));
  }
}
