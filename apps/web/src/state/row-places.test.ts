import { describe, expect, it } from "vitest";
import { me, testMessage } from "../testing/fixtures.ts";
import { dayAbove, lastOrderUpTo, messageFrom, rowAt } from "./row-places.ts";
import type { Row } from "./timeline.ts";

const message = (order: number, over: Partial<Parameters<typeof testMessage>[0]> = {}): Row => ({
  kind: "message",
  key: `m${order}`,
  message: testMessage({ order, sentAtMs: order * 1000, ...over }),
  isFirst: true,
  isLast: true,
});
const rows: readonly Row[] = [
  { kind: "start", key: "start" },
  { kind: "day", key: "day", atMs: 0 },
  message(16),
  message(32),
  { kind: "folded", key: "fold:m48", what: "early", count: 2, author: undefined, isOpen: false, throughOrder: 64 },
  message(2 ** 52, { author: me, delivery: { kind: "pending" } }),
];

describe("places among rows", () => {
  it("has been read up to what is on the screen, folded lines with it, and nothing that waits to be sent", () => {
    expect([0, 2, 3, 4, 5].map((end) => lastOrderUpTo(rows, end))).toEqual([undefined, 16, 32, 64, 64]);
  });

  it("stands at the first message from a row on; its day is above where no row says it", () => {
    expect(messageFrom(rows, 0)?.message.order).toBe(16);
    expect(messageFrom(rows, 6)).toBeUndefined();
    expect([0, 1, 2, 3].map((start) => dayAbove(rows, start))).toEqual([undefined, undefined, 16_000, 32_000]);
  });

  it("finds the row of a place, behind a folded line and beyond the end as well", () => {
    expect([0, 16, 17, 60, 64, 70].map((order) => rowAt(rows, { order }))).toEqual([2, 2, 3, 4, 4, 5]);
    expect(rowAt(rows, { order: 2 ** 53 })).toBe(5);
  });
});
