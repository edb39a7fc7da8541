import type { DatabasePlace, ServerLimits, ServerOptions } from "../config.ts";
import { ServerError, StoreError } from "../errors.ts";
import { PostgresDatabase } from "../store/postgres/database.ts";
import { adviceOf } from "../store/postgres/fault.ts";
import { openPostgresStore } from "../store/postgres/postgres-store.ts";
import type { PostgresOptions } from "../store/postgres/postgres-store.ts";
import { checkSettings } from "../store/postgres/settings.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { StoreLoad } from "../store/store-load.ts";
import type { Store } from "../store/store.ts";

/** What the schemas of a database are called where the operator does not say it. */
const defaultSchema = "latchkey";

/** Opens the store that the options name: in a database elsewhere, or in the data folder. @throws ServerError */
export function openStoreOf({ database, dataDirectory }: ServerOptions, limits: ServerLimits, load: StoreLoad): Promise<Store> {
  if (database === undefined) {
    const { maxDatabasePages } = limits;
    return openSqliteStore({ directory: dataDirectory, ...(maxDatabasePages > 0 ? { maxPages: maxDatabasePages } : {}) }, load);
  }
  return openPostgresStore(postgresOf(database), load);
}

/** Where the schemas of a database are. */
export function postgresOf({ at: url, accountsAt: accountsUrl = url, schema = defaultSchema, acceptLoss }: DatabasePlace): PostgresOptions {
  return { url, accountsUrl, schemas: { logs: `${schema}_logs`, accounts: `${schema}_accounts` }, acceptLoss };
}

/** Looks whether the databases answer and are set as they have to be: what is wrong, in a sentence; `undefined` where nothing is. */
export async function databaseFault(place: DatabasePlace): Promise<string | undefined> {
  const { url, accountsUrl = url, schemas } = postgresOf(place);
  try {
    for (const address of [
      { url, schema: schemas.logs },
      { url: accountsUrl, schema: schemas.accounts },
    ]) {
      const database = await PostgresDatabase.open(address);
      try {
        await checkSettings(database, place);
      } finally {
        await database.close();
      }
    }
    return undefined;
  } catch (error) {
    if (error instanceof ServerError) return error.message;
    if (error instanceof StoreError) return adviceOf(error) ?? "The database went away while it was looked at: look again.";
    throw error;
  }
}
