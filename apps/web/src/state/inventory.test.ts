import { expect, it } from "vitest";
import { readInventory } from "./inventory.ts";

it("shows the columns of each table together, and the files", () => {
  const json = JSON.stringify({
    not_held: "Content: not held.",
    columns: [
      { database: "a.sqlite", table: "one", column: "id", what: "A number.", why: "For that.", kept: "Always." },
      { database: "a.sqlite", table: "one", column: "day", what: "A day." },
      { database: "a.sqlite", table: "two", column: "id", what: 7 },
      "nonsense",
    ],
    files: [{ path: "clock", what: "The time.", why: "x", kept: "y" }],
  });
  const view = readInventory(json);
  expect(view?.notHeld).toBe("Content: not held.");
  expect(view?.groups.map(({ name, entries }) => [name, entries.map((entry) => entry.name)])).toEqual([
    ["a.sqlite · one", ["id", "day"]],
    ["a.sqlite · two", ["id"]],
    ["files", ["clock"]],
  ]);
  expect(view?.groups[0]?.entries[1]).toEqual({ name: "day", what: "A day.", why: "", kept: "" });
  expect(view?.groups[1]?.entries[0]?.what).toBe("");
});

it("takes a page of something in between for none", () => {
  for (const text of ["", "<html>", "[]", "{}", '{"columns":{},"files":[]}']) expect(readInventory(text)).toBeUndefined();
});
