import { openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { StoreError } from "./errors.ts";
import { causeOf } from "./log-causes.ts";

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

test("what the system and the database say is told, through every cause, and no message or path", () => {
  const path = "/nonexistent/alice";
  const cause = causeOf(new StoreError("failed", { cause: thrownBy(() => openSync(path, "r")) }));
  expect(cause).toMatchObject({ name: "StoreError", code: "failed", cause: { name: "Error", code: "ENOENT" } });
  expect(cause.stack[0]).toMatch(/^at .*log-causes\.test/);
  expect(JSON.stringify(cause)).not.toContain("alice");
  const database = new DatabaseSync(":memory:");
  database.exec("CREATE TABLE t (a TEXT UNIQUE); INSERT INTO t VALUES ('alice')");
  const refused = causeOf(thrownBy(() => database.exec("INSERT INTO t VALUES ('alice')")));
  // SQLITE_CONSTRAINT_UNIQUE
  expect(refused).toMatchObject({ code: "SQLITE_2067", words: "constraint failed" });
  expect(JSON.stringify(refused)).not.toContain("alice");
  database.close();
});

test("an error that is its own cause, a name or code that somebody made up, and what is no error at all, are told shortly", () => {
  const endless = new Error("bob");
  endless.cause = endless;
  expect(JSON.stringify(causeOf(endless)).match(/"name"/g)).toHaveLength(4);
  const made = Object.assign(new Error("bob"), { name: "bob is here\n", code: "a b", errstr: "bob_1" });
  expect(causeOf(made)).toEqual({ name: "Error", stack: expect.any(Array) });
  // The message stands before the places, whatever lines it has.
  expect(JSON.stringify(causeOf(Object.assign(new Error("x\nbob says"), {})).stack)).not.toContain("bob");
  expect(causeOf("bob")).toEqual({ name: "unknown", stack: [] });
});
