import { expect, test } from "vitest";
import { StoreFault } from "../errors.ts";
import { StoreFaults } from "./store-faults.ts";
import { StoreLoad } from "./store-load.ts";

const fault = (errcode: number = 1): StoreFault => new StoreFault({ name: "Error", errcode, errstr: "SQL logic error", stack: "at a" });

function watched() {
  const at = { nowMs: 1_800_000_000_000 };
  const told: string[] = [];
  const load = new StoreLoad();
  const faults = new StoreFaults({
    nowMs: () => at.nowMs,
    tell: ({ code, words }, operation) => told.push(`${operation} ${code} ${words}`),
  });
  faults.watch(load);
  return { at, told, load, faults };
}

test("each cause is told once a minute, for each operation", () => {
  const { at, told, load } = watched();
  for (let times = 0; times < 5; times++) load.onFault("append", fault());
  load.onFault("append", fault(787));
  load.onFault("putCard", fault());
  expect(told).toEqual(["append SQLITE_1 SQL logic error", "append SQLITE_787 SQL logic error", "putCard SQLITE_1 SQL logic error"]);
  at.nowMs += 60_000;
  load.onFault("append", fault());
  expect(told).toHaveLength(4);
});

test("an operation that fails three times without a success repeats, until it succeeds", () => {
  const { load, faults } = watched();
  load.onFault("append", fault());
  load.onFault("append", fault());
  load.onSuccess("append");
  load.onFault("append", fault());
  load.onFault("append", fault());
  expect(faults.isRepeating).toBe(false);
  load.onFault("append", fault());
  // That others work says nothing of it.
  load.onSuccess("readEntries");
  expect(faults.isRepeating).toBe(true);
  load.onSuccess("append");
  expect(faults.isRepeating).toBe(false);
});

test("failures that are far apart, and ones that nobody asks for any more, do not count", () => {
  const { at, load, faults } = watched();
  for (let times = 0; times < 5; times++) {
    load.onFault("append", fault());
    at.nowMs += 60_000;
  }
  expect(faults.isRepeating).toBe(false);
  for (let times = 0; times < 3; times++) load.onFault("append", fault());
  at.nowMs += 599_999;
  expect(faults.isRepeating).toBe(true);
  at.nowMs += 1;
  expect(faults.isRepeating).toBe(false);
});
