import { describe, expect, test } from "vitest";
import { createSingleFlight } from "./single-flight.ts";

/** Work whose runs end when the test says so. */
function manual(): { runs: { resolve: () => void; reject: (error: Error) => void }[]; run: () => Promise<void> } {
  const runs: { resolve: () => void; reject: (error: Error) => void }[] = [];
  return { runs, run: () => new Promise<void>((resolve, reject) => runs.push({ resolve, reject })) };
}

const turns = async (): Promise<void> => {
  for (let at = 0; at < 10; at++) await Promise.resolve();
};

describe("work of which one run goes on at a time", () => {
  test("woken while it runs it runs once more, however often it was woken; joined, it does not", async () => {
    const { runs, run } = manual();
    const flight = createSingleFlight(run);
    const first = flight.wake();
    void flight.wake();
    void flight.wake();
    void flight.join();
    expect(runs).toHaveLength(1);
    runs[0]?.resolve();
    await first;
    await turns();
    expect(runs).toHaveLength(2);
    expect(flight.isRunning).toBe(true);
    void flight.join();
    runs[1]?.resolve();
    await turns();
    expect(runs).toHaveLength(2);
    expect(flight.isRunning).toBe(false);
  });

  test("a failure is told to those who wait, and does not keep the next run from going", async () => {
    const { runs, run } = manual();
    const flight = createSingleFlight(run);
    const first = flight.join();
    const second = flight.wake();
    runs[0]?.reject(new Error("broken"));
    await expect(first).rejects.toThrow("broken");
    await expect(second).rejects.toThrow("broken");
    await turns();
    expect(runs).toHaveLength(2);
    const settled = flight.settled();
    runs[1]?.reject(new Error("again"));
    await settled;
    expect(flight.isRunning).toBe(false);
    await Promise.all([flight.wake(), Promise.resolve(runs[2]?.resolve())]);
  });
});
