import { sha256 } from "@noble/hashes/sha2.js";
import { wakeTokenLifeMs } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import type { RosterLeaf } from "../core/types.ts";
import { dueOf, membersMark, renewBeforeMs, tokenEndMs } from "./due.ts";

const day = 86_400_000;
const nowMs = 1_800_000_000_000;
const members = new Uint8Array(8).fill(1);
const endpoint = "https://push.example/a";
const told = { endpoint, notAfterMs: nowMs + wakeTokenLifeMs, members };
const base = { told: undefined, endpoint, nowMs, isMuted: false, updatedAtMs: nowMs - day };

describe("[W-1] when a conversation is told a token", () => {
  test("that was told none, another device address, one that is half over, or one that a clock ahead dated", () => {
    expect(dueOf(base)).toBe("token");
    expect(dueOf({ ...base, told })).toBeUndefined();
    expect(dueOf({ ...base, told: { ...told, endpoint: "https://push.example/b" } })).toBe("token");
    expect(dueOf({ ...base, told: { ...told, notAfterMs: nowMs + renewBeforeMs } })).toBeUndefined();
    expect(dueOf({ ...base, told: { ...told, notAfterMs: nowMs + renewBeforeMs - 1 } })).toBe("token");
    expect(dueOf({ ...base, told: { ...told, notAfterMs: nowMs + wakeTokenLifeMs + 1 } })).toBe("token");
  });

  test("one ends with a day, as all that are made on that day do: when it was made is not in it", () => {
    const midnightMs = Math.floor(nowMs / day) * day;
    expect(tokenEndMs(midnightMs)).toBe(midnightMs + wakeTokenLifeMs);
    expect(tokenEndMs(midnightMs + day - 1)).toBe(midnightMs + wakeTokenLifeMs);
    // It is told anew after two days at the least.
    expect(tokenEndMs(midnightMs + day - 1) - (midnightMs + day - 1) - renewBeforeMs).toBeGreaterThan(2 * day);
  });

  test("not one that is muted, nor one in which nothing was said for thirty days", () => {
    expect(dueOf({ ...base, isMuted: true })).toBeUndefined();
    expect(dueOf({ ...base, updatedAtMs: nowMs - 30 * day })).toBeUndefined();
    expect(dueOf({ ...base, updatedAtMs: nowMs - 30 * day + 1 })).toBe("token");
  });

  test("whoever came since learns it with the next text, and for nothing else", () => {
    expect(dueOf({ ...base, told, members })).toBeUndefined();
    expect(dueOf({ ...base, told, members: new Uint8Array(8) })).toBe("token");
    const leaves = [1, 2].map((fill): [number, RosterLeaf] => [fill, { deviceId: new Uint8Array(16).fill(fill) } as RosterLeaf]);
    const roster = (of: typeof leaves): never => ({ leaves: new Map(of) }) as never;
    expect(membersMark(sha256, roster(leaves))).toEqual(membersMark(sha256, roster(leaves.toReversed())));
    expect(membersMark(sha256, roster(leaves))).not.toEqual(membersMark(sha256, roster(leaves.slice(1))));
  });

  test("one that was told is taken back once, also where it is muted; one that is over is not", () => {
    expect(dueOf({ ...base, told, endpoint: undefined, isMuted: true })).toBe("withdrawal");
    expect(dueOf({ ...base, told, isMuted: true })).toBe("withdrawal");
    expect(dueOf({ ...base, told: { endpoint: "", notAfterMs: 0, members }, isMuted: true })).toBeUndefined();
    expect(dueOf({ ...base, told: { ...told, notAfterMs: nowMs }, endpoint: undefined })).toBeUndefined();
    expect(dueOf({ ...base, told: { endpoint: "", notAfterMs: 0, members }, endpoint: undefined })).toBeUndefined();
    expect(dueOf({ ...base, endpoint: undefined })).toBeUndefined();
    expect(dueOf({ ...base, told: { endpoint: "", notAfterMs: 0, members } })).toBe("token");
  });
});
