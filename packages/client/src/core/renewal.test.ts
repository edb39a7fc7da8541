import { seededRandom } from "@latchkey/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  encodeRenewalStamp,
  inTurns,
  healsWithinDays,
  isRenewalDue,
  noRenewal,
  renewalDelayMs,
  renewalStamp,
  renewedBy,
  spread,
} from "./renewal.ts";
import type { Renewal } from "./renewal.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const startMs = 1_767_225_600_000;
/** A commit is with everybody after so long. */
const latencyMs = 1500;

/** From which hour of the day on, and for how many hours, a device is on; nobody knows of another's. */
interface Habit {
  readonly fromHour: number;
  readonly hours: number;
}

const isOn = ({ fromHour, hours }: Habit, hour: number): boolean => (hour - fromHour + 24) % 24 < hours;

/** A group whose devices were all added in one moment, lived by the hour: who renews their leaf when. */
function live(habits: readonly Habit[], days: number, seed: string): { readonly at: number[][]; readonly races: number } {
  const random = seededRandom(seed);
  const jitter = (): number => (random(1)[0] ?? 0) / 256;
  const leaves = habits.map((_, leaf) => leaf);
  const nobody: ReadonlySet<number> = new Set();
  const unrenewed = new Set(leaves);
  let shared: Renewal = { ownAtMs: 0, lastAtMs: 0, order: inTurns(leaves, unrenewed) };
  const ownAtMs = leaves.map(() => startMs);
  const at = leaves.map((): number[] => []);
  let races = 0;
  for (let hour = 0; hour < days * 24; hour += 1) {
    const nowMs = startMs + hour * hourMs;
    for (let fromMs = nowMs; fromMs < nowMs + hourMs;) {
      const renewal = shared;
      const plans = leaves
        .filter((leaf) => isOn(habits[leaf] ?? { fromHour: 0, hours: 0 }, hour % 24))
        .map((leaf) => {
          const own = { ...renewal, ownAtMs: ownAtMs[leaf] ?? 0 };
          return { leaf, own, atMs: fromMs + renewalDelayMs(own, leaf, { nowMs: fromMs, jitter: jitter() }) };
        })
        .filter(({ own, atMs }) => atMs < nowMs + hourMs && isRenewalDue(own, atMs))
        .toSorted((a, b) => a.atMs - b.atMs);
      const [first] = plans;
      if (first === undefined) break;
      // Of those who could not know of it, the server takes none: theirs are of the epoch before.
      races += plans.filter(({ atMs }) => atMs < first.atMs + latencyMs).length - 1;
      unrenewed.delete(first.leaf);
      const commit = { author: first.leaf, isOwn: false, pathAloneAtMs: first.atMs, leaves, fresh: nobody, unrenewed };
      shared = renewedBy(renewal, commit, first.atMs);
      ownAtMs[first.leaf] = first.atMs;
      at[first.leaf]?.push(first.atMs);
      fromMs = first.atMs + latencyMs;
    }
  }
  return { at, races };
}

function perDay(at: readonly (readonly number[])[]): number[] {
  const counts: number[] = [];
  for (const ms of at.flat()) {
    const day = Math.floor((ms - startMs) / dayMs);
    counts[day] = (counts[day] ?? 0) + 1;
  }
  return [...counts].map((count) => count ?? 0);
}

const longestGapMs = (times: readonly number[], days: number): number => {
  const all = [startMs, ...times, startMs + days * dayMs];
  return Math.max(...all.slice(1).map((ms, index) => ms - (all[index] ?? 0)));
};

const always: Habit = { fromHour: 0, hours: 24 };

describe("[R-6] a group that heals on its own", () => {
  it("of 1,000 devices, none off: 24 renew their leaves a day, and each within 43 days, oldest first", () => {
    const days = 60;
    const { at, races } = live(
      Array.from({ length: 1000 }, () => always),
      days,
      "all on",
    );
    expect(Math.max(...perDay(at))).toBe(24);
    expect(healsWithinDays(1000)).toBe(43);
    for (const times of at) {
      expect(times.length).toBeGreaterThan(0);
      expect(longestGapMs(times, days)).toBeLessThanOrEqual(43 * dayMs);
    }
    // Nobody's turn is within a second of another's.
    expect(races).toBeLessThan(days);
  });

  it("many of them off: a day has no more than 24, who is off holds up nobody, and who is on an hour a day has a turn too", () => {
    const days = 60;
    const habits = Array.from({ length: 1000 }, (_, leaf): Habit => {
      if (leaf % 10 < 3) return always;
      if (leaf % 10 < 6) return { fromHour: leaf % 24, hours: 8 };
      return { fromHour: leaf % 24, hours: leaf % 10 < 8 ? 1 : 0 };
    });
    const { at } = live(habits, days, "many off");
    expect(Math.max(...perDay(at))).toBeLessThanOrEqual(24);
    for (const [leaf, times] of at.entries()) {
      if (habits[leaf]?.hours === 0) expect(times).toEqual([]);
      else expect(longestGapMs(times, days)).toBeLessThanOrEqual(healsWithinDays(1000) * dayMs);
    }
  });

  it("of a few devices: each about once a week", () => {
    for (const size of [2, 5, 30, 100]) {
      const days = 60;
      const { at } = live(
        Array.from({ length: size }, () => always),
        days,
        `of ${String(size)}`,
      );
      for (const times of at) {
        expect(longestGapMs(times, days)).toBeLessThanOrEqual(7 * dayMs + hourMs);
        expect(times.length).toBeLessThanOrEqual(Math.ceil(days / Math.max(1, 7 - size / 24)));
      }
    }
  });
});

