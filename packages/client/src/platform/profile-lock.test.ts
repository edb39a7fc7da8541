import { describe, expect, test, vi } from "vitest";
import { takeProfileLock, tryProfileLock } from "./profile-lock.ts";
import type { Wanted } from "./profile-lock.ts";

let count = 0;
const newProfile = (): string => `lock-test-${String(count++)}`;

describe("[O-5] [E-263] the one lock of a profile", () => {
  test("is one context's at a time: of many that ask at once each gets it once, and never two", async () => {
    const profile = newProfile();
    let holders = 0;
    let most = 0;
    const contexts = Array.from({ length: 20 }, async (_, at) => {
      const lock = await takeProfileLock({ profile, by: `tab ${String(at)}` });
      holders += 1;
      most = Math.max(most, holders);
      await new Promise((resolve) => setTimeout(resolve, at % 3));
      holders -= 1;
      await lock.release();
    });
    await Promise.all(contexts);
    expect([most, holders]).toEqual([1, 0]);
  });

  test("whoever must not wait gets nothing while somebody has it, and the next time gets it", async () => {
    const profile = newProfile();
    const lock = await takeProfileLock({ profile, by: "a tab" });
    expect(await tryProfileLock({ profile })).toBeUndefined();
    await lock.release();
    const second = await tryProfileLock({ profile });
    expect(second).toBeDefined();
    await second?.release();
  });

  test("another profile has another", async () => {
    const one = await takeProfileLock({ profile: newProfile(), by: "a" });
    const other = await tryProfileLock({ profile: newProfile() });
    expect(other).toBeDefined();
    await one.release();
    await other?.release();
  });

  test("whoever has it hears at once that somebody waits, and by whom; letting go lets that one in, who has waited too short to say so", async () => {
    const profile = newProfile();
    const lock = await takeProfileLock({ profile, by: "a service worker" });
    const heard: Wanted[] = [];
    lock.onWanted((wanted) => {
      heard.push(wanted);
      void lock.release();
    });
    const onWait = vi.fn();
    const next = await takeProfileLock({ profile, by: "a tab", onWait });
    expect(heard).toEqual([{ by: "a tab", waitedMs: 0 }]);
    expect(onWait).not.toHaveBeenCalled();
    await next.release();
  });

  test("who waits longer says so once, and tells the holder again and again", async () => {
    const profile = newProfile();
    const lock = await takeProfileLock({ profile, by: "an old tab" });
    const onWait = vi.fn();
    const heard: number[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    lock.onWanted(({ waitedMs }) => {
      heard.push(waitedMs);
      if (heard.length === 3) resolve();
    });
    const waiting = takeProfileLock({ profile, by: "a new tab", onWait });
    await promise;
    expect(heard[0]).toBe(0);
    expect(heard[1]).toBeGreaterThan(1000);
    await lock.release();
    await (await waiting).release();
    expect(onWait).toHaveBeenCalledOnce();
  });

  test("one that gives up waiting leaves nothing behind", async () => {
    const profile = newProfile();
    const lock = await takeProfileLock({ profile, by: "a tab" });
    await expect(takeProfileLock({ profile, by: "here", signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      code: "storage_in_use",
    });
    await lock.release();
    const after = await tryProfileLock({ profile });
    expect(after).toBeDefined();
    await after?.release();
  });

  test("where a browser has no locks, it is given to whoever would wait, and to nobody else: the database's own token is what is left", async () => {
    vi.stubGlobal("navigator", {});
    try {
      const profile = newProfile();
      expect(await tryProfileLock({ profile })).toBeUndefined();
      const lock = await takeProfileLock({ profile, by: "here" });
      expect(await lock.release()).toBeUndefined();
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
