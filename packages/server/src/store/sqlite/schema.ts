import type { DatabaseSync } from "node:sqlite";
import { ServerError } from "../../errors.ts";

/** A database of ours: how its file is marked, and its schema, one step a version, never changed once released, only added to. */
export interface Schema {
  /** SQLite's application_id. */
  readonly applicationId: number;
  readonly steps: readonly string[];
}

/**
 * What is known of logs. Times are days. `noise` is written when the journal was emptied. The number of an entry is `ref * 2^27 + seq`, with the random ref of its log: entries of one
 * log lie together, and nothing tells which of two logs was written to first. `entry_digests` finds those up to a log's `indexed_seq`.
 * `head_pages` has the logs that its leaves are of: who falls silent is published once more before the map goes.
 */
export const logsSchema: Schema = {
  // "LKLG"
  applicationId: 0x4c_4b_4c_47,
  steps: [
    `
    CREATE TABLE logs (
      id INTEGER PRIMARY KEY,
      log_id BLOB NOT NULL UNIQUE,
      created_day INTEGER NOT NULL,
      purged_seq INTEGER NOT NULL DEFAULT 0,
      purged_head BLOB,
      oldest_day INTEGER,
      indexed_seq INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX logs_oldest ON logs (oldest_day) WHERE oldest_day IS NOT NULL;
    CREATE TABLE active_logs (
      head_place BLOB PRIMARY KEY,
      log INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE epochs (
      log INTEGER NOT NULL,
      epoch INTEGER NOT NULL,
      parent INTEGER,
      access_hash BLOB NOT NULL,
      opened_day INTEGER NOT NULL,
      complaints INTEGER NOT NULL DEFAULT 0,
      complaint_bytes INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (log, epoch)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX epochs_parent ON epochs (log, parent, epoch);
    CREATE TABLE entries (
      id INTEGER PRIMARY KEY,
      epoch INTEGER NOT NULL,
      kind INTEGER NOT NULL,
      day INTEGER NOT NULL,
      digest INTEGER NOT NULL,
      next_access_hash BLOB,
      head BLOB NOT NULL,
      blob BLOB NOT NULL
    ) STRICT;
    CREATE TABLE entry_digests (
      digest INTEGER NOT NULL,
      seq INTEGER NOT NULL,
      PRIMARY KEY (digest, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE blobs (
      id INTEGER PRIMARY KEY,
      blob_id BLOB NOT NULL UNIQUE,
      sha256 BLOB NOT NULL,
      size INTEGER NOT NULL,
      expires_day INTEGER NOT NULL,
      refs INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX blobs_expiry ON blobs (expires_day) WHERE refs = 0;
    CREATE TABLE blob_totals (id INTEGER PRIMARY KEY, blobs INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
    INSERT INTO blob_totals VALUES (1, 0, 0);
    CREATE TABLE entry_blobs (
      entry INTEGER NOT NULL,
      blob INTEGER NOT NULL,
      PRIMARY KEY (entry, blob)
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
      leaves BLOB NOT NULL,
      logs BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX head_pages_first ON head_pages (map, first);
    CREATE TABLE head_nodes (
      map INTEGER NOT NULL,
      hash BLOB NOT NULL,
      node BLOB NOT NULL,
      PRIMARY KEY (map, hash)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE newest_day (id INTEGER PRIMARY KEY, day INTEGER NOT NULL) STRICT;
    INSERT INTO newest_day VALUES (1, 0);
    CREATE TABLE noise (id INTEGER PRIMARY KEY, filler BLOB NOT NULL) STRICT;
    INSERT INTO noise VALUES (1, randomblob(16));
    `,
    `
    CREATE TABLE recent_entries (id INTEGER PRIMARY KEY, slot BLOB NOT NULL) STRICT;
    `,
    `
    CREATE TABLE spent_tokens (nonce BLOB PRIMARY KEY, day INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE INDEX spent_tokens_day ON spent_tokens (day);
    `,
    `
    CREATE TABLE uploads (
      name BLOB PRIMARY KEY,
      blob_id BLOB NOT NULL,
      size INTEGER NOT NULL,
      day INTEGER NOT NULL,
      stage INTEGER NOT NULL,
      taken INTEGER NOT NULL,
      writer BLOB NOT NULL,
      multipart TEXT NOT NULL,
      pieces BLOB NOT NULL,
      next_number INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    `,
    `
    CREATE TABLE leaving_blobs (
      blob_id BLOB NOT NULL,
      sha256 BLOB NOT NULL,
      taker BLOB NOT NULL,
      PRIMARY KEY (blob_id, sha256)
    ) STRICT, WITHOUT ROWID;
    `,
  ],
};

/**
 * What is known of accounts, their inboxes and the public log. Times are days; those of the public log are public. Row ids are random.
 * The number of an inbox item is `ref * 2^27 + seq`, with the random ref of its inbox.
 * Of account labels the values are the rows of account_states, one version less; name_label says which name the account had with that
 * value. Of username labels account says whose binding it is. directory_unjournaled is what stands in the public log
 * and not yet in its journal, directory_journal by what that is known and how far it was written: one that is not there is no new one.
 * Of a token only its nonce is kept, which nobody saw before it was spent; of an account how many it was given on its last day.
 * Of an invitation only the hash of its code is kept: neither who was given it nor who used it.
 * The number of a chunk of a history backup is `ref * 2^27 + number`, with the random ref of its generation; one of no account is being erased.
 */
