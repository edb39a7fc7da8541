import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { StoreError } from "../../errors.ts";
import { StoreLoad } from "../store-load.ts";
import { DatabaseWatch } from "./database-watch.ts";
import type { DatabaseWork } from "./database-watch.ts";
import { told } from "./fault.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A watch over a database whose works can be broken. */
function newWatch() {
  const load = new StoreLoad();
  const lines: string[] = [];
  load.onAway = (why) => lines.push(why ?? "back");
  const broken = new Set<DatabaseWork>();
  const asked: DatabaseWork[] = [];
  const probe = (work: DatabaseWork) => async (): Promise<void> => {
    asked.push(work);
    if (broken.has(work)) throw told("unavailable", "connection broke");
  };
  const watch = new DatabaseWatch({ read: probe("read"), write: probe("write") }, load);
  return { watch, load, lines, broken, asked };
}

test("a database that nobody asks is looked at, without a write; one that is asked is not", async () => {
  const { watch, load, lines, broken, asked } = newWatch();
  await vi.advanceTimersByTimeAsync(5000);
  expect(asked).toEqual(["read"]);
  watch.well("write");
  await vi.advanceTimersByTimeAsync(5000);
  expect(asked).toEqual(["read"]);
  broken.add("read");
  await vi.advanceTimersByTimeAsync(5000);
  expect(load.away()).toContain("does not answer (connection broke)");
  broken.clear();
  await vi.advanceTimersByTimeAsync(1000);
  expect(load.away()).toBeUndefined();
  expect(lines).toEqual([expect.stringContaining("does not answer"), "back"]);
  watch.close();
});

test("one that answers and does not write is away until it writes", async () => {
  const { watch, load, broken, asked } = newWatch();
  broken.add("write");
  watch.failed("write", told("unavailable", "not on the standby"));
  watch.well("read");
  await vi.advanceTimersByTimeAsync(10_000);
  expect(load.away()).toContain("writes nothing (connection broke)");
  expect(asked).not.toContain("read");
  broken.clear();
  await vi.advanceTimersByTimeAsync(5000);
  expect(load.away()).toBeUndefined();
  watch.close();
});

test("what it refuses says that it is there", () => {
  const { watch, load, lines } = newWatch();
  watch.failed("read", told("unavailable", "connection broke"));
  watch.failed("read", new StoreError("failed"));
  watch.failed("write", new StoreError("full"));
  expect(load.away()).toBeUndefined();
  expect(lines).toEqual([expect.any(String), "back"]);
  watch.close();
});

test("a line comes once a minute, however often it fails, and goes and comes", async () => {
  const { watch, lines } = newWatch();
  for (let second = 0; second < 150; second++) {
    watch.failed("read", told("unavailable", "connection broke"));
    watch.failed("write", told("unavailable", "connection broke"));
    if (second % 2 === 0) {
      watch.well("read");
      watch.well("write");
    }
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(lines.filter((line) => line !== "back")).toHaveLength(3);
  expect(lines.filter((line) => line === "back").length).toBeLessThanOrEqual(3);
  watch.close();
});

test("one that is closed says nothing more", async () => {
  const { watch, lines, asked } = newWatch();
  watch.close();
  watch.failed("read", told("unavailable", "connection broke"));
  await vi.advanceTimersByTimeAsync(60_000);
  expect([lines, asked]).toEqual([[], []]);
});
