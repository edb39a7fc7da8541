import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { limitNames } from "./limit-settings.ts";

/** Rows of the table of limits in docs/operations.md: the cells of each. */
function rowsOfTable(): string[][] {
  const text = readFileSync(new URL("../../../../docs/operations.md", import.meta.url), "utf8");
  const [, section = ""] = text.split("\n## What anybody can take\n");
  const rows = (section.split("\n## ")[0] ?? "").split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((row) => row.split("|").slice(1, -1));
}

const namesIn = (cell = ""): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);

test("the table of limits has every name of --limit once and no other, and for each row a test that is there", () => {
  const rows = rowsOfTable();
  expect(rows.flatMap(([, , , limit]) => namesIn(limit)).toSorted()).toEqual([...limitNames().keys()].toSorted());
  for (const [what, , , , heldBy] of rows) {
    expect(namesIn(heldBy), what).not.toEqual([]);
    for (const file of namesIn(heldBy)) expect(existsSync(new URL(`../${file}`, import.meta.url)), file).toBe(true);
  }
});
