import { movedSetting } from "../store/postgres/moved.ts";
import type { DatabaseName } from "../store/sqlite/database-files.ts";

/** A row as both engines have it, in the order of the columns. */
export type MovedRow = readonly (string | number | Uint8Array | null)[];

/** A table of one of the two databases, and what of it is the same in both engines. */
export interface MovedTable {
  readonly database: DatabaseName;
  readonly name: string;
  readonly columns: readonly string[];
  /** By which the rows are in one order in both. */
  readonly order: readonly string[];
  /** What an engine reads it from, where that is no table with these columns. */
  readonly sqliteSource?: string;
  readonly postgresSource?: string;
}

const accountsTables: Readonly<Record<string, readonly [columns: string, order: string]>> = {
  inboxes: ["id inbox_id last_seq items bytes capability_generation capability_hash stranger_items stranger_bytes", "id"],
  dropped_inboxes: ["id", "id"],
  inbox_items: ["id day digest is_stranger blob", "id"],
  accounts: ["id account_id version history_bytes updates_day updates tokens_day tokens", "id"],
  account_states: ["account version day state", "account version"],
  account_pops: ["account version position pop", "account version position"],
  usernames: ["username account bound reserved_until_day binding", "username"],
  devices: ["id account device_id inbox card", "id"],
  key_packages: ["id device seq last_resort not_after_day digest package", "id"],
  directory_labels: ["id type name place vrf_proof", "id"],
  directory_values: ["label version commitment opening value account is_release name_label", "label version"],
  directory_nodes: ["hash node", "hash"],
  directory_obsolete: ["size hash", "size hash"],
  directory_entries: ["position entry transition", "position"],
  directory_hashes: ["level position hash", "level position"],
  directory_checkpoints: ["size note is_served", "size"],
  directory_cosignatures: ["size key_name key_id line time_ms", "size key_name key_id"],
  directory_config_changes: ["position change", "position"],
  directory_deletions: ["size account", "size account"],
  directory_unjournaled: ["size record", "size"],
  directory_journal: ["journal size", "journal"],
  invitations: ["code_hash uses_left last_day", "code_hash"],
  kept_names: ["name", "name"],
  restrictions: ["account what by since_day until_day", "account what by"],
  settings: ["name value", "name"],
  newest_day: ["id day", "id"],
  link_inboxes: ["link_id read_hash key last_day last_seq", "link_id"],
  knocks: ["link_id seq blob", "link_id seq"],
  token_keys: ["day seed", "day"],
  spent_tokens: ["nonce day", "nonce"],
  passphrases: ["account recovery_key record sealed set_day opened_day", "account"],
  passphrase_tries: ["account day that_day in_all", "account"],
  history_manifests: ["account counter generation chunks day manifest", "account"],
  history_generations: ["id account generation bytes", "id"],
  history_chunks: ["id day sha256 chunk", "id"],
};

const logsTables: Readonly<Record<string, readonly [columns: string, order: string]>> = {
  active_logs: ["head_place log", "head_place"],
  blobs: ["id blob_id sha256 size expires_day refs", "id"],
  blob_totals: ["id blobs bytes", "id"],
  entry_blobs: ["entry blob", "entry blob"],
  leaving_blobs: ["blob_id sha256 taker", "blob_id sha256"],
  uploads: ["name blob_id size day stage taken writer multipart pieces next_number", "name"],
  head_maps: ["id stage build root position leaves", "id"],
  head_pages: ["map first leaves logs", "map first"],
  head_nodes: ["map hash node", "map hash"],
  newest_day: ["id day", "id"],
  spent_tokens: ["nonce day", "nonce"],
};

/** Where a log stands: its own row in PostgreSQL, what its last entry and its epochs say in SQLite. */
export const logsTable: MovedTable = {
  database: "logs",
  name: "logs",
  columns: "ref log_id created_day last_seq head current_epoch purged_seq purged_head oldest_day".split(" "),
  order: ["ref"],
  sqliteSource: `(SELECT l.id AS ref, l.log_id, l.created_day, coalesce(e.id % 134217728, l.purged_seq) AS last_seq,
      coalesce(e.head, l.purged_head) AS head, (SELECT max(epoch) FROM epochs WHERE log = l.id) AS current_epoch,
      l.purged_seq, l.purged_head, l.oldest_day
    FROM logs l LEFT JOIN entries e ON e.id = (SELECT max(id) FROM entries WHERE id > l.id * 134217728 AND id < (l.id + 1) * 134217728))`,
};

/** An epoch, with its first and last commits, which are epochs themselves. */
export const epochsTable: MovedTable = {
  database: "logs",
  name: "epochs",
  columns: "log epoch parent access_hash opened_day last_commit closed_seq closed_day complaints complaint_bytes".split(" "),
  order: ["log", "epoch"],
  sqliteSource: `(SELECT e.log, e.epoch, e.parent, e.access_hash, e.opened_day,
      coalesce((SELECT max(epoch) FROM epochs WHERE log = e.log AND parent = e.epoch), 0) AS last_commit,
      (SELECT min(epoch) FROM epochs WHERE log = e.log AND parent = e.epoch) AS closed_seq,
      (SELECT opened_day FROM epochs WHERE log = e.log AND parent = e.epoch ORDER BY epoch LIMIT 1) AS closed_day,
      e.complaints, e.complaint_bytes FROM epochs e)`,
};

/** An entry with the id of its log, of which what it is found by is made. */
export const entriesTable: MovedTable = {
  database: "logs",
  name: "entries",
  columns: "id epoch kind day next_access_hash head blob log_id".split(" "),
  order: ["id"],
  sqliteSource: "(SELECT e.*, l.log_id FROM entries e JOIN logs l ON l.id = e.id / 134217728)",
  postgresSource: "(SELECT e.*, l.log_id FROM entries e JOIN logs l ON l.ref = e.id / 134217728)",
};

const plain = (database: DatabaseName, tables: typeof accountsTables): MovedTable[] =>
  Object.entries(tables).map(([name, [columns, order]]) => ({ database, name, columns: columns.split(" "), order: order.split(" ") }));

/** All that is kept: an engine's own tables beside these are made of them. */
export const movedTables: readonly MovedTable[] = [
  logsTable,
  epochsTable,
  entriesTable,
  ...plain("logs", logsTables),
  ...plain("accounts", accountsTables),
];

/** The rows of a table in their order, without what is a move's own. */
export function selectRows({ name, columns, order, ...sources }: MovedTable, engine: "sqlite" | "postgres"): string {
  const source = engine === "sqlite" ? sources.sqliteSource : sources.postgresSource;
  const own = name === "settings" ? ` WHERE name <> '${movedSetting}'` : "";
  return `SELECT ${columns.map((column) => `t.${column}`).join(", ")} FROM ${source ?? name} t${own} ORDER BY ${order.map((column) => `t.${column}`).join(", ")}`;
}

/** About how many bytes a row has. */
export function sizeOf(row: MovedRow): number {
  return row.reduce<number>((sum, value) => sum + (value instanceof Uint8Array ? value.length : 8), 0);
}
