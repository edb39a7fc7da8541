import { describe, expect, it } from "vitest";
import type { KeyRecord, MemberVerification } from "@latchkey/client";
import { testPerson } from "../testing/fixtures.ts";
import { isAllVerified } from "./app-state.ts";
import { isNewDevice, sortByConcern, summarizeRecords } from "./verification.ts";

function member(
  name: string,
  params: Partial<KeyRecord> & { mark?: MemberVerification["mark"]; isGone?: boolean } = {},
): MemberVerification {
  const { mark = "none", isGone = false, ...record } = params;
  return {
    person: testPerson(name, name === "me"),
    record: { sinceMs: 1000, checkedAtMs: 5000, witnesses: 3, required: 2, status: "checked", ...record },
    devices: [{ deviceId: `d-${name}`, addedAtMs: 0, inConversation: true, inAccount: !isGone }],
    mark,
  };
}

describe("what holds for several people's keys", () => {
  it("is the weakest of each", () => {
    const summary = summarizeRecords([
      member("a", { checkedAtMs: 9000, sinceMs: 4000 }),
      member("b", { witnesses: 2 }),
      member("c", { status: "unwatched", witnesses: 0, required: 0 }),
    ]);
    expect(summary).toEqual({ sinceMs: 4000, checkedAtMs: 5000, witnesses: 0, required: 2, status: "unwatched", count: 3, unchecked: 0 });
    expect(summarizeRecords([member("a"), member("b", { status: "unchecked" })])).toMatchObject({
      status: "unchecked",
      unchecked: 1,
      count: 2,
    });
    expect(summarizeRecords([])).toBeUndefined();
  });

  it("shows first whom to look at", () => {
    const sorted = sortByConcern([
      member("zoe"),
      member("ann"),
      member("new", { status: "unchecked" }),
      member("gone", { isGone: true }),
      member("back", { mark: "changed" }),
    ]);
    expect(sorted.map(({ person }) => person.username)).toEqual(["back", "gone", "new", "ann", "zoe"]);
  });
});

describe("a new device", () => {
  const dayMs = 86_400_000;
  const device = (addedAtMs: number) => ({ deviceId: String(addedAtMs), addedAtMs, inConversation: true, inAccount: true });
  const [first, second] = [device(100 * dayMs), device(101 * dayMs)];

  it("is one that came lately to others, not the first one of a new account", () => {
    expect(isNewDevice(second, [first, second], 102 * dayMs)).toBe(true);
    expect(isNewDevice(first, [first, second], 102 * dayMs)).toBe(false);
    expect(isNewDevice(second, [first, second], 109 * dayMs)).toBe(false);
    expect(isNewDevice(device(0), [first, device(0)], 102 * dayMs)).toBe(false);
  });
});

describe("a conversation counts as verified", () => {
  it("when everyone else is marked, and not when somebody's mark was cleared", () => {
    const of = (...members: MemberVerification[]): boolean =>
      isAllVerified({ members, hold: undefined, away: [], mayLetBack: false, mayRemove: false });
    expect(of(member("me"), member("a", { mark: "verified" }))).toBe(true);
    expect(of(member("a", { mark: "verified" }), member("b"))).toBe(false);
    expect(of(member("a", { mark: "verified" }), member("b", { mark: "changed" }))).toBe(false);
    expect(of(member("me"))).toBe(false);
    expect(isAllVerified(undefined)).toBe(false);
  });
});
