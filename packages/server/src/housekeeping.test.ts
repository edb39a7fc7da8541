import { expect, test } from "vitest";
import { keepHouse } from "./housekeeping.ts";
import type { HousekeepingParts } from "./housekeeping.ts";

test("what expired is overwritten also while the place of the blobs does not come to its end", async () => {
  const done: string[] = [];
  const counting = (name: string) => async (): Promise<number> => done.push(name);
  const parts = {
    clock: { doubt: () => undefined, trial: () => undefined, nowMs: () => 0 },
    clockFile: { trial: undefined, record: () => undefined, settle: () => undefined, datedBack: [] },
    recordClock: { recorded: () => undefined },
    limits: { unusedBlobDays: 1 },
    retentionDays: 1,
    rules: { expire: counting("rules") },
    logs: { purge: counting("entries") },
    directory: { expireKeyPackages: counting("keys") },
    passphrases: { forget: counting("passphrases") },
    inboxes: { purge: counting("items") },
    linkInboxes: { purge: counting("knocks") },
    uploads: { expire: counting("uploads") },
    histories: { purge: counting("chunks") },
    blobs: { expire: () => new Promise(() => void done.push("blobs")) },
    store: { correctDays: async () => 0, scrub: counting("scrub") },
  };
  // Of each part this is what housekeeping asks for.
  void keepHouse(parts as unknown as HousekeepingParts);
  await expect.poll(() => done.at(-1)).toBe("blobs");
  for (const name of ["entries", "items", "knocks", "uploads", "chunks"]) expect(done.indexOf(name)).toBeLessThan(done.indexOf("scrub"));
  expect(done.filter((name) => name === "scrub")).toHaveLength(1);
});
