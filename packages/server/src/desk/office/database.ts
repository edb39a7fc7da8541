import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ServerError } from "../../errors.ts";
import { diskFull, isOutOfRoom } from "../../storage/out-of-room.ts";
import { migrate } from "../../store/sqlite/schema.ts";
import type { Schema } from "../../store/sqlite/schema.ts";
import { clearedByStep, countStep } from "./counting/count-table.ts";
import { Statements } from "../../store/sqlite/statements.ts";
import { noticesStep } from "./requests/notice/notice-table.ts";
import { copiesLeftOutStep, copiesStep } from "./requests/release/copy-table.ts";
import { packageCopyStep, packagesStep } from "./requests/release/package-table.ts";
import { requestsStep } from "./requests/request-table.ts";
import { staffGrantsStep } from "./staff.ts";

/** The desk's database, in the data folder. It is there once the desk was begun. */
export const deskDatabaseFile = "desk.sqlite";

/**
 * Who works at the desk and what they did. `codes` are those that make somebody's passkey, as hashes; `trail` is only ever added to. Times
 * are milliseconds of the guarded clock.
 */
const staffStep = `
  CREATE TABLE staff (id BLOB PRIMARY KEY, name TEXT NOT NULL UNIQUE, roles TEXT NOT NULL, is_active INTEGER NOT NULL) STRICT;
  CREATE TABLE passkeys (
    credential TEXT PRIMARY KEY, staff BLOB NOT NULL REFERENCES staff (id), public_key BLOB NOT NULL, counter INTEGER NOT NULL,
    transports TEXT NOT NULL
  ) STRICT;
  CREATE INDEX passkeys_of ON passkeys (staff);
  CREATE TABLE codes (hash BLOB PRIMARY KEY, staff BLOB NOT NULL UNIQUE REFERENCES staff (id), until_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE trail (
    number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, actor TEXT NOT NULL, act TEXT NOT NULL, case_number INTEGER, details TEXT NOT NULL,
    hash BLOB NOT NULL
  ) STRICT`;

/**
 * Cases. Of conversations and of people but the accused there are only HMACs under the case's own key: they say "the same one as before in
 * this case" and nothing to who has another case, or this one erased. `files` and `contexts` are encrypted under that key. What outlives a
 * case are its sanctions, until their day, and its decisions without words or a case.
 */
