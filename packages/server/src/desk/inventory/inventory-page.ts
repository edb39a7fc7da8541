import type { Tables } from "./entry.ts";
import { fields } from "./fields.ts";
import { files } from "./files.ts";
import { copyKept, databases, heldElsewhere, notHeld, orderedBy } from "./inventory.ts";
import { notInPostgres, postgresColumns } from "./postgres-columns.ts";

/** The page `docs/inventory.md`, whole: the inventory for people. */
export function inventoryPage(): string {
  return (
    [
      "# What a server holds",
      "<!-- Written by: node tools/run.js packages/server/src/desk/inventory/write-page.ts -->",
      "Every column of every database, every file, why it is there and how long. A test reads the databases' own schemas and fails for a column that is not here, and for one of an account that is in no field of the package that the account can download. Every server says the same at `/v1/inventory`, as JSON. This page is not legal advice.",
      `**${notHeld}**`,
      `**${copyKept}**`,
      heldElsewhere,
      "## Kinds of data, and who may order them",
      table(["Kind", "Who may order it"], Object.entries(orderedBy)),
      "## Of an account",
      "All of this is in the package (*What the server holds about me*, `latchkey inspect`), under these names. *After deletion* says what is left when the person deletes the account: where nothing stands, it is erased then.",
      table(
        ["Field", "What, and why", "Kept", "Kind", "After deletion", "Columns"],
        Object.entries(fields).map(([path, entry]) => [
          `\`${path}\``,
          `${entry.what} ${entry.why}`,
          entry.kept,
          entry.category,
          entry.afterDeletion ?? "",
          columnsOf(path),
        ]),
      ),
      ...Object.entries(databases).flatMap(([database, tables]) => [`## \`${database}\`: of no account`, othersOf(tables)]),
      "## In a PostgreSQL",
      `Where accounts and conversations lie in a [PostgreSQL](cluster.md), the schema that ends in \`_accounts\` has the tables of \`accounts.sqlite\` and that which ends in \`_logs\` those of \`logs.sqlite\`, without ${[...new Set(Object.values(notInPostgres).flat())].map((name) => `\`${name}\``).join(", ")}, and with these beside:`,
      table(
        ["Schema", "Column", "What"],
        Object.entries(postgresColumns).flatMap(([schema, columns]) =>
          Object.entries(columns).map(([column, what]) => [`\`_${schema}\``, `\`${column}\``, what]),
        ),
      ),
      "## Files and memory",
      table(
        ["Where", "What", "Why", "Kept"],
        files.map(({ path, what, why, kept }) => [path, what, why, kept]),
      ),
    ].join("\n\n") + "\n"
  );
}

function columnsOf(path: string): string {
  const found = Object.values(databases).flatMap((tables) =>
    Object.entries(tables).flatMap(([name, entry]) =>
      entry.tiedTo !== "account"
        ? []
        : Object.entries(entry.columns).flatMap(([column, field]) => (field === path ? [`\`${name}.${column}\``] : [])),
    ),
  );
  return found.join(", ");
}

function othersOf(tables: Tables): string {
  const rows = Object.entries(tables).flatMap(([name, entry]) => {
    if (entry.tiedTo === "account") return [];
    const columns = Object.entries(entry.columns).map(([column, what]) => `\`${column}\`: ${what}`);
    return [[`\`${name}\``, entry.tiedTo, entry.category, entry.why, entry.kept, columns.join(" ")]];
  });
  return table(["Table", "Of", "Kind", "Why", "Kept", "Columns"], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
