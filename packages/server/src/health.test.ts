import { expect, test } from "vitest";
import { Health, patienceMs } from "./health.ts";
import type { HealthParts } from "./health.ts";
import { temporaryDirectory } from "./testing/fixtures.ts";

function newHealth(parts: Partial<HealthParts> = {}) {
  const at = { nowMs: 1_800_000_000_000 };
  const refusals = new Map<string, number>();
  const health = new Health({
    elapsedMs: () => at.nowMs,
    clock: { doubt: () => undefined },
    counters: { refusals },
    dataDirectory: temporaryDirectory(),
    minFreeBytes: 0,
    publicationsFailSinceMs: () => undefined,
    quorumLostSinceMs: () => undefined,
    ...parts,
  });
  const codes = async (): Promise<string[]> => (await health.reasons()).map(({ code }) => code);
  return { at, refusals, health, codes };
}

test("a missing quorum counts when it lasts, and no longer when it is back", async () => {
  let lostMs: number | undefined;
  const { at, codes } = newHealth({ quorumLostSinceMs: () => lostMs });
  lostMs = at.nowMs;
  expect(await codes()).toEqual([]);
  at.nowMs += patienceMs;
  expect(await codes()).toEqual(["quorum"]);
  lostMs = undefined;
  expect(await codes()).toEqual([]);
});

test("a full disk counts by what was refused lately, and by what is free", async () => {
  const { at, refusals, codes } = newHealth();
  refusals.set("storage_full", 1);
  expect(await codes()).toEqual(["disk_full"]);
  at.nowMs += patienceMs;
  expect(await codes()).toEqual([]);
  expect(await newHealth({ minFreeBytes: Number.MAX_SAFE_INTEGER }).codes()).toEqual(["disk_full"]);
});

test("a database is named where there is one: as away, and as what may be full", async () => {
  let away: string | undefined = "It does not answer.";
  const { health, refusals, codes } = newHealth({ databaseFault: () => away });
  expect(await health.reasons()).toEqual([{ code: "database", message: "It does not answer." }]);
  away = undefined;
  expect(await codes()).toEqual([]);
  refusals.set("storage_full", 1);
  expect((await health.reasons())[0]?.message).toContain("or on that of the database.");
  const { health: inFolder } = newHealth({ minFreeBytes: Number.MAX_SAFE_INTEGER });
  expect((await inFolder.reasons())[0]?.message).not.toContain("database");
});

test("what is refused for want of the journal says nothing of the disk of the data", async () => {
  let codes: "journal"[] = ["journal"];
  const journal = () => codes.map((code) => ({ code, message: "It is gone." }));
  const { refusals, codes: told } = newHealth({ journal });
  refusals.set("storage_full", 3);
  expect(await told()).toEqual(["journal"]);
  codes = [];
  expect(await told()).toEqual([]);
});

test("every reason is told, with a sentence each", async () => {
  const doubt = { kind: "ahead", wallMs: 1_900_000_000_000, believedMs: 1_800_000_000_000 } as const;
  const { health, codes } = newHealth({
    clock: { doubt: () => doubt },
    publicationsFailSinceMs: () => 0,
    isStoreFailing: () => true,
    journal: () => [{ code: "journal", message: "It is gone." }],
  });
  health.stopped("The disk fails.");
  expect(await codes()).toEqual(["stopped", "clock", "directory", "journal", "store"]);
  for (const { message } of await health.reasons()) expect(message).toMatch(/\.$/);
});
