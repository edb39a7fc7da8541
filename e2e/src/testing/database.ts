import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** A value of a row. Whole numbers come as bigint. */
export type Value = null | number | bigint | string | Uint8Array;

/** One table of a database with all it holds. */
export interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  /** Columns that refer to other tables: column to `table.column`. */
  readonly references: ReadonlyMap<string, string>;
  readonly rows: readonly Readonly<Record<string, Value>>[];
}

/** Opens a copy of a server's data folder, which may be in use, and reads every table of every SQLite file in it. */
export function readDatabases(data: string, copy: string): Table[] {
  cpSync(data, copy, { recursive: true });
  const files = readdirSync(copy, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !/-(wal|shm|journal)$|\.lock$/.test(entry.name),
  );
  const tables: Table[] = [];
  for (const entry of files) {
    const path = join(entry.parentPath, entry.name);
    let database: DatabaseSync;
    try {
      database = new DatabaseSync(path);
      database.prepare("SELECT count(*) FROM sqlite_schema").get();
    } catch {
      // Not a database: the search of all bytes looks into it.
      continue;
    }
    tables.push(...readTables(database));
    database.close();
  }
  return withImpliedReferences(tables);
}

/** A column of whole numbers named after a table, such as `log` for `logs`, refers to its rows though the schema need not say so. */
function withImpliedReferences(tables: readonly Table[]): Table[] {
  const names = new Set(tables.map(({ name }) => name));
  return tables.map((table) => {
    const implied = table.columns.flatMap((column): [string, string][] => {
      const target = [column, `${column}s`, `${column}es`, column.replace(/y$/, "ies")].find(
        (name) => names.has(name) && name !== table.name,
      );
      const isNumber = table.rows.some((row) => typeof row[column] === "bigint");
      return target === undefined || !isNumber ? [] : [[column, `${target}.id`]];
    });
    return { ...table, references: new Map([...implied, ...table.references]) };
  });
}

function readTables(database: DatabaseSync): Table[] {
  const names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all();
  return names.map(({ name }) => {
    const table = String(name);
    const quoted = `"${table.replaceAll('"', '""')}"`;
    const columns = database
      .prepare(`PRAGMA table_info(${quoted})`)
      .all()
      .map((column) => String(column["name"]));
    const references = new Map(
      database
        .prepare(`PRAGMA foreign_key_list(${quoted})`)
        .all()
        .map((key) => [String(key["from"]), `${String(key["table"])}.${String(key["to"])}`]),
    );
    const statement = database.prepare(`SELECT * FROM ${quoted}`);
    statement.setReadBigInts(true);
    const rows = statement.all().map((row) => ({ ...row }));
    return { name: table, columns, references, rows };
  });
}

/** The bytes of a value that could name something, if it is long enough to do so by itself. */
export function bytesOf(value: Value): Buffer | undefined {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (typeof value === "string") return Buffer.from(value, "utf8");
  return undefined;
}
