import { expect, test } from "vitest";
import { keepHouse } from "./housekeeping.ts";
import type { HousekeepingParts } from "./housekeeping.ts";

/** Of each part what housekeeping asks for, which says in `done` that it was asked. */
function partsOf(done: string[], isTurn: boolean, isDoubted: boolean): HousekeepingParts {
  const counting = (name: string) => async (): Promise<number> => done.push(name);
  const parts = {
    turn: { take: async () => isTurn, giveBack: counting("give back") },
    clock: { doubt: () => (isDoubted ? "a doubt" : undefined), trial: () => undefined, nowMs: () => 0 },
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
    blobs: { expire: counting("blobs"), forgetTimes: counting("times") },
    store: { correctDays: async () => 0, scrub: counting("scrub") },
  };
  return parts as unknown as HousekeepingParts;
}

test("what expired is overwritten also while the place of the blobs does not come to its end", async () => {
  const done: string[] = [];
  const parts = partsOf(done, true, false);
  const blobs = { ...parts.blobs, expire: () => new Promise<number>(() => void done.push("blobs")) };
  void keepHouse({ ...parts, blobs } as unknown as HousekeepingParts);
  await expect.poll(() => done.at(-1)).toBe("blobs");
  for (const name of ["entries", "items", "knocks", "uploads", "chunks"]) expect(done.indexOf(name)).toBeLessThan(done.indexOf("scrub"));
  expect(done.filter((name) => name === "scrub")).toHaveLength(1);
});

test("a node whose turn it is not removes what is its own; one whose clock is doubted leaves the turn to others", async () => {
  const [others, doubted]: string[][] = [[], []];
  await keepHouse(partsOf(others ?? [], false, false));
  expect(others).toEqual(["uploads", "times"]);
  await keepHouse(partsOf(doubted ?? [], true, true));
  expect(doubted).toEqual(["chunks", "scrub", "give back"]);
});
