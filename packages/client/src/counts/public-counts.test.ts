import { openingDueMs } from "@latchkey/counts";
import { createCountedPeriod, recordOf } from "@latchkey/counts/testing";
import { expect, test } from "vitest";
import { createPublicCounts } from "./public-counts.ts";

const period = 4053;

test("[K-3] what a server says of its half-years is read as each comes, with the newest opening alone", async () => {
  const policy = { everyDays: 7, slots: 8, sealed: 2 } as const;
  const counted = await createCountedPeriod({ period, policy, cases: [{ record: recordOf(0), isSecret: false, batch: 1 }] });
  const opening = await counted.announce(counted.opening);
  const asked: string[] = [];
  const periods = ["2026-2", "2027-1", "2027-2"].map((text) => ({ period: text, opensMs: 0, openings: text === "2026-2" ? [1, 2] : [] }));
  const answerTo = (path: string): Uint8Array => {
    if (path.endsWith("/counts")) return new TextEncoder().encode(JSON.stringify({ periods }));
    if (path.includes("opening")) return opening;
    return path.includes("2026-2") ? counted.log() : new Uint8Array([1]);
  };
  const counts = createPublicCounts({
    platform: {
      nowMs: () => openingDueMs(counted.policy, period),
      setTimer: () => () => undefined,
      fetch: async (input: string) => {
        const path = new URL(input).pathname;
        asked.push(path.replace("/v1/counts", ""));
        return new Response(answerTo(path).slice());
      },
    },
    connections: { httpUrl: () => "https://a.example" },
  } as unknown as Parameters<typeof createPublicCounts>[0]);
  await expect(counts.claimed(counted.directory.host)).rejects.toMatchObject({ code: "server_lied" });
  // The second cannot be read: nothing of the third is fetched.
  expect(asked).toEqual(["", "/2026-2/log", "/2026-2/opening-2", "/2027-1/log"]);
});
