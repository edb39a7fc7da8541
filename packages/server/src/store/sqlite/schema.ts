import type { DatabaseSync } from "node:sqlite";
import { ServerError } from "../../errors.ts";
import { sha256 } from "../../hash.ts";

/** "LTCH": marks the file as ours (SQLite's application_id). */
const applicationId = 0x4c_54_43_48;

/**
 * The schema, one step a version: never changed once released, only added to. Times are days. No table joins an account to a log:
 * `accounts` and what hangs on it know inboxes, `logs` and what hangs on it know blobs, and nothing stands between.
 * Row ids show the order of arrival: a documented residual.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE logs (
    id INTEGER PRIMARY KEY,
    log_id BLOB NOT NULL UNIQUE,
    created_day INTEGER NOT NULL,
    purged_seq INTEGER NOT NULL DEFAULT 0,
    purged_head BLOB
  ) STRICT;
  CREATE TABLE epochs (
    log INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    parent INTEGER,
    access_hash BLOB NOT NULL,
    opened_day INTEGER NOT NULL,
    PRIMARY KEY (log, epoch)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX epochs_parent ON epochs (log, parent, epoch);
  CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    log INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    day INTEGER NOT NULL,
    digest INTEGER NOT NULL,
    next_access_hash BLOB,
    head BLOB NOT NULL,
    blob BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX entries_seq ON entries (log, seq);
  CREATE INDEX entries_digest ON entries (log, digest);
  CREATE TABLE blobs (
    id INTEGER PRIMARY KEY,
    blob_id BLOB NOT NULL UNIQUE,
    sha256 BLOB NOT NULL,
    size INTEGER NOT NULL,
    expires_day INTEGER NOT NULL,
    refs INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX blobs_expiry ON blobs (expires_day) WHERE refs = 0;
  CREATE TABLE entry_blobs (
    entry INTEGER NOT NULL,
    blob INTEGER NOT NULL,
    PRIMARY KEY (entry, blob)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE inboxes (
    id INTEGER PRIMARY KEY,
    inbox_id BLOB NOT NULL UNIQUE,
    last_seq INTEGER NOT NULL DEFAULT 0,
    items INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE inbox_items (
    id INTEGER PRIMARY KEY,
    inbox INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    day INTEGER NOT NULL,
    digest INTEGER NOT NULL,
    blob BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX inbox_items_seq ON inbox_items (inbox, seq);
  CREATE INDEX inbox_items_digest ON inbox_items (inbox, digest);
  CREATE TABLE accounts (
    id INTEGER PRIMARY KEY,
    account_id BLOB NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    history_bytes INTEGER NOT NULL,
    updates_day INTEGER NOT NULL,
    updates INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE account_states (
    account INTEGER NOT NULL,
    version INTEGER NOT NULL,
    day INTEGER NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (account, version)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE account_pops (
    account INTEGER NOT NULL,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL,
    pop BLOB NOT NULL,
    PRIMARY KEY (account, version, position)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE usernames (
    username TEXT PRIMARY KEY,
    account INTEGER NOT NULL,
    bound INTEGER NOT NULL,
    reserved_until_day INTEGER NOT NULL,
    binding BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX usernames_account ON usernames (account);
  CREATE TABLE devices (
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL,
    device_id BLOB NOT NULL,
    inbox INTEGER,
    card BLOB
  ) STRICT;
  CREATE UNIQUE INDEX devices_id ON devices (account, device_id);
  CREATE UNIQUE INDEX devices_inbox ON devices (inbox) WHERE inbox IS NOT NULL;
  CREATE TABLE key_packages (
    id INTEGER PRIMARY KEY,
    device INTEGER NOT NULL,
    last_resort INTEGER NOT NULL,
    not_after_day INTEGER NOT NULL,
    digest BLOB NOT NULL,
    package BLOB
  ) STRICT;
  CREATE UNIQUE INDEX key_packages_digest ON key_packages (device, digest);
  CREATE INDEX key_packages_next ON key_packages (device, last_resort, id) WHERE package IS NOT NULL;
  CREATE INDEX key_packages_expiry ON key_packages (not_after_day);
  `,
  // The directory's map and log. Of account labels the values are the rows of account_states, one version less; name_label says which
  // name the account had with that value. Of username labels account says whose binding it is.
  `
  CREATE TABLE directory_labels (
    id INTEGER PRIMARY KEY,
    type INTEGER NOT NULL,
    name BLOB NOT NULL,
    place BLOB NOT NULL,
    vrf_proof BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX directory_labels_name ON directory_labels (type, name);
  CREATE TABLE directory_values (
    label INTEGER NOT NULL,
    version INTEGER NOT NULL,
    commitment BLOB NOT NULL,
    opening BLOB,
    value BLOB,
    account INTEGER,
    is_release INTEGER NOT NULL DEFAULT 0,
    name_label INTEGER,
    PRIMARY KEY (label, version)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX directory_values_account ON directory_values (account) WHERE account IS NOT NULL;
  CREATE TABLE directory_nodes (
    hash BLOB PRIMARY KEY,
    node BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE directory_obsolete (
    size INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (size, hash)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE directory_entries (
    position INTEGER PRIMARY KEY,
    entry BLOB NOT NULL,
    transition BLOB
  ) STRICT;
  CREATE TABLE directory_hashes (
    level INTEGER NOT NULL,
    position INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (level, position)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE directory_checkpoints (
    size INTEGER PRIMARY KEY,
    note TEXT NOT NULL,
    is_served INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE directory_cosignatures (
    size INTEGER NOT NULL,
    key_name TEXT NOT NULL,
    key_id INTEGER NOT NULL,
    line TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    PRIMARY KEY (size, key_name, key_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE directory_config_changes (
    position INTEGER PRIMARY KEY,
    change BLOB NOT NULL
  ) STRICT;
  CREATE TABLE directory_deletions (
    size INTEGER NOT NULL,
    account INTEGER NOT NULL,
    PRIMARY KEY (size, account)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE directory_head_maps (
    position INTEGER PRIMARY KEY,
    root BLOB NOT NULL,
    time_ms INTEGER NOT NULL,
    last_entry INTEGER NOT NULL,
    leaves INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE directory_head_nodes (
    position INTEGER NOT NULL,
    hash BLOB NOT NULL,
    node BLOB NOT NULL,
    PRIMARY KEY (position, hash)
  ) STRICT, WITHOUT ROWID;
  `,
  // Append capabilities of inboxes (spec I-1): their hash, and which items came with them. `items` and `bytes` count both parts.
  `
  ALTER TABLE inboxes ADD COLUMN capability_generation INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE inboxes ADD COLUMN capability_hash BLOB;
  ALTER TABLE inboxes ADD COLUMN stranger_items INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE inboxes ADD COLUMN stranger_bytes INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE inbox_items ADD COLUMN is_stranger INTEGER NOT NULL DEFAULT 0;
  `,
  // What an epoch took of complaints (spec L-16), those that have expired included.
  `
  ALTER TABLE epochs ADD COLUMN complaints INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE epochs ADD COLUMN complaint_bytes INTEGER NOT NULL DEFAULT 0;
  `,
  // Maps of heads are built in parts: leaves lie in pages, sorted, and only nodes over several pages are kept. All heads are published
  // once more in this form.
  `
  DROP TABLE directory_head_maps;
  DROP TABLE directory_head_nodes;
  CREATE TABLE active_logs (
    place BLOB PRIMARY KEY,
    log INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE head_maps (
    id INTEGER PRIMARY KEY,
    stage INTEGER NOT NULL,
    build BLOB,
    root BLOB,
    position INTEGER,
    leaves INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE head_pages (
    map INTEGER NOT NULL,
    first BLOB NOT NULL,
    leaves BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX head_pages_first ON head_pages (map, first);
  CREATE TABLE head_nodes (
    map INTEGER NOT NULL,
    hash BLOB NOT NULL,
    node BLOB NOT NULL,
    PRIMARY KEY (map, hash)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO active_logs (place, log) SELECT sha256(log_id), id FROM logs;
  `,
  // What the operator decides. Of an invitation only the hash of its code: neither who was given it nor who used it.
  `
  CREATE TABLE invitations (
    code_hash BLOB PRIMARY KEY,
    uses_left INTEGER NOT NULL,
    last_day INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE kept_names (
    name TEXT PRIMARY KEY
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE suspensions (
    account INTEGER PRIMARY KEY,
    since_day INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
];

/**
 * Brings the database to the newest version, each step in a transaction of its own.
 * @throws ServerError `data_newer` for a database of a later version, `data_unusable` for one that is not ours.
 */
