import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { StoreError } from "../../errors.ts";
import { StoreLoad } from "../store-load.ts";
import { DatabaseWatch } from "./database-watch.ts";
import type { DatabaseProbes, DatabaseWork } from "./database-watch.ts";
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
  const works: readonly DatabaseWork[] = ["logs.read", "logs.write", "accounts.read", "accounts.write"];
  // All of them.
  const probes = Object.fromEntries(works.map((work) => [work, probe(work)])) as unknown as DatabaseProbes;
  const watch = new DatabaseWatch(probes, load);
  return { watch, load, lines, broken, asked };
}

test("a database that nobody asks is looked at, without a write; one that is asked is not", async () => {
  const { watch, load, lines, broken, asked } = newWatch();
  await vi.advanceTimersByTimeAsync(5000);
  expect(asked.splice(0)).toEqual(["logs.read", "accounts.read"]);
  watch.well("logs.write");
  watch.well("accounts.read");
  await vi.advanceTimersByTimeAsync(4000);
  watch.well("accounts.read");
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked.splice(0)).toEqual([]);
  broken.add("accounts.read");
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
  broken.add("logs.write");
  watch.failed("logs.write", told("unavailable", "not on the standby"));
  for (const work of ["logs.read", "accounts.read", "accounts.write"] as const) watch.well(work);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(load.away()).toContain("writes nothing (connection broke)");
  expect(asked).not.toContain("accounts.write");
  broken.clear();
  await vi.advanceTimersByTimeAsync(5000);
  expect(load.away()).toBeUndefined();
  watch.close();
});

test("what it refuses says that it is there", () => {
  const { watch, load, lines } = newWatch();
  watch.failed("logs.read", told("unavailable", "connection broke"));
  watch.failed("logs.read", new StoreError("failed"));
  watch.failed("logs.write", new StoreError("full"));
  expect(load.away()).toBeUndefined();
  expect(lines).toEqual([expect.any(String), "back"]);
  watch.close();
});

test("a line comes once a minute, however often it fails, and goes and comes", async () => {
  const { watch, lines } = newWatch();
  for (let second = 0; second < 150; second++) {
    watch.failed("logs.read", told("unavailable", "connection broke"));
    watch.failed("logs.write", told("unavailable", "connection broke"));
    if (second % 2 === 0) {
      watch.well("logs.read");
      watch.well("logs.write");
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
  watch.failed("logs.read", told("unavailable", "connection broke"));
  await vi.advanceTimersByTimeAsync(60_000);
  expect([lines, asked]).toEqual([[], []]);
});

test("one that says nothing, as a process that is stopped, is away after five seconds, and back with its answer", async () => {
  const load = new StoreLoad();
  const answers: (() => void)[] = [];
  const silent = (): Promise<void> =>
    new Promise((resolve) => {
      answers.push(resolve);
    });
  const watch = new DatabaseWatch({ "logs.read": silent, "logs.write": silent, "accounts.read": silent, "accounts.write": silent }, load);
  await vi.advanceTimersByTimeAsync(9999);
  expect(load.away()).toBeUndefined();
  await vi.advanceTimersByTimeAsync(2);
  expect(load.away()).toContain("does not answer (no answer yet)");
  answers[0]?.();
  await vi.advanceTimersByTimeAsync(1);
  expect(load.away()).toBeUndefined();
  watch.close();
});
