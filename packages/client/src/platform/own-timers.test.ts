import { describe, expect, it, vi } from "vitest";
import { createNodePlatform } from "./node-platform.ts";
import { withOwnTimers } from "./own-timers.ts";

describe("the timers of a client", () => {
  it("run as others do, one by one are cancelled, and all that are left end together", () => {
    vi.useFakeTimers();
    try {
      const { platform, endTimers } = withOwnTimers(createNodePlatform());
      const run = vi.fn();
      platform.setTimer(10, () => run("first"));
      platform.setTimer(20, () => run("cancelled"))();
      platform.setTimer(60_000, () => run("late"));
      vi.advanceTimersByTime(30);
      expect([run.mock.calls, vi.getTimerCount()]).toEqual([[["first"]], 1]);
      endTimers();
      expect(vi.getTimerCount()).toBe(0);
      vi.advanceTimersByTime(60_000);
      expect(run).toHaveBeenCalledTimes(1);
    } finally {
      vi.useRealTimers();
    }
  });
});
