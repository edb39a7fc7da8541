import { describe, expect, test } from "vitest";
import { createReadingLocks } from "./reading-locks.ts";

function scene() {
  const held: string[] = [];
  const timers = new Set<() => void>();
  const locks = {
    async request(name: string, _options: unknown, run: () => Promise<void>) {
      held.push(name);
      await run();
      held.splice(held.indexOf(name), 1);
    },
  };
  const setTimer = (_delayMs: number, run: () => void): (() => void) => {
    timers.add(run);
    return () => void timers.delete(run);
  };
  // Of locks only asking for one is used.
  const reading = createReadingLocks({ locks: locks as unknown as LockManager, setTimer });
  const pass = async (): Promise<void> => {
    const due = [...timers];
    timers.clear();
    for (const run of due) run();
    await Promise.resolve();
    await Promise.resolve();
  };
  return { held, timers, reading, pass };
}

describe("a file that is read", () => {
  test("is held from its first part until a while after its last, once", async () => {
    const { held, timers, reading, pass } = scene();
    for (const id of ["a", "b", "a", "a"]) reading(id);
    expect([held, timers.size]).toEqual([["latchkey-reading/a", "latchkey-reading/b"], 2]);
    await pass();
    expect([held, timers.size]).toEqual([[], 0]);
    reading("a");
    expect(held).toEqual(["latchkey-reading/a"]);
  });

  test("is read all the same where there are no locks, or none is given", () => {
    const setTimer = (): (() => void) => () => undefined;
    const locks = { request: () => Promise.reject(new Error("no")) } as unknown as LockManager;
    for (const some of [undefined, locks]) expect(() => createReadingLocks({ locks: some, setTimer })("a")).not.toThrow();
  });
});
