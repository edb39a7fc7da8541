import { expect, onTestFinished, test, vi } from "vitest";
import { tellWhileMoving } from "./going-on.ts";

test("[O-9] what is written further goes on, and what hangs does not", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const goesOn = vi.fn();
  let written = 0;
  const end = tellWhileMoving({ goesOn }, () => written);
  for (let minute = 0; minute < 10; minute++) {
    written += 1;
    await vi.advanceTimersByTimeAsync(60_000);
  }
  expect(goesOn).toHaveBeenCalledTimes(10);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(goesOn).toHaveBeenCalledTimes(10);
  written += 1;
  end();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(goesOn).toHaveBeenCalledTimes(10);
});
