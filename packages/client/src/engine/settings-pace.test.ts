import { describe, expect, it } from "vitest";
import { settingsWaitMs } from "./settings-pace.ts";
import type { SetBefore } from "./settings-pace.ts";

const nowMs = 1_700_000_000_000;
const minuteMs = 60_000;
const info = (agoMs: number): SetBefore => ({ atMs: nowMs - agoMs, isTimer: false });
const timer = (agoMs: number): SetBefore => ({ atMs: nowMs - agoMs, isTimer: true });

describe("[X-19] how often a person sets what a group is", () => {
  it("a minute lies between two commits, whatever they set of it", () => {
    expect(settingsWaitMs({ name: "Choir" }, [], nowMs)).toBe(0);
    expect(settingsWaitMs({ name: "Choir" }, [info(20_000)], nowMs)).toBe(40_000);
    expect(settingsWaitMs({ description: "" }, [timer(20_000)], nowMs)).toBe(40_000);
    expect(settingsWaitMs({ name: "Choir" }, [info(minuteMs)], nowMs)).toBe(0);
  });

  it("the timer is set four times in any hour", () => {
    const before = [timer(50 * minuteMs), timer(40 * minuteMs), timer(30 * minuteMs)];
    expect(settingsWaitMs({ timerS: 60 }, before, nowMs)).toBe(0);
    expect(settingsWaitMs({ timerS: 60 }, [...before, timer(2 * minuteMs)], nowMs)).toBe(10 * minuteMs);
    expect(settingsWaitMs({ name: "Choir" }, [...before, timer(2 * minuteMs)], nowMs)).toBe(0);
  });

  it("what stops somebody who does harm waits for nothing", () => {
    for (const edit of [{ rights: { post: "administrators" as const } }, { slowModeS: 60 }, { roles: [] }])
      expect(settingsWaitMs(edit, [info(0), timer(1)], nowMs)).toBe(0);
  });

  it("a clock that was set back makes nobody wait for longer than once", () => {
    expect(settingsWaitMs({ name: "Choir" }, [info(-minuteMs), info(-86_400_000)], nowMs)).toBe(0);
  });
});
