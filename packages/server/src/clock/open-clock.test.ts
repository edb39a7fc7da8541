import { mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dayMs, dayOf } from "../days.ts";
import type { Store } from "../store/store.ts";
import { temporaryDirectory } from "../testing/fixtures.ts";
import { clockFileName } from "./clock-file.ts";
import { openClocks } from "./open-clock.ts";

const now = Date.UTC(2026, 10, 28, 12);

/** Opens the clocks of a folder with a record and messages of an hour ago, whose file `clock` is spoilt so. */
async function openAfter(spoil: (path: string) => void) {
  const dataDirectory = temporaryDirectory();
  spoil(join(dataDirectory, clockFileName));
  const warnings: string[] = [];
  const told = (message: string): number => warnings.push(message);
  // Only these are asked for.
  const store = {
    newestDay: async () => dayOf(now),
    directoryStatus: async () => ({ timestampMs: now - 3_600_000 }),
  } as unknown as Store;
  const { clock, recordClock, clockFile } = await openClocks({
    store,
    dataDirectory,
    isKnown: false,
    clocks: { nowMs: () => now, passedMs: () => 1000 },
    log: { info: told, warn: told },
    onBelieved: () => undefined,
  });
  return { clock, recordClock, clockFile, warnings, dataDirectory };
}

test("[E-98] whatever stands in the file clock, the time that is gone by is that of what is stored, and nothing is dated ahead", async () => {
  const spoilt: [string, (path: string) => void][] = [
    ["nothing", () => undefined],
    ["one digit", (path) => writeFileSync(path, "2036-11-28\n")],
    ["another digit", (path) => writeFileSync(path, "2026-12-28\n")],
    ["far future", (path) => writeFileSync(path, "9999-12-31\ndated back 2026-01-01 9999-12-31\n")],
    ["a day before there were computers", (path) => writeFileSync(path, "0001-01-01\n")],
    ["ten years ago", (path) => writeFileSync(path, "2016-11-28\n")],
    ["no day", (path) => writeFileSync(path, "2026-13-99\n")],
    ["bytes", (path) => writeFileSync(path, Buffer.alloc(1000, 255))],
    [
      "times of the record",
      (path) =>
        writeFileSync(path, "2026-11-28\npublic record 2036-11-28T00:00:00.000Z 1\nahead 2036-11-28T00:00:00.000Z 999999999999999\n"),
    ],
    ["a doubt without end", (path) => writeFileSync(path, "2026-11-28\ndoubted +275760-09-13T00:00:00.000Z 999999999999999\n")],
    ["a folder", (path) => mkdirSync(path)],
    [
      "very much",
      (path) => {
        writeFileSync(path, "");
        truncateSync(path, 700e6);
      },
    ],
  ];
  for (const [name, spoil] of spoilt) {
    const { clock, recordClock } = await openAfter(spoil);
    expect(clock.doubt(), name).toBeUndefined();
    expect(clock.nowMs(), name).toBe(now);
    expect(recordClock.nowMs(), name).toBeLessThanOrEqual(now);
  }
});

test("[E-98] a day that nothing bears out is ignored with a line, and written anew", async () => {
  const { clock, recordClock, clockFile, warnings, dataDirectory } = await openAfter((path) => writeFileSync(path, "2036-11-28\n"));
  expect(warnings.filter((line) => line.includes("is ignored"))).toHaveLength(1);
  clockFile.record(clock.nowMs(), recordClock.recorded());
  expect(readFileSync(join(dataDirectory, clockFileName), "utf8").split("\n")[0]).toBe("2026-11-28");
  expect(clockFile.recordedMs).toBe(Math.floor(now / dayMs) * dayMs);
});
