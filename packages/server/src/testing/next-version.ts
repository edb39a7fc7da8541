import { PostgresDatabase } from "../store/postgres/database.ts";
import { migrate } from "../store/postgres/migrate.ts";
import type { PostgresSteps } from "../store/postgres/migrate.ts";
import { accountsSteps } from "../store/postgres/schema-accounts.ts";
import { logsSteps } from "../store/postgres/schema-logs.ts";

/**
 * Brings a server's schemas further, as the next version does when it starts, by a step that may be (decision 0043): each table has a column
 * more, of which this version knows nothing, and an index, and there is a table more. Servers of this version can go on.
 */
export async function bringFurther(url: string, schemas: Readonly<Record<"logs" | "accounts", string>>): Promise<void> {
  for (const known of [logsSteps, accountsSteps]) {
    const database = await PostgresDatabase.open({ url, schema: schemas[known.holds] });
    try {
      await migrate(database, await nextOf(known, database), { mayBeNewer: false });
    } finally {
      await database.close();
    }
  }
}

async function nextOf({ holds, steps }: PostgresSteps, database: PostgresDatabase): Promise<PostgresSteps> {
  const { rows } = await database.query<{ name: string }>(
    "SELECT relname AS name FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p') AND NOT relispartition",
    [database.schema],
  );
  const step = rows.map(
    ({ name }) => `ALTER TABLE ${name} ADD COLUMN next_version bigint NOT NULL DEFAULT 7; CREATE INDEX ON ${name} (next_version);`,
  );
  return { holds, usableFrom: steps.length, steps: [...steps, `${step.join("\n")} CREATE TABLE next_version (id bigint PRIMARY KEY);`] };
}
