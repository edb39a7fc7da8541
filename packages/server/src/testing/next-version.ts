import pg from "pg";

/**
 * Does to a server's schemas what a step of the next version may do (decision 0043): each table has a column more, of which this version
 * knows nothing, and an index, and there is a table more. Servers of this version can go on.
 */
export async function bringFurther(url: string, schemas: Readonly<Record<"logs" | "accounts", string>>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const schema of Object.values(schemas)) {
      const { rows } = await client.query<{ name: string }>(
        "SELECT relname::text AS name FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition",
        [schema],
      );
      const changes = rows.flatMap(({ name }) => [
        `ALTER TABLE ${name} ADD COLUMN next_version bigint NOT NULL DEFAULT 7`,
        `CREATE INDEX ON ${name} (next_version)`,
      ]);
      const step = [...changes, "CREATE TABLE next_version (id bigint PRIMARY KEY)", "UPDATE schema_version SET version = version + 1"];
      await client.query(["BEGIN", `SET LOCAL search_path = ${schema}`, ...step, "COMMIT"].join("; "));
    }
  } finally {
    await client.end();
  }
}
