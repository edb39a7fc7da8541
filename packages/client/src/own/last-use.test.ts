import { describe, expect, test } from "vitest";
import type { World } from "../engine/world.ts";
import { SureClock } from "../engine/sure-clock.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { lastUsedMs, sayUse } from "./last-use.ts";
import { OwnThings } from "./own-things.ts";

const dayMs = 86_400_000;
const addedAtMs = 20_000 * dayMs + 1000;
const deviceId = new Uint8Array(16).fill(7);

/** A device that can be asked at any time; what it says counts at once. */
async function device(over: { isAlone?: boolean; isSure?: boolean; isOut?: boolean } = {}): Promise<{
  things: OwnThings;
  at(nowMs: number): Promise<readonly number[]>;
}> {
  const platform = { random: (size: number) => new Uint8Array(size), nowMs: () => now };
  const things = new OwnThings({ store: createMemoryStore(), platform });
  await things.load();
  const clock = new SureClock();
  let now = addedAtMs;
  const devices = over.isOut === true ? [] : [{ deviceId: deviceId.slice(), addedMs: addedAtMs }];
  const own = { deviceId, account: { state: { devices } } };
  const world = { ownThings: things, own, platform, clock } as unknown as World;
  const said: number[] = [];
  things.onChange(() => {
    const [fact] = things.all("used");
    if (fact !== undefined) said.push(fact.day);
  });
  return {
    things,
    async at(nowMs) {
      now = nowMs;
      if (over.isSure !== false) clock.heard({ hello: { timeMs: now }, helloAtMs: now });
      // Others are there, and what is said has its place at once.
      things.isAlone = () => over.isAlone === true;
      await sayUse(world);
      return said;
    },
  };
}

describe("[A-15] [E-283] a device", () => {
  test("says that it is in use at most once a day, and not in the day in which it was added", async () => {
    const { at } = await device();
    expect(await at(addedAtMs + dayMs - 1)).toEqual([]);
    expect(await at(addedAtMs + dayMs)).toEqual([20_001]);
    expect(await at(addedAtMs + dayMs + 1000)).toEqual([20_001]);
    expect(await at(addedAtMs + 9 * dayMs)).toEqual([20_001, 20_009]);
  });

  test.each([{ isAlone: true }, { isSure: false }, { isOut: true }])("says nothing where it is so: %o", async (over) => {
    const { at } = await device(over);
    expect(await at(addedAtMs + 9 * dayMs)).toEqual([]);
  });

  test("was in use when it says so, never before it was added and never later than now", async () => {
    const { things } = await device();
    const last = (nowMs: number): number => lastUsedMs(things, { deviceId, addedAtMs }, nowMs);
    const now = addedAtMs + 40 * dayMs;
    expect(last(now)).toBe(addedAtMs);
    await things.say([{ kind: "used", deviceId, day: 20_010 }]);
    expect(last(now)).toBe(20_010 * dayMs);
    await things.say([{ kind: "used", deviceId, day: 3 }]);
    expect(last(now)).toBe(addedAtMs);
    await things.say([{ kind: "used", deviceId, day: 0xffff_ffff }]);
    expect(last(now)).toBe(now);
    await things.say([{ kind: "used", deviceId: new Uint8Array(16), day: 20_020 }]);
    expect(last(now)).toBe(now);
  });
});
