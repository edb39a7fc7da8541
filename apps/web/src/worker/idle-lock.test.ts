import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createIdleLock } from "./idle-lock.ts";

const minute = 60_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("[O-9] [E-272] a profile that is open locks by itself", () => {
  test("when nothing was done in any tab for the chosen time, and once", () => {
    const lock = vi.fn();
    const idle = createIdleLock<string>({ afterMs: 5 * minute, onHide: false, wipeAfter: undefined }, lock);
    idle.seen("first", true);
    vi.advanceTimersByTime(4 * minute);
    idle.seen("second", true);
    vi.advanceTimersByTime(4 * minute);
    // Out of sight is nothing done.
    idle.seen("second", false);
    vi.advanceTimersByTime(minute - 1);
    expect(lock).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    vi.advanceTimersByTime(60 * minute);
    idle.seen("first", true);
    expect(lock).toHaveBeenCalledTimes(1);
  });

  test("after the device slept: whatever is done then comes too late", () => {
    const lock = vi.fn();
    const idle = createIdleLock<string>({ afterMs: 5 * minute, onHide: false, wipeAfter: undefined }, lock);
    idle.seen("first", true);
    // No timer runs in that time.
    vi.setSystemTime(Date.now() + 8 * 60 * minute);
    idle.seen("first", true);
    expect(lock).toHaveBeenCalledTimes(1);
  });

  test("when no tab is seen, where that was chosen: not while one takes another's place", () => {
    const lock = vi.fn();
    const idle = createIdleLock<string>({ afterMs: undefined, onHide: true, wipeAfter: undefined }, lock);
    idle.seen("first", true);
    idle.seen("second", true);
    idle.seen("first", false);
    vi.advanceTimersByTime(minute);
    idle.left("second");
    vi.advanceTimersByTime(1000);
    idle.seen("third", true);
    vi.advanceTimersByTime(24 * 60 * minute);
    expect(lock).not.toHaveBeenCalled();
    idle.seen("third", false);
    vi.advanceTimersByTime(1500);
    expect(lock).toHaveBeenCalledTimes(1);
  });

  test("not while something goes on, and when no tab is seen all the same: what goes on in one is no sight of it", () => {
    const lock = vi.fn();
    const idle = createIdleLock<string>({ afterMs: minute, onHide: true, wipeAfter: undefined }, lock);
    idle.seen("first", true);
    idle.seen("second", false);
    for (let second = 0; second < 600; second += 20) {
      vi.advanceTimersByTime(20_000);
      idle.goesOn();
    }
    expect(lock).not.toHaveBeenCalled();
    idle.seen("first", false);
    idle.goesOn();
    vi.advanceTimersByTime(1500);
    expect(lock).toHaveBeenCalledTimes(1);
  });

  test("also where something goes on: not before its time after the last of it, and at once where the device slept", () => {
    const [late, slept] = [vi.fn(), vi.fn()];
    const idle = createIdleLock<string>({ afterMs: minute, onHide: false, wipeAfter: undefined }, late);
    vi.advanceTimersByTime(50_000);
    idle.goesOn();
    vi.advanceTimersByTime(minute - 1);
    expect(late).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(late).toHaveBeenCalledTimes(1);
    const other = createIdleLock<string>({ afterMs: minute, onHide: false, wipeAfter: undefined }, slept);
    vi.setSystemTime(Date.now() + 8 * 60 * minute);
    other.goesOn();
    expect(slept).toHaveBeenCalledTimes(1);
  });

  test("by what the person chose last, and not once it is ended", () => {
    const lock = vi.fn();
    const idle = createIdleLock<string>({ afterMs: minute, onHide: true, wipeAfter: undefined }, lock);
    idle.seen("first", true);
    idle.follow({ afterMs: undefined, onHide: false, wipeAfter: undefined });
    vi.advanceTimersByTime(60 * minute);
    idle.seen("first", false);
    vi.advanceTimersByTime(minute);
    expect(lock).not.toHaveBeenCalled();
    idle.follow({ afterMs: minute, onHide: true, wipeAfter: undefined });
    idle.end();
    idle.seen("first", false);
    vi.advanceTimersByTime(60 * minute);
    expect(lock).not.toHaveBeenCalled();
  });
});