export function migrate(database: DatabaseSync, steps: readonly string[] = migrations): void {
  const version = readPragma(database, "user_version");
  const owner = readPragma(database, "application_id");
  const isEmpty = database.prepare("SELECT count(*) AS tables FROM sqlite_schema").get()?.["tables"] === 0;
  if (!isEmpty && owner !== applicationId) {
    throw new ServerError("data_unusable", "The database in the data directory is not Latchkey's: choose another data directory.");
  }
  if (version > steps.length) {
    throw new ServerError(
      "data_newer",
      `The data directory was written by a newer version (format ${version}, this one knows ${steps.length}): update Latchkey, or choose another data directory.`,
    );
  }
  // A step places logs in the map of heads with it: their ids are bytes.
  database.function("sha256", { deterministic: true }, (data) => sha256(data instanceof Uint8Array ? data : new Uint8Array()));
  for (let next = version; next < steps.length; next++) {
    database.exec("BEGIN IMMEDIATE");
    try {
      database.exec(`${steps[next] ?? ""}; PRAGMA user_version = ${next + 1}; PRAGMA application_id = ${applicationId};`);
      database.exec("COMMIT");
    } catch (cause) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw cause;
    }
  }
}

function readPragma(database: DatabaseSync, name: "user_version" | "application_id"): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}