const casesStep = `
  CREATE TABLE cases (
    number INTEGER PRIMARY KEY, revision INTEGER NOT NULL, state TEXT NOT NULL, accused_host TEXT NOT NULL, accused_id BLOB NOT NULL,
    opened_day INTEGER NOT NULL, newest_day INTEGER NOT NULL, taken_by BLOB, key BLOB NOT NULL, appeal_until_day INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX cases_by_state ON cases (state, number);
  CREATE INDEX cases_of ON cases (accused_id);
  CREATE TABLE last_case (id INTEGER PRIMARY KEY, number INTEGER NOT NULL) STRICT;
  INSERT INTO last_case VALUES (1, 0);
  CREATE TABLE case_reports (
    id INTEGER PRIMARY KEY, case_number INTEGER NOT NULL REFERENCES cases (number), arrived_day INTEGER NOT NULL, reason TEXT NOT NULL,
    words TEXT NOT NULL, reporter TEXT NOT NULL, verdicts TEXT NOT NULL, report_id BLOB NOT NULL UNIQUE, mailbox BLOB NOT NULL,
    reply_secret BLOB NOT NULL, told_day INTEGER, contexts BLOB NOT NULL
  ) STRICT;
  CREATE INDEX case_reports_of ON case_reports (case_number);
  CREATE TABLE case_items (
    case_number INTEGER NOT NULL REFERENCES cases (number), number INTEGER NOT NULL, identity BLOB NOT NULL, message_id BLOB NOT NULL,
    author TEXT NOT NULL, role TEXT NOT NULL, about INTEGER, text TEXT, says_at_ms INTEGER, gap_before INTEGER NOT NULL,
    verdicts TEXT NOT NULL, is_proved INTEGER NOT NULL, PRIMARY KEY (case_number, number)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX case_items_by_identity ON case_items (identity);
  CREATE TABLE case_files (
    case_number INTEGER NOT NULL REFERENCES cases (number), number INTEGER NOT NULL, item INTEGER NOT NULL, media_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL, verdict TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (case_number, number)
  ) STRICT;
  CREATE TABLE case_people (
    case_number INTEGER NOT NULL REFERENCES cases (number), mac BLOB NOT NULL, label TEXT NOT NULL, PRIMARY KEY (case_number, mac)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE case_conversations (
    case_number INTEGER NOT NULL REFERENCES cases (number), mac BLOB NOT NULL, PRIMARY KEY (case_number, mac)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE case_links (
    case_number INTEGER NOT NULL REFERENCES cases (number), other INTEGER NOT NULL REFERENCES cases (number),
    PRIMARY KEY (case_number, other)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE case_events (
    id INTEGER PRIMARY KEY, case_number INTEGER NOT NULL REFERENCES cases (number), at_ms INTEGER NOT NULL, kind TEXT NOT NULL, by TEXT,
    text TEXT
  ) STRICT;
  CREATE INDEX case_events_of ON case_events (case_number);
  CREATE TABLE decisions (
    puid TEXT PRIMARY KEY, case_number INTEGER REFERENCES cases (number), staff BLOB NOT NULL REFERENCES staff (id), at_ms INTEGER NOT NULL,
    until_day INTEGER, content_day INTEGER NOT NULL, appeal_until_day INTEGER NOT NULL, state TEXT NOT NULL, input TEXT NOT NULL
  ) STRICT;
  CREATE INDEX decisions_of ON decisions (case_number);
  CREATE TABLE appeals (
    case_number INTEGER NOT NULL REFERENCES cases (number), number INTEGER NOT NULL, by TEXT NOT NULL, report INTEGER, arrived_day INTEGER NOT NULL,
    words TEXT NOT NULL, items TEXT NOT NULL, puid TEXT NOT NULL REFERENCES decisions (puid), outcome TEXT, staff BLOB, at_ms INTEGER,
    answer TEXT, PRIMARY KEY (case_number, number)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE sanctions (
    puid TEXT NOT NULL, account_id BLOB NOT NULL, what TEXT NOT NULL, since_day INTEGER NOT NULL, until_day INTEGER NOT NULL,
    PRIMARY KEY (puid, what)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sanctions_of ON sanctions (account_id);
  CREATE TABLE saved_reasons (id BLOB PRIMARY KEY, title TEXT NOT NULL, decision TEXT NOT NULL) STRICT;
  CREATE TABLE tasks (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, params TEXT NOT NULL, not_before_day INTEGER NOT NULL) STRICT`;

/** What is counted of cases that were erased: days, kinds and categories. */
const countedStep = `CREATE TABLE counted_cases (id INTEGER PRIMARY KEY, erased_day INTEGER NOT NULL, facts TEXT NOT NULL) STRICT`;

/**
 * What comes in and goes out. A report lies sealed until all of it is here and it was opened; then only its receipt stays, so that the same
 * again is answered as before. Answers lie sealed for whoever has the reply secret of a report.
 */
