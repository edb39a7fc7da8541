import { ServerError, StoreError } from "../../errors.ts";
import { adviceOf } from "./fault.ts";
import type { PostgresDatabase } from "./database.ts";
import type { PostgresTransaction } from "./transaction.ts";

/** What a schema of ours holds: how it is marked, and its tables, one step a version, never changed once released, only added to. */
export interface PostgresSteps {
  /** Which of our databases it is. */
  readonly holds: "logs" | "accounts";
  readonly steps: readonly string[];
}

/**
 * Brings a schema to the newest version, and makes it where there is none: each step is a write of its own, so that of several processes
 * that start at once each step is taken by one.
 * @throws ServerError `data_newer` for a schema of a later version, `data_unusable` for one that is not ours or cannot be brought there,
 * `database_failed` where the database is away
 */
export async function migrate(database: PostgresDatabase, schema: PostgresSteps): Promise<void> {
  const { schema: name } = database;
  try {
    while (!(await database.write((tx) => takeStep(tx, name, schema), { isTold: false })));
  } catch (cause) {
    if (!(cause instanceof StoreError)) throw cause;
    if (cause.code === "unavailable")
      throw new ServerError("database_failed", adviceOf(cause) ?? "The database went away while this server started: start it again.", {
        cause,
      });
    throw new ServerError(
      "data_unusable",
      `The schema ${name} of the database cannot be made or brought to this version's format: check that the database's user may create in it, or restore it from a backup.`,
      { cause },
    );
  }
}

/** Answers whether there is no further step. */
async function takeStep(tx: PostgresTransaction, name: string, { holds, steps }: PostgresSteps): Promise<boolean> {
  const version = await versionOf(tx, name, holds);
  if (version > steps.length) {
    throw new ServerError(
      "data_newer",
      `The schema ${name} of the database was written by a newer version (format ${version}, this one knows ${steps.length}): update Latchkey, or choose another schema.`,
    );
  }
  const step = steps[version];
  if (step === undefined) return true;
  await tx.query(step);
  await tx.query("UPDATE schema_version SET version = $1", [version + 1]);
  return version + 1 === steps.length;
}

/** Marks a schema as ours where it is empty. @throws ServerError `data_unusable` */
async function versionOf(tx: PostgresTransaction, name: string, holds: string): Promise<number> {
  const marker = `latchkey ${holds}`;
  const { rows: tables } = await tx.query<{ name: string }>(
    "SELECT relname AS name FROM pg_class WHERE relnamespace = to_regnamespace($1)",
    [name],
  );
  if (tables.length === 0) {
    const { rows: schemas } = await tx.query("SELECT 1 WHERE to_regnamespace($1) IS NOT NULL", [name]);
    // Asked for first: to make one that is there needs a right that nothing else does.
    if (schemas.length === 0) await tx.query(`CREATE SCHEMA "${name}"`);
    await tx.query("CREATE TABLE schema_version (id smallint PRIMARY KEY CHECK (id = 1), marker text NOT NULL, version integer NOT NULL)");
    await tx.query("INSERT INTO schema_version VALUES (1, $1, 0)", [marker]);
    return 0;
  }
  const { rows: columns } = await tx.query<{ name: string }>(
    "SELECT attname AS name FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname IN ('marker', 'version')",
    [`${name}.schema_version`],
  );
  const { rows } =
    columns.length === 2 ? await tx.query<{ marker: string; version: number }>("SELECT marker, version FROM schema_version") : { rows: [] };
  if (rows.length !== 1 || rows[0]?.marker !== marker) {
    throw new ServerError("data_unusable", `The schema ${name} of the database does not hold Latchkey's ${holds}: choose another schema.`);
  }
  return rows[0].version;
}
