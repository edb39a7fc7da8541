import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { accountsSchema, logsSchema, migrate } from "../../store/sqlite/schema.ts";
import type { Schema } from "../../store/sqlite/schema.ts";
import { deskSchema } from "../office/database.ts";
import { fields } from "./fields.ts";
import { inventoryPage } from "./inventory-page.ts";
import { columns, copyKept, databases, explanations, inventoryJson, notHeld } from "./inventory.ts";

/** Every column that SQLite says a schema has, as `table.column`. */
function columnsOf(schema: Schema): string[] {
  const database = new DatabaseSync(":memory:");
  migrate(database, schema);
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all();
  return tables.flatMap(({ name }) =>
    database
      .prepare("SELECT name FROM pragma_table_info(?)")
      .all(String(name))
      .map((column) => `${String(name)}.${String(column["name"])}`),
  );
}

test.each([
  ["accounts.sqlite", accountsSchema],
  ["logs.sqlite", logsSchema],
  ["desk.sqlite", deskSchema],
] as const)("[F-20] every column of %s has an entry in the inventory, and every entry a column", (name, schema) => {
  const found = columnsOf(schema);
  const entries = columns.filter(({ database }) => database === name).map(({ table, column }) => `${table}.${column}`);
  expect(found.length).toBeGreaterThan(20);
  expect(entries.toSorted()).toEqual(found.toSorted());
});

test("[F-20] every entry says what it is, why it is kept and how long, and every field of the package is of a column", () => {
  for (const { what, why, kept, database, table, column } of columns)
    for (const words of [what, why, kept]) expect(words, `${database} ${table}.${column}`).toMatch(/^.{5,}$/);
  const used = new Set(columns.flatMap(({ field }) => field ?? []));
  expect([...used].toSorted()).toEqual(Object.keys(fields).toSorted());
  // Of accounts there is nothing in the logs' database, and in no other a column of a table that is an account's but the package has it.
  expect(Object.values(databases["logs.sqlite"]).filter(({ tiedTo }) => tiedTo === "account")).toEqual([]);
});

test("[F-20] that no content is held, and that a copy may be, is of the same table wherever it is said", () => {
  const said = JSON.parse(inventoryJson) as Record<string, unknown>;
  expect(said).toMatchObject({ not_held: notHeld, copy_kept: copyKept });
  expect(said["columns"]).toHaveLength(columns.length);
  expect(explanations).toMatchObject({ not_held: notHeld, copy_kept: copyKept });
  expect(notHeld).toMatch(/^Content: not held, the server has no key\./);
  // No column of an account is content.
  expect(columns.filter(({ tiedTo, category }) => tiedTo === "account" && category === "content")).toEqual([]);
});

test("docs/inventory.md is what the inventory says: node tools/run.js packages/server/src/desk/inventory/write-page.ts writes it", () => {
  expect(readFileSync(new URL("../../../../../docs/inventory.md", import.meta.url), "utf8")).toBe(inventoryPage());
});
