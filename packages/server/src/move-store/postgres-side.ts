import { setTimeout } from "node:timers/promises";
import { zeroHash } from "@latchkey/protocol";
import { ServerError } from "../errors.ts";
import type { PostgresDatabase } from "../store/postgres/database.ts";
import { openWeeks } from "../store/postgres/entry-weeks.ts";
import { serverNames } from "../store/postgres/migrate.ts";
import { movedSetting, readMoved } from "../store/postgres/moved.ts";
import type { Moved } from "../store/postgres/moved.ts";
import { prepareEntry } from "../store/postgres/log-batch.ts";
import type { PostgresTransaction, PostgresValue } from "../store/postgres/transaction.ts";
import { kindOf } from "../store/sqlite/packing.ts";
import type { DatabaseName } from "../store/sqlite/database-files.ts";
import { RowDigest } from "./digest.ts";
import type { TableDigest } from "./digest.ts";
import { movedTables, selectRows, sizeOf } from "./tables.ts";
import type { MovedRow, MovedTable } from "./tables.ts";

/** Rows that come with one answer at first, and at most; and about their bytes: what takes them must be done before the database gives up. */
const firstFetched = 8;
const maxFetched = 500;
const fetchedBytes = 2_097_152;

/** The side of a move that lies in PostgreSQL. */
export class PostgresSide {
  readonly #databases: Readonly<Record<DatabaseName, PostgresDatabase>>;

  constructor(databases: Readonly<Record<DatabaseName, PostgresDatabase>>) {
    this.#databases = databases;
  }

  /** What a server writes meanwhile would be lost. @throws ServerError `data_locked` where one runs */
  async refuseRunning(): Promise<void> {
    const sql = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ $1 LIMIT 1";
    for (const database of Object.values(this.#databases)) {
      // The connections of one that has just ended are there for a moment.
      for (let left = 20; (await database.query(sql, [serverNames])).rows.length > 0; left--) {
        if (left === 0) throw new ServerError("data_locked", "A server runs on the database: stop all of them first.");
        await setTimeout(50);
      }
    }
  }

  /** Why no server may use it; `undefined` where one may. */
  moved(): Promise<Moved | undefined> {
    return readMoved(this.#databases.accounts);
  }

  /** From now on no server uses it, for this reason; or one may. */
  async mark(moved: Moved | undefined): Promise<void> {
    await this.#databases.accounts.write((tx) => mark(tx, moved));
  }

  /** Whether nothing was ever stored there. */
  async isEmpty(): Promise<boolean> {
    const counts = [
      await this.#databases.accounts.query("SELECT 1 FROM directory_entries LIMIT 1"),
      await this.#databases.accounts.query("SELECT 1 FROM accounts LIMIT 1"),
      await this.#databases.logs.query("SELECT 1 FROM logs LIMIT 1"),
    ];
    return counts.every(({ rows }) => rows.length === 0);
  }

  /** Removes all rows, and says that others are coming. */
  async clear(): Promise<void> {
    for (const name of ["logs", "accounts"] as const) {
      const tables = movedTables.filter(({ database }) => database === name).map((table) => table.name);
      await this.#databases[name].write(async (tx) => {
        await tx.query(`TRUNCATE ${tables.join(", ")}`);
        if (name === "accounts") await mark(tx, "coming");
      });
    }
  }

  /** All rows of a table in their order, as of one moment: `take` has them a part at a time. */
  async read(table: MovedTable, take: (rows: readonly MovedRow[]) => void): Promise<TableDigest> {
    return await this.#databases[table.database].read(async (tx) => {
      const digest = new RowDigest();
      await tx.query(`DECLARE moved CURSOR FOR ${selectRows(table, "postgres")}`);
      for (let count = firstFetched; ;) {
        const { rows } = await tx.query<Readonly<Record<string, MovedRow[number]>>>(`FETCH ${count} FROM moved`);
        if (rows.length === 0) break;
        const part = rows.map((row) => table.columns.map((column) => row[column] ?? null));
        for (const row of part) digest.add(row);
        take(part);
        const rowBytes = part.reduce((sum, row) => sum + sizeOf(row), 0) / part.length;
        // Not many times more than before: rows need not be alike.
        count = Math.max(1, Math.min(count * 4, maxFetched, Math.floor(fetchedBytes / rowBytes)));
      }
      return digest.end();
    });
  }

  /** Adds rows of a table. */
  async write(table: MovedTable, rows: readonly MovedRow[]): Promise<void> {
    await this.#databases[table.database].write(async (tx) => {
      const { columns, values } =
        table.name === "entries" ? await entriesOf(tx, rows) : { columns: table.columns, values: transposed(rows, table.columns.length) };
      const types = await this.#types(tx, table.name, columns);
      const lists = types.map((type, at) => `$${at + 1}::${type}[]`);
      await tx.query(`INSERT INTO ${table.name} (${columns.join(", ")}) SELECT * FROM unnest(${lists.join(", ")})`, values);
    });
  }

  readonly #known = new Map<string, readonly string[]>();

  async #types(tx: PostgresTransaction, table: string, columns: readonly string[]): Promise<readonly string[]> {
    const known = this.#known.get(table);
    if (known !== undefined) return known;
    const { rows } = await tx.query<{ name: string; type: string }>(
      "SELECT attname::text AS name, format_type(atttypid, NULL) AS type FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0",
      [table],
    );
    const types = new Map(rows.map(({ name, type }) => [name, type]));
    const found = columns.map((column) => types.get(column) ?? "bytea");
    this.#known.set(table, found);
    return found;
  }
}

async function mark(tx: PostgresTransaction, moved: Moved | undefined): Promise<void> {
  await tx.query("DELETE FROM settings WHERE name = $1", [movedSetting]);
  if (moved !== undefined) await tx.query("INSERT INTO settings (name, value) VALUES ($1, $2)", [movedSetting, moved]);
}

function transposed(rows: readonly MovedRow[], count: number): PostgresValue[] {
  return Array.from({ length: count }, (_, at) => rows.map((row) => row[at] ?? null));
}

/** Entries with what this engine finds them by, and the partition that they lie in. */
async function entriesOf(
  tx: PostgresTransaction,
  rows: readonly MovedRow[],
): Promise<{ readonly columns: readonly string[]; readonly values: PostgresValue[] }> {
  const columns = ["id", "epoch", "kind", "day", "next_access_hash", "head", "blob", "entry_id", "week"];
  // The columns are those of the table of entries.
  const entries = rows as readonly (readonly [number, number, number, number, Uint8Array | null, Uint8Array, Uint8Array, Uint8Array])[];
  const weekFor = await openWeeks(
    tx,
    entries.map(([, , , day]) => day),
  );
  const made = entries.map(([id, epochId, kind, day, hash, head, blob, logId]): MovedRow => {
    const nextAccessHash = hash ?? zeroHash;
    const entry = { logId, epochId, kind: kindOf(kind), nextAccessHash, blob, afterSeq: 0, hasAccess: true, day };
    return [id, epochId, kind, day, hash, head, blob, prepareEntry(entry).entryId, weekFor(day)];
  });
  return { columns, values: transposed(made, columns.length) };
}
