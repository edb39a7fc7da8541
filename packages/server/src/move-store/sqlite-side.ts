import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { sha256 } from "../hash.ts";
import { refOf, rowId, seqOf, shortDigest } from "../store/sql/row-ids.ts";
import type { DatabaseName } from "../store/sqlite/database-files.ts";
import { RowDigest } from "./digest.ts";
import type { TableDigest } from "./digest.ts";
import { movedTables, selectRows } from "./tables.ts";
import type { MovedRow, MovedTable } from "./tables.ts";

/** The side of a move that lies in a folder: databases that nobody else has open, whose newest entries lie where the others do. */
export class SqliteSide {
  readonly #databases: Readonly<Record<DatabaseName, DatabaseSync>>;

  constructor(databases: Readonly<Record<DatabaseName, DatabaseSync>>) {
    this.#databases = databases;
  }

  /** Removes what a new database has by itself. */
  clear(): void {
    for (const { database, name } of movedTables) this.#databases[database].exec(`DELETE FROM ${name}`);
  }

  /** All rows of a table in their order. */
  *rows(table: MovedTable): Generator<MovedRow> {
    const statement = this.#databases[table.database].prepare(selectRows(table, "sqlite"));
    statement.setReturnArrays(true);
    // The columns are those of the table.
    yield* statement.iterate() as Iterable<unknown> as Iterable<MovedRow>;
  }

  digest(table: MovedTable): TableDigest {
    const digest = new RowDigest();
    for (const row of this.rows(table)) digest.add(row);
    return digest.end();
  }

  /** Adds rows of a table, in one transaction. */
  write(table: MovedTable, rows: readonly MovedRow[]): void {
    const database = this.#databases[table.database];
    database.exec("BEGIN");
    for (const row of rows) {
      if (table.name === "logs") this.#addLog(row);
      else if (table.name === "entries") this.#addEntry(row);
      else if (table.name === "epochs") this.#insert("logs", "epochs", epochColumns, pick(table, row, epochColumns));
      else this.#insert(table.database, table.name, table.columns, row);
    }
    database.exec("COMMIT");
  }

  #addLog(row: MovedRow): void {
    // The columns are those of the table of logs.
    const [ref, logId, createdDay, lastSeq, , , purgedSeq, purgedHead, oldestDay] = row;
    const columns = ["id", "log_id", "created_day", "purged_seq", "purged_head", "oldest_day", "indexed_seq"];
    this.#insert("logs", "logs", columns, [
      ref ?? null,
      logId ?? null,
      createdDay ?? null,
      purgedSeq ?? null,
      purgedHead ?? null,
      oldestDay ?? null,
      lastSeq ?? null,
    ]);
  }

  #addEntry(row: MovedRow): void {
    // The columns are those of the table of entries.
    const [id, epoch, kind, day, hash, head, blob] = row as [number, number, number, number, Uint8Array | null, Uint8Array, Uint8Array];
    const digest = shortDigest(sha256(blob));
    const columns = ["id", "epoch", "kind", "day", "digest", "next_access_hash", "head", "blob"];
    this.#insert("logs", "entries", columns, [id, epoch, kind, day, digest, hash, head, blob]);
    this.#insert("logs", "entry_digests", ["digest", "seq"], [rowId(refOf(id), digest), seqOf(id)]);
  }

  #insert(name: DatabaseName, table: string, columns: readonly string[], row: MovedRow): void {
    const sql = `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;
    const key = `${name} ${sql}`;
    const statement = this.#prepared.get(key) ?? this.#databases[name].prepare(sql);
    this.#prepared.set(key, statement);
    statement.run(...(row as readonly SQLInputValue[]));
  }

  readonly #prepared = new Map<string, ReturnType<DatabaseSync["prepare"]>>();
}

const epochColumns = ["log", "epoch", "parent", "access_hash", "opened_day", "complaints", "complaint_bytes"];

function pick(table: MovedTable, row: MovedRow, columns: readonly string[]): MovedRow {
  return columns.map((column) => row[table.columns.indexOf(column)] ?? null);
}