describe("[R-6] what one member can do to it", () => {
  const leaves = Array.from({ length: 60 }, (_, leaf) => leaf);
  const commit = (author: number, pathAloneAtMs: number) => ({
    author,
    isOwn: false,
    pathAloneAtMs,
    leaves,
    fresh: new Set<number>(),
    unrenewed: new Set<number>(),
  });

  it("whoever renews their leaf again and again uses up one hour, and no more", () => {
    let renewal: Renewal = { ownAtMs: 0, lastAtMs: 0, order: leaves };
    renewal = renewedBy(renewal, commit(7, startMs), startMs);
    expect(isRenewalDue(renewal, startMs + 1)).toBe(false);
    for (let hour = 1; hour < 10; hour += 1) {
      renewal = renewedBy(renewal, commit(7, startMs + hour * hourMs), startMs + hour * hourMs);
      expect(isRenewalDue(renewal, startMs + hour * hourMs + 1)).toBe(true);
    }
    expect(renewal.order.at(-1)).toBe(7);
  });

  it("[E-105] a stamp ahead of the reader is taken for now, one of long ago leaves the hour free, and bytes that are none for now", () => {
    const after = (stampMs: number): Renewal => renewedBy({ ...noRenewal, order: leaves }, commit(3, stampMs), startMs);
    expect(after(startMs + 400 * dayMs).lastAtMs).toBe(startMs);
    expect(isRenewalDue(after(startMs - 5 * dayMs), startMs)).toBe(true);
    expect(renewalStamp(encodeRenewalStamp(startMs - 5), startMs)).toBe(startMs - 5);
    expect(renewalStamp(encodeRenewalStamp(Number.MAX_SAFE_INTEGER), startMs)).toBe(startMs);
    for (const ext of [new Uint8Array(0), new Uint8Array(7), new Uint8Array(9)]) expect(renewalStamp(ext, startMs)).toBe(startMs);
    expect(renewalStamp(new Uint8Array(8).fill(255), startMs)).toBe(startMs);
  });

  it("nothing is renewed before it is due, however often a device looks", () => {
    const renewed: Renewal = { ownAtMs: startMs, lastAtMs: 0, order: [0, 1] };
    const dueMs = startMs + 7 * dayMs - 2 * hourMs;
    expect([startMs, startMs + 6 * dayMs, dueMs - 1, dueMs].map((nowMs) => isRenewalDue(renewed, nowMs))).toEqual([
      false,
      false,
      false,
      true,
    ]);
    // In the largest groups, too, no sooner than a day after it was.
    const large: Renewal = { ...renewed, order: Array.from({ length: 1000 }, (_, leaf) => leaf) };
    expect([startMs + dayMs - 1, startMs + dayMs].map((nowMs) => isRenewalDue(large, nowMs))).toEqual([false, true]);
  });

  it("whatever clocks say, a device waits for a finite time, and at most until it is due, an hour and its turn", () => {
    const time = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
    fc.assert(
      fc.property(time, time, fc.integer({ min: 0, max: 59 }), (ownAtMs, lastAtMs, leaf) => {
        const delayMs = renewalDelayMs({ ownAtMs, lastAtMs, order: leaves }, leaf, { nowMs: startMs, jitter: 0.5 });
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThanOrEqual(7 * dayMs + hourMs + 60 * 2000 + 1000);
      }),
    );
  });
});

describe("[R-6] the order of the leaves", () => {
  it("has leaves that were never renewed far apart, in the places that they have together", () => {
    const unrenewed = new Set([0, 1, 2, 3]);
    expect(inTurns([9, 0, 1, 8, 2, 3, 7], unrenewed)).toEqual([9, 0, 2, 8, 1, 3, 7]);
    expect(
      renewedBy(
        { ownAtMs: 0, lastAtMs: 0, order: [0, 1, 2, 3, 4] },
        { author: 4, isOwn: false, pathAloneAtMs: startMs, leaves: [0, 1, 2, 3, 4], fresh: new Set(), unrenewed },
        startMs,
      ).order,
    ).toEqual([0, 2, 1, 3, 4]);
  });

  it("is spread by the bits of the leaves, so that the first ones fill the tree from its root on", () => {
    expect(spread([0, 1, 2, 3, 4, 5, 6, 7])).toEqual([0, 4, 2, 6, 1, 5, 3, 7]);
    expect(spread([5, 0xffff_ffff, 3])).toEqual([5, 3, 0xffff_ffff]);
    const first = spread(Array.from({ length: 1024 }, (_, leaf) => leaf)).slice(0, 16);
    expect(new Set(first.map((leaf) => Math.floor(leaf / 64))).size).toBe(16);
  });

  it("follows who renewed theirs, who came and who went, another in the place of one that went too", () => {
    let renewal: Renewal = noRenewal;
    const follow = (author: number, leaves: number[], fresh: number[] = []): readonly number[] => {
      renewal = renewedBy(
        renewal,
        { author, isOwn: false, pathAloneAtMs: undefined, leaves, fresh: new Set(fresh), unrenewed: new Set() },
        startMs,
      );
      return renewal.order;
    };
    expect(follow(1, [0, 1, 2, 3], [3])).toEqual([0, 2, 3, 1]);
    expect(follow(2, [0, 1, 2, 3])).toEqual([0, 3, 1, 2]);
    expect(follow(0, [0, 1, 2])).toEqual([1, 2, 0]);
    expect(follow(0, [0, 1, 2, 3], [1, 3])).toEqual([2, 1, 3, 0]);
    expect(renewal.lastAtMs).toBe(0);
  });
});
