import type { PostgresSteps } from "./migrate.ts";

/**
 * What is known of accounts, their inboxes and the public log: the tables and columns of SQLite's schema, where they are explained. Names are
 * ordered by their bytes, as there. Rows are found by random ids and numbers of random refs: nothing counts what comes.
 */
export const accountsSteps: PostgresSteps = {
  holds: "accounts",
  usableFrom: 2,
  steps: [
    `
    CREATE TABLE inboxes (
      id bigint PRIMARY KEY,
      inbox_id bytea NOT NULL UNIQUE,
      last_seq bigint NOT NULL DEFAULT 0,
      items bigint NOT NULL DEFAULT 0,
      bytes bigint NOT NULL DEFAULT 0,
      capability_generation bigint NOT NULL DEFAULT 0,
      capability_hash bytea,
      stranger_items bigint NOT NULL DEFAULT 0,
      stranger_bytes bigint NOT NULL DEFAULT 0
    ) WITH (fillfactor = 70);
    CREATE TABLE dropped_inboxes (id bigint PRIMARY KEY);
    CREATE TABLE inbox_items (
      id bigint PRIMARY KEY,
      day bigint NOT NULL,
      digest bigint NOT NULL,
      is_stranger bigint NOT NULL,
      blob bytea NOT NULL
    );
    ALTER TABLE inbox_items ALTER COLUMN blob SET STORAGE EXTERNAL;
    CREATE INDEX inbox_items_digest ON inbox_items (digest);
    CREATE INDEX inbox_items_day ON inbox_items (day);
    CREATE TABLE accounts (
      id bigint PRIMARY KEY,
      account_id bytea NOT NULL UNIQUE,
      version bigint NOT NULL,
      history_bytes bigint NOT NULL,
      updates_day bigint NOT NULL,
      updates bigint NOT NULL,
      tokens_day bigint NOT NULL DEFAULT 0,
      tokens bigint NOT NULL DEFAULT 0
    ) WITH (fillfactor = 70);
    CREATE TABLE account_states (
      account bigint NOT NULL,
      version bigint NOT NULL,
      day bigint NOT NULL,
      state bytea NOT NULL,
      PRIMARY KEY (account, version)
    );
    CREATE TABLE account_pops (
      account bigint NOT NULL,
      version bigint NOT NULL,
      position bigint NOT NULL,
      pop bytea NOT NULL,
      PRIMARY KEY (account, version, position)
    );
    CREATE TABLE usernames (
      username text COLLATE "C" PRIMARY KEY,
      account bigint NOT NULL,
      bound bigint NOT NULL,
      reserved_until_day bigint NOT NULL,
      binding bytea NOT NULL
    );
    CREATE INDEX usernames_account ON usernames (account);
    CREATE TABLE devices (
      id bigint PRIMARY KEY,
      account bigint NOT NULL,
      device_id bytea NOT NULL,
      inbox bigint,
      card bytea
    );
    CREATE UNIQUE INDEX devices_id ON devices (account, device_id);
    CREATE UNIQUE INDEX devices_inbox ON devices (inbox) WHERE inbox IS NOT NULL;
    CREATE TABLE key_packages (
      id bigint PRIMARY KEY,
      device bigint NOT NULL,
      seq bigint NOT NULL,
      last_resort bigint NOT NULL,
      not_after_day bigint NOT NULL,
      digest bytea NOT NULL,
      package bytea
    );
    CREATE UNIQUE INDEX key_packages_digest ON key_packages (device, digest);
    CREATE INDEX key_packages_next ON key_packages (device, last_resort, seq) WHERE package IS NOT NULL;
    CREATE INDEX key_packages_expiry ON key_packages (not_after_day);
    CREATE TABLE directory_labels (
      id bigint PRIMARY KEY,
      type bigint NOT NULL,
      name bytea NOT NULL,
      place bytea NOT NULL,
      vrf_proof bytea NOT NULL
    );
    CREATE UNIQUE INDEX directory_labels_name ON directory_labels (type, name);
    CREATE TABLE directory_values (
      label bigint NOT NULL,
      version bigint NOT NULL,
      commitment bytea NOT NULL,
      opening bytea,
      value bytea,
      account bigint,
      is_release bigint NOT NULL DEFAULT 0,
      name_label bigint,
      PRIMARY KEY (label, version)
    );
    CREATE INDEX directory_values_account ON directory_values (account) WHERE account IS NOT NULL;
    CREATE TABLE directory_nodes (
      hash bytea PRIMARY KEY,
      node bytea NOT NULL
    );
    CREATE TABLE directory_obsolete (
      size bigint NOT NULL,
      hash bytea NOT NULL,
      PRIMARY KEY (size, hash)
    );
    CREATE TABLE directory_entries (
      position bigint PRIMARY KEY,
      entry bytea NOT NULL,
      transition bytea
    );
    CREATE TABLE directory_hashes (
      level bigint NOT NULL,
      position bigint NOT NULL,
      hash bytea NOT NULL,
      PRIMARY KEY (level, position)
    );
    CREATE TABLE directory_checkpoints (
      size bigint PRIMARY KEY,
      note text NOT NULL,
      is_served bigint NOT NULL
    );
    CREATE TABLE directory_cosignatures (
      size bigint NOT NULL,
      key_name text COLLATE "C" NOT NULL,
      key_id bigint NOT NULL,
      line text NOT NULL,
      time_ms bigint NOT NULL,
      PRIMARY KEY (size, key_name, key_id)
    );
    CREATE TABLE directory_config_changes (
      position bigint PRIMARY KEY,
      change bytea NOT NULL
    );
    CREATE TABLE directory_deletions (
      size bigint NOT NULL,
      account bigint NOT NULL,
      PRIMARY KEY (size, account)
    );
    CREATE TABLE directory_unjournaled (size bigint PRIMARY KEY, record bytea NOT NULL);
    CREATE TABLE directory_journal (journal text COLLATE "C" PRIMARY KEY, size bigint NOT NULL);
    CREATE TABLE invitations (
      code_hash bytea PRIMARY KEY,
      uses_left bigint NOT NULL,
      last_day bigint NOT NULL
    );
    CREATE TABLE kept_names (name text COLLATE "C" PRIMARY KEY);
    CREATE TABLE restrictions (
      account bigint NOT NULL,
      what text COLLATE "C" NOT NULL,
      by text COLLATE "C" NOT NULL,
      since_day bigint NOT NULL,
      until_day bigint,
      PRIMARY KEY (account, what, by)
    );
    CREATE TABLE settings (
      name text COLLATE "C" PRIMARY KEY,
      value text NOT NULL
    );
    CREATE TABLE newest_day (id bigint PRIMARY KEY, day bigint NOT NULL);
    INSERT INTO newest_day VALUES (1, 0);
    CREATE TABLE link_inboxes (
      link_id bytea PRIMARY KEY,
      read_hash bytea NOT NULL,
      key bytea NOT NULL,
      last_day bigint NOT NULL,
      last_seq bigint NOT NULL DEFAULT 0
    );
    CREATE INDEX link_inboxes_last_day ON link_inboxes (last_day);
    CREATE TABLE knocks (
      link_id bytea NOT NULL,
      seq bigint NOT NULL,
      blob bytea NOT NULL,
      PRIMARY KEY (link_id, seq)
    );
    CREATE TABLE token_keys (day bigint PRIMARY KEY, seed bytea NOT NULL);
    CREATE TABLE spent_tokens (nonce bytea PRIMARY KEY, day bigint NOT NULL);
    CREATE INDEX spent_tokens_day ON spent_tokens (day);
    CREATE TABLE passphrases (
      account bigint PRIMARY KEY,
      recovery_key bytea NOT NULL,
      record bytea NOT NULL,
      sealed bytea NOT NULL,
      set_day bigint NOT NULL,
      opened_day bigint NOT NULL DEFAULT 0
    );
    CREATE TABLE passphrase_tries (
      account bigint PRIMARY KEY,
      day bigint NOT NULL,
      that_day bigint NOT NULL,
      in_all bigint NOT NULL
    );
    CREATE TABLE history_manifests (
      account bigint PRIMARY KEY,
      counter bigint NOT NULL,
      generation bigint NOT NULL,
      chunks bigint NOT NULL,
      day bigint NOT NULL,
      manifest bytea NOT NULL
    );
    CREATE TABLE history_generations (
      id bigint PRIMARY KEY,
      account bigint,
      generation bytea NOT NULL,
      bytes bigint NOT NULL
    );
    CREATE UNIQUE INDEX history_generations_account ON history_generations (account, generation) WHERE account IS NOT NULL;
    CREATE INDEX history_generations_dropped ON history_generations (id) WHERE account IS NULL;
    CREATE TABLE history_chunks (
      id bigint PRIMARY KEY,
      day bigint NOT NULL,
      sha256 bytea NOT NULL,
      chunk bytea NOT NULL
    );
    ALTER TABLE history_chunks ALTER COLUMN chunk SET STORAGE EXTERNAL;
    `,
    // What only one of the nodes does at a time, which has no table in SQLite: there is one process there.
    `
    CREATE TABLE leases (
      name text COLLATE "C" PRIMARY KEY,
      term bigint NOT NULL,
      holder text COLLATE "C" NOT NULL,
      until timestamptz NOT NULL,
      is_wanted bigint NOT NULL
    ) WITH (fillfactor = 10);
    `,
  ],
};
