import { seededRandom } from "@latchkey/testkit";
import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../crypto/node.ts";
import { numberBelow, playSession } from "./sessions.testing.ts";

const isNightly = process.env["LATCHKEY_NIGHTLY"] === "1";
const runs = Number(process.env["LATCHKEY_SESSIONS"] ?? (isNightly ? 1000 : 30));

// Sizes are the seed's choice: many small sessions find what large ones hide, and some are as large as promised.
describe("random sessions", () => {
  for (let run = 0; run < runs; run++) {
    const sizes = seededRandom(`sizes/${run}`);
    const isLarge = isNightly ? run % 50 === 29 : run === 29;
    const maxMembers = isLarge ? 64 : 3 + numberBelow(sizes, 14);
    const commits = isLarge ? (isNightly ? 200 : 24) : (isNightly ? 20 : 14) + numberBelow(sizes, isNightly ? 60 : 10);
    const suite = nodeCrypto.suite(run % 5 === 4 && !isLarge ? 0xf001 : 0x0001);
    it(
      `[P2] seed ${run}, suite 0x${suite.id.toString(16)}, up to ${maxMembers} members, ${commits} commits: all agree, joiners join, the removed read nothing`,
      { timeout: 3_600_000 },
      async () => {
        const report = await playSession({ suite, seed: `sessions/${run}`, commits, maxMembers });
        expect(report.largest).toBeGreaterThan(2);
        expect(report.joins).toBeGreaterThan(1);
        if (report.removals > 0) expect(report.outsideAttempts).toBeGreaterThan(report.removals);
        if (isLarge) {
          expect(report.largest).toBeGreaterThan(50);
          expect(report.removals).toBeGreaterThan(8);
        }
      },
    );
  }
});
