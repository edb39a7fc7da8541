import type { DatabaseSync } from "node:sqlite";
import { ServerError } from "../../errors.ts";

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
