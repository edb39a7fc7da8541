import { ServerError, StoreError } from "../../errors.ts";
import { applicationName } from "./database.ts";
import type { PostgresDatabase } from "./database.ts";
import { adviceOf, newerWords, told } from "./fault.ts";
import type { PostgresTransaction } from "./transaction.ts";

/** What a schema of ours holds: how it is marked, and its tables, one step a version, never changed once released, only added to. */
export interface PostgresSteps {
  /** Which of our databases it is. */
  readonly holds: "logs" | "accounts";
  readonly steps: readonly string[];
  /** The format that the version before knows: servers that know it go on with what these steps make (decision 0043). Never goes back. */
  readonly usableFrom: number;
}

/** What connections of a server are called in the database: which format it knows. */
export function serverName({ holds, steps }: PostgresSteps): string {
  return `${applicationName} ${holds} ${steps.length}`;
}

/** Of the names of connections that begin so: those of servers. */
export const serverNames: string = `^${applicationName} (logs|accounts) [0-9]+$`;

/**
 * Brings a schema to the newest version, and makes it where there is none: each step is a write of its own, so that of several processes
 * that start at once each step is taken by one. One of the next version is left as it is.
 * @param mayBeNewer whether it may be of the next version: not where all that is in it has to be known
 * @throws ServerError `data_newer` for a schema of a later version, `data_locked` while a server runs that could not go on with this one's,
 * `data_unusable` for one that is not ours or cannot be brought there, `database_failed` where the database is away
 */
export async function migrate(
  database: PostgresDatabase,
  schema: PostgresSteps,
  { mayBeNewer }: { readonly mayBeNewer: boolean },
): Promise<void> {
  const { schema: name } = database;
  try {
    while (!(await database.write((tx) => takeStep(tx, { name, schema, mayBeNewer }), { isTold: false })));
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

/** For a server that runs, and may have been cut off while another one went further. @throws StoreError `unavailable` where it cannot go on, or cannot ask */
export async function refuseNewerMeanwhile(connection: PostgresTransaction, { steps }: PostgresSteps): Promise<void> {
  const { rows } = await connection.query<{ usable: number }>("SELECT usable_from AS usable FROM schema_version");
  if (rows[0] === undefined || rows[0].usable > steps.length) throw told("unavailable", newerWords);
}

/** Answers whether there is no further step. */
async function takeStep(
  tx: PostgresTransaction,
  params: { readonly name: string; readonly schema: PostgresSteps; readonly mayBeNewer: boolean },
): Promise<boolean> {
  const { name, schema, mayBeNewer } = params;
  const { holds, steps } = schema;
  const { version, usable } = await markOf(tx, name, holds);
  if (version > steps.length) {
    if (mayBeNewer && usable <= steps.length) return true;
    throw new ServerError(
      "data_newer",
      `The schema ${name} of the database was written by a newer version (format ${version}, this one knows ${steps.length}): update Latchkey, or choose another schema.`,
    );
  }
  const step = steps[version];
  const reached = step === undefined ? version : version + 1;
  const usableFrom = Math.min(schema.usableFrom, reached);
  if (step === undefined && usableFrom <= usable) return true;
  await refuseOlder(tx, holds, usableFrom);
  if (step !== undefined) await tx.query(step);
  await tx.query("UPDATE schema_version SET version = $1, usable_from = $2", [reached, Math.max(usable, usableFrom)]);
  return false;
}

/** Who runs goes on with what it knows, and would not find it. @throws ServerError `data_locked` */
async function refuseOlder(tx: PostgresTransaction, holds: string, usableFrom: number): Promise<void> {
  const format = `substring(application_name FROM '^${applicationName} ${holds} ([0-9]{1,6})$')::integer`;
  const { rows } = await tx.query(
    `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND ${format} < $1 LIMIT 1`,
    [usableFrom],
  );
  if (rows.length > 0) {
    throw new ServerError(
      "data_locked",
      "A server of a version that cannot go on beside this one runs on the database: stop it, or update it to the version before this one first.",
    );
  }
}

/** Its format, and from which on it can be used. Marks a schema as ours where it is empty. @throws ServerError `data_unusable` */
async function markOf(
  tx: PostgresTransaction,
  name: string,
  holds: string,
): Promise<{ readonly version: number; readonly usable: number }> {
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
  }
  const { rows: columns } = await tx.query<{ name: string }>(
    "SELECT attname AS name FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname IN ('marker', 'version', 'usable_from')",
    [`${name}.schema_version`],
  );
  const isMarked = columns.some(({ name: column }) => column === "marker");
  if (isMarked && columns.length === 2) await tx.query("ALTER TABLE schema_version ADD COLUMN usable_from integer NOT NULL DEFAULT 0");
  const mark = "SELECT marker, version, usable_from AS usable FROM schema_version";
  const { rows } =
    isMarked && columns.length >= 2 ? await tx.query<{ marker: string; version: number; usable: number }>(mark) : { rows: [] };
  if (rows.length !== 1 || rows[0]?.marker !== marker) {
    throw new ServerError("data_unusable", `The schema ${name} of the database does not hold Latchkey's ${holds}: choose another schema.`);
  }
  return rows[0];
}