const doorStep = `
  CREATE TABLE arrivals (
    report_id BLOB PRIMARY KEY, hash BLOB NOT NULL, day INTEGER NOT NULL, arrived_ms INTEGER NOT NULL, receipt BLOB NOT NULL, sealed BLOB,
    tries INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX arrivals_open ON arrivals (arrived_ms) WHERE sealed IS NOT NULL;
  CREATE INDEX arrivals_day ON arrivals (day);
  CREATE TABLE arrival_files (
    id INTEGER PRIMARY KEY, report_id BLOB NOT NULL REFERENCES arrivals (report_id), hash BLOB NOT NULL, size_bytes INTEGER NOT NULL, bytes BLOB,
    UNIQUE (report_id, hash)
  ) STRICT;
  CREATE INDEX arrival_files_by_hash ON arrival_files (hash);
  CREATE TABLE answers (
    mailbox BLOB NOT NULL, number INTEGER NOT NULL, sealed BLOB NOT NULL, last_day INTEGER NOT NULL, PRIMARY KEY (mailbox, number)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX answers_day ON answers (last_day);
  CREATE TABLE spent_tokens (nonce BLOB PRIMARY KEY, day INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX spent_tokens_day ON spent_tokens (day)`;

/** Whose evidence takes the room in a case, of those who report and whom it is about: each side has a share. */
const sharesStep = `
  ALTER TABLE case_items ADD COLUMN side TEXT NOT NULL DEFAULT 'reporters';
  ALTER TABLE case_files ADD COLUMN side TEXT NOT NULL DEFAULT 'reporters'`;

/** How many reports came on the newest day from each who chose to be known, by HMACs under that day's key. */
const reportersStep = `
  CREATE TABLE reporter_days (day INTEGER PRIMARY KEY, key BLOB NOT NULL) STRICT;
  CREATE TABLE reporter_counts (mac BLOB PRIMARY KEY, reports INTEGER NOT NULL) STRICT, WITHOUT ROWID`;

/**
 * Whom a decision warned or limited, since what they reported was manifestly unfounded, by HMACs under one key; and the same HMAC of who signed
 * a report, encrypted under its case's key: so that nobody tells by it which cases one account reported.
 */
const measuresStep = `
  ALTER TABLE case_reports ADD COLUMN signer BLOB;
  CREATE TABLE reporter_measures_key (id INTEGER PRIMARY KEY, key BLOB NOT NULL) STRICT;
  CREATE TABLE reporter_measures (
    puid TEXT NOT NULL, mac BLOB NOT NULL, limited_until_day INTEGER, last_day INTEGER NOT NULL, PRIMARY KEY (puid, mac)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX reporter_measures_of ON reporter_measures (mac)`;

/** The desk's schema. What is added to it gets its entry in `desk/inventory/desk-tables.ts`. */
export const deskSchema: Schema = {
  applicationId: 0x4c4b4453,
  steps: [
    staffStep,
    casesStep,
    countedStep,
    doorStep,
    requestsStep,
    `${packagesStep};${copiesStep};${noticesStep}`,
    sharesStep,
    reportersStep,
    countStep,
    `${copiesLeftOutStep};${packageCopyStep}`,
    staffGrantsStep,
    clearedByStep,
    measuresStep,
  ],
};

/** The desk's database, open. */
export interface DeskDatabase {
  readonly sql: Statements;
  /** Leaves nothing of what was erased in the journal. */
  scrub(): void;
  close(): void;
}

/** Opens the desk's database, for its one thread. @throws ServerError `data_newer`, `data_unusable` or `disk_full` */
export function openDeskDatabase(directory: string): DeskDatabase {
  const path = join(directory, deskDatabaseFile);
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    database = new DatabaseSync(path);
    database.exec("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF");
    database.exec("PRAGMA foreign_keys = ON");
    migrate(database, deskSchema);
    chmodSync(path, 0o600);
    const opened = database;
    return { sql: new Statements(opened), scrub: () => opened.exec("PRAGMA wal_checkpoint(TRUNCATE)"), close: () => opened.close() };
  } catch (cause) {
    database?.close();
    if (cause instanceof ServerError) throw cause;
    if (isOutOfRoom(cause)) throw diskFull(directory, cause);
    const message = `The database ${deskDatabaseFile} in ${directory} cannot be opened: restore it from a backup, or move it away to have no desk.`;
    throw new ServerError("data_unusable", message, { cause });
  }
}