export const accountsSchema: Schema = {
  // "LKAC"
  applicationId: 0x4c_4b_41_43,
  steps: [
    `
    CREATE TABLE inboxes (
      id INTEGER PRIMARY KEY,
      inbox_id BLOB NOT NULL UNIQUE,
      last_seq INTEGER NOT NULL DEFAULT 0,
      items INTEGER NOT NULL DEFAULT 0,
      bytes INTEGER NOT NULL DEFAULT 0,
      capability_generation INTEGER NOT NULL DEFAULT 0,
      capability_hash BLOB,
      stranger_items INTEGER NOT NULL DEFAULT 0,
      stranger_bytes INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE dropped_inboxes (id INTEGER PRIMARY KEY) STRICT;
    CREATE TABLE inbox_items (
      id INTEGER PRIMARY KEY,
      day INTEGER NOT NULL,
      digest INTEGER NOT NULL,
      is_stranger INTEGER NOT NULL,
      blob BLOB NOT NULL
    ) STRICT;
    CREATE INDEX inbox_items_digest ON inbox_items (digest);
    CREATE INDEX inbox_items_day ON inbox_items (day);
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
      seq INTEGER NOT NULL,
      last_resort INTEGER NOT NULL,
      not_after_day INTEGER NOT NULL,
      digest BLOB NOT NULL,
      package BLOB
    ) STRICT;
    CREATE UNIQUE INDEX key_packages_digest ON key_packages (device, digest);
    CREATE INDEX key_packages_next ON key_packages (device, last_resort, seq) WHERE package IS NOT NULL;
    CREATE INDEX key_packages_expiry ON key_packages (not_after_day);
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
    CREATE TABLE directory_unjournaled (size INTEGER PRIMARY KEY, record BLOB NOT NULL) STRICT;
    CREATE TABLE directory_journal (journal TEXT PRIMARY KEY, size INTEGER NOT NULL) STRICT, WITHOUT ROWID;
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
    CREATE TABLE newest_day (id INTEGER PRIMARY KEY, day INTEGER NOT NULL) STRICT;
    INSERT INTO newest_day VALUES (1, 0);
    CREATE TABLE noise (id INTEGER PRIMARY KEY, filler BLOB NOT NULL) STRICT;
    INSERT INTO noise VALUES (1, randomblob(16));
    `,
    `
    CREATE TABLE link_inboxes (
      link_id BLOB PRIMARY KEY,
      read_hash BLOB NOT NULL,
      key BLOB NOT NULL,
      last_day INTEGER NOT NULL,
      last_seq INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX link_inboxes_last_day ON link_inboxes (last_day);
    CREATE TABLE knocks (
      link_id BLOB NOT NULL,
      seq INTEGER NOT NULL,
      blob BLOB NOT NULL,
      PRIMARY KEY (link_id, seq)
    ) STRICT, WITHOUT ROWID;
    `,
    `
    CREATE TABLE restrictions (
      account INTEGER NOT NULL,
      what TEXT NOT NULL,
      by TEXT NOT NULL,
      since_day INTEGER NOT NULL,
      until_day INTEGER,
      PRIMARY KEY (account, what, by)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO restrictions SELECT account, 'suspended', 'operator', since_day, NULL FROM suspensions;
    DROP TABLE suspensions;
    `,
    `
    CREATE TABLE token_keys (day INTEGER PRIMARY KEY, seed BLOB NOT NULL) STRICT;
    CREATE TABLE spent_tokens (nonce BLOB PRIMARY KEY, day INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE INDEX spent_tokens_day ON spent_tokens (day);
    ALTER TABLE accounts ADD COLUMN tokens_day INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE accounts ADD COLUMN tokens INTEGER NOT NULL DEFAULT 0;
    `,
    `
    CREATE TABLE passphrases (
      account INTEGER PRIMARY KEY,
      recovery_key BLOB NOT NULL,
      record BLOB NOT NULL,
      sealed BLOB NOT NULL,
      set_day INTEGER NOT NULL,
      opened_day INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE passphrase_tries (
      account INTEGER PRIMARY KEY,
      day INTEGER NOT NULL,
      that_day INTEGER NOT NULL,
      in_all INTEGER NOT NULL
    ) STRICT;
    `,
    `
    CREATE TABLE history_manifests (
      account INTEGER PRIMARY KEY,
      counter INTEGER NOT NULL,
      generation INTEGER NOT NULL,
      chunks INTEGER NOT NULL,
      day INTEGER NOT NULL,
      manifest BLOB NOT NULL
    ) STRICT;
    CREATE TABLE history_generations (
      id INTEGER PRIMARY KEY,
      account INTEGER,
      generation BLOB NOT NULL,
      bytes INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX history_generations_account ON history_generations (account, generation) WHERE account IS NOT NULL;
    CREATE INDEX history_generations_dropped ON history_generations (id) WHERE account IS NULL;
    CREATE TABLE history_chunks (
      id INTEGER PRIMARY KEY,
      day INTEGER NOT NULL,
      sha256 BLOB NOT NULL,
      chunk BLOB NOT NULL
    ) STRICT;
    `,
  ],
};

/** What the databases of both names were marked with before the first release. */
const formerApplicationIds: ReadonlySet<number> = new Set([0x4c_54_43_4c, 0x4c_54_43_41]);

/**
 * Brings the database to the newest version, each step in a transaction of its own.
 * @throws ServerError `data_newer` for a database of a later version, `data_unusable` for one that is not ours.
 */
export function migrate(database: DatabaseSync, { applicationId, steps }: Schema): void {
  const version = readPragma(database, "user_version");
  const owner = readPragma(database, "application_id");
  const isEmpty = database.prepare("SELECT count(*) AS tables FROM sqlite_schema").get()?.["tables"] === 0;
  if (formerApplicationIds.has(owner)) {
    throw new ServerError(
      "data_unusable",
      "The data directory was written by a version before the first release, which is not read any more: begin in an empty folder, under another host name.",
    );
  }
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
