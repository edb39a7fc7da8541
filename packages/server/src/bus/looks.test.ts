import { expect, test, vi } from "vitest";
import { StoreError } from "../errors.ts";
import type { GrownEnd, KnownEnd } from "../store/store.ts";
import { Looks } from "./looks.ts";
import type { LookParts } from "./looks.ts";

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** Looks at logs of which the store has so many entries, whose pauses end when the test says so. */
function looking(stored: Map<string, number>, change: Partial<LookParts> = {}) {
  const known = new Map([...stored.keys()].map((key) => [key, 0]));
  const asked: (readonly KnownEnd[])[] = [];
  const pauses: (() => void)[] = [];
  const bugs: unknown[] = [];
  const looks = new Looks({
    known: (key) => {
      const lastSeq = known.get(key);
      return lastSeq === undefined ? undefined : { id: Buffer.from(key), lastSeq };
    },
    grown: (ends) => {
      asked.push(ends);
      const grown = ends.map(({ id }, at): GrownEnd => ({ at, lastSeq: stored.get(Buffer.from(id).toString()) ?? 0 }));
      return Promise.resolve(grown.filter(({ at, lastSeq }) => lastSeq > (ends[at]?.lastSeq ?? 0)));
    },
    // Two at a time, as a page.
    onGrown: (grown) => {
      const left = grown.filter(({ key, lastSeq }) => {
        const next = Math.min(lastSeq, (known.get(key) ?? 0) + 2);
        known.set(key, next);
        return next < lastSeq;
      });
      return Promise.resolve(left.map(({ key }) => key));
    },
    setTimer: (_delayMs, run) => {
      pauses.push(run);
      return () => {};
    },
    reportBug: (error) => bugs.push(error),
    ...change,
  });
  const goOn = async (): Promise<void> => {
    pauses.shift()?.();
    await turn();
  };
  return { looks, known, asked, bugs, pauses, goOn };
}

test("[E-147] a flood of hints costs one query at a time, whatever they say", async () => {
  const { looks, known, asked, goOn } = looking(
    new Map([
      ["a", 1],
      ["b", 0],
    ]),
  );
  for (let at = 0; at < 100_000; at++) looks.look(at % 2 === 0 ? "a" : "b");
  looks.look("nobody reads this");
  await turn();
  expect(known.get("a")).toBe(1);
  for (let at = 0; at < 100_000; at++) looks.look("a");
  expect(asked).toHaveLength(1);
  for (let at = 0; at < 3; at++) await goOn();
  // The first hint is looked at at once, what came meanwhile together.
  expect(asked.map((ends) => ends.map(({ id }) => Buffer.from(id).toString()))).toEqual([["a"], ["b", "a"]]);
});

test("[L-3] what is longer than a page is read to its end, and then nothing more is asked", async () => {
  const { looks, known, asked, pauses, goOn } = looking(new Map([["a", 5]]));
  looks.look("a");
  await turn();
  for (let at = 0; at < 5; at++) await goOn();
  expect([known.get("a"), asked.length, pauses.length]).toEqual([5, 3, 0]);
  looks.look("a");
  await turn();
  expect(asked).toHaveLength(4);
});

test("what somebody is told of does not wait for the look at everything", async () => {
  const many = new Map(Array.from({ length: 30_000 }, (_, at) => [`log ${at}`, 1]));
  const { looks, known, asked, goOn } = looking(many);
  looks.lookAll(many.keys());
  await turn();
  looks.look("log 29999");
  await goOn();
  expect([known.get("log 29999"), known.get("log 29998")]).toEqual([1, 0]);
  for (let at = 0; at < 3; at++) await goOn();
  expect([...known.values()].every((seq) => seq === 1)).toBe(true);
  expect(Math.max(...asked.map(({ length }) => length))).toBe(10_000);
});

test("all that is due is asked at once, and no more than a query takes", async () => {
  const many = new Map(Array.from({ length: 12_000 }, (_, at) => [`log ${at}`, 1]));
  const { looks, known, asked, goOn } = looking(many);
  for (const key of many.keys()) looks.look(key);
  await turn();
  await vi.waitFor(async () => {
    await goOn();
    expect([...known.values()].every((seq) => seq === 1)).toBe(true);
  });
  expect(asked.length).toBeLessThanOrEqual(3);
  expect(Math.max(...asked.map(({ length }) => length))).toBe(10_000);
});

test("a database that is away ends nothing, and what is no failure of it is told as a bug", async () => {
  const errors: Error[] = [new StoreError("unavailable"), new TypeError("a bug")];
  const fails = looking(new Map([["a", 1]]), { grown: () => Promise.reject(errors.shift() ?? new StoreError("closed")) });
  for (let at = 0; at < 2; at++) {
    fails.looks.look("a");
    await turn();
    await fails.goOn();
  }
  expect(fails.bugs).toEqual([new TypeError("a bug")]);
});
