import { expect, test } from "vitest";
import { createStopwatch } from "./stopwatch.ts";

test("time passes while the watch runs, and pauses do not count", () => {
  const watch = createStopwatch();
  expect(watch.elapsedMs(50)).toBe(0);
  watch.start(100);
  watch.start(150);
  expect(watch.elapsedMs(200)).toBe(100);
  watch.stop(300);
  watch.stop(400);
  expect(watch.elapsedMs(1000)).toBe(200);
  watch.start(1000);
  expect(watch.elapsedMs(1050)).toBe(250);
  expect(watch.elapsedMs(900)).toBe(200);
});
