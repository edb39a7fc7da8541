import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ServerError } from "../../errors.ts";
import { diskFull, isOutOfRoom } from "../../storage/out-of-room.ts";
import { migrate } from "../../store/sqlite/schema.ts";
import type { Schema } from "../../store/sqlite/schema.ts";
import { Statements } from "../../store/sqlite/statements.ts";

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

const deskSchema: Schema = { applicationId: 0x4c4b4453, steps: [staffStep] };

/** Opens the desk's database, for its one thread. @throws ServerError `data_newer`, `data_unusable` or `disk_full` */
export function openDeskDatabase(directory: string): { readonly sql: Statements; close(): void } {
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
    return { sql: new Statements(opened), close: () => opened.close() };
  } catch (cause) {
    database?.close();
    if (cause instanceof ServerError) throw cause;
    if (isOutOfRoom(cause)) throw diskFull(directory, cause);
    const message = `The database ${deskDatabaseFile} in ${directory} cannot be opened: restore it from a backup, or move it away to have no desk.`;
    throw new ServerError("data_unusable", message, { cause });
  }
}
