import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { QuietHours } from "@latchkey/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFake, runWith } from "../run.testing.ts";

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "latchkey-quiet-"));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const night = { fromMinute: 1350, toMinute: 420 };

async function run(before: QuietHours, ...args: readonly string[]): Promise<{ status: number; stdout: string; hours: QuietHours }> {
  let hours = before;
  const fake = createFake({
    quietHours: () => Promise.resolve(hours),
    setQuietHours: (next) => {
      hours = next;
      return Promise.resolve();
    },
    settle: () => Promise.resolve(),
  });
  const { status, stdout } = await runWith(home, ["quiet", ...args, "--server", "http://localhost:8080"], fake);
  return { status, stdout, hours };
}

describe("[X-18] latchkey quiet", () => {
  test("sets one day, several or all, and leaves the others", async () => {
    expect((await run({}, "monday", "22:30-7:00")).hours).toEqual({ monday: night });
    expect((await run({ monday: night }, "weekend", "00:00-09:30")).hours).toEqual({
      monday: night,
      saturday: { fromMinute: 0, toMinute: 570 },
      sunday: { fromMinute: 0, toMinute: 570 },
    });
    expect(Object.keys((await run({}, "daily", "22:30-7:00")).hours)).toHaveLength(7);
    expect((await run({ monday: night, friday: night }, "weekdays", "off")).hours).toEqual({});
    expect((await run({ monday: night, sunday: night }, "off")).hours).toEqual({});
  });

  test("tells them", async () => {
    expect((await run({})).stdout).toBe("no quiet hours\n");
    expect((await run({ friday: night })).stdout).toMatch(/^friday {5}22:30-07:00\n/u);
    // A whole week of them is now, too.
    const all = { fromMinute: 0, toMinute: 0 };
    const days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    expect((await run(Object.fromEntries(days.map((day) => [day, all])))).stdout).toContain("quiet now, until ");
  });

  test.each([["someday", "22:00-07:00"], ["monday"], ["monday", "22:00"], ["monday", "24:00-07:00"], ["monday", "22:00-07:60"]])(
    "takes nothing that cannot be meant: %s %s",
    async (...args) => {
      const { status, hours } = await run({ sunday: night }, ...args);
      expect(status).toBe(2);
      expect(hours).toEqual({ sunday: night });
    },
  );
});
