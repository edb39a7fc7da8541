import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { noLog } from "./facts.ts";
import type { Register } from "./facts.ts";
import { lateMs, leaseMs, whoseTurn } from "./whose-turn.ts";

const atMs = 1_790_000_000_000;
const bytes = (length: number, fill: number): Uint8Array => new Uint8Array(length).fill(fill);
const claim = (device: number, order: number, claimedMs: number): Register => ({
  place: { era: 1, log: noLog, order },
  fact: { kind: "claim", logId: bytes(32, 1), id: bytes(16, 2), deviceId: bytes(16, device), atMs: claimedMs },
});
const turnOf = (
  nowMs: number,
  claims: readonly Register[],
  over: { isClaiming?: boolean; isAlone?: boolean; device?: number } = {},
): string =>
  whoseTurn({
    atMs,
    nowMs,
    deviceId: bytes(16, over.device ?? 1),
    claims,
    isClaiming: over.isClaiming ?? false,
    isAlone: over.isAlone ?? false,
  });

describe("[X-15] [E-282] who sends what is to be said at a time", () => {
  test("nobody before it, nobody an hour after it, the only device at once, and of several whoever claims", () => {
    expect(turnOf(atMs - 1, [])).toBe("not yet");
    expect(turnOf(atMs + lateMs + 1, [claim(1, 1, atMs + lateMs)])).toBe("late");
    expect(turnOf(atMs, [], { isAlone: true })).toBe("send");
    expect(turnOf(atMs, [])).toBe("claim");
    // Its claim has no place yet: it may be the second.
    expect(turnOf(atMs, [], { isClaiming: true })).toBe("leave");
  });

  test("of two claims the first in the log, for a minute; whatever its clock says", () => {
    const claims = [claim(2, 7, atMs), claim(1, 5, atMs)];
    expect([turnOf(atMs + 1, claims), turnOf(atMs + 1, claims, { device: 2 })]).toEqual(["send", "leave"]);
    expect(turnOf(atMs + leaseMs, claims)).toBe("claim");
    expect(turnOf(atMs + 1, [claim(2, 5, atMs + 10 ** 12)])).toBe("leave");
  });

  test("never two of those that know the same claims", () => {
    const claims = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 50 }), fc.integer({ min: -90_000, max: 90_000 })),
    );
    fc.assert(
      fc.property(claims, fc.integer({ min: 0, max: 90_000 }), (given, late) => {
        const placed = new Map(given.map(([device, order, ms]) => [order, claim(device, order, atMs + ms)]));
        const turns = [1, 2, 3, 4].map((device) => turnOf(atMs + late, [...placed.values()], { device }));
        expect(turns.filter((turn) => turn === "send").length).toBeLessThanOrEqual(1);
      }),
    );
  });
});
