import { describe, expect, it } from "vitest";
import type { MessageBody } from "@latchkey/client";
import { me, ben, testMessage, testPerson } from "../testing/fixtures.ts";
import { findFirstUnread, mergeMessages, toRows } from "./timeline.ts";
import type { Timeline } from "./timeline.ts";

const dayMs = 86_400_000;
const dayOf = (atMs: number): string => String(Math.floor(atMs / dayMs));

function timeline(params: Partial<Timeline>): Timeline {
  return { messages: [], hasOlder: false, isLoading: false, firstUnreadId: undefined, newCount: 0, ...params };
}

describe("mergeMessages", () => {
  it("sorts by order and replaces by id", () => {
    const first = testMessage({ order: 1 });
    const third = testMessage({ order: 3 });
    const pending = testMessage({ id: "mine", order: 900, author: me, delivery: { kind: "pending" } });
    const merged = mergeMessages([first, pending], [third, { ...pending, order: 2, delivery: { kind: "accepted", atMs: 1 } }]);
    expect(merged.map(({ id }) => id)).toEqual(["m1", "mine", "m3"]);
    expect(merged[1]?.delivery?.kind).toBe("accepted");
  });

  it("keeps its identity when nothing comes", () => {
    const messages = [testMessage({ order: 1 })];
    expect(mergeMessages(messages, [])).toBe(messages);
  });
});

describe("findFirstUnread", () => {
  const messages = [
    testMessage({ order: 1 }),
    testMessage({ order: 2 }),
    testMessage({ order: 3, author: me }),
    testMessage({ order: 4, body: { kind: "added", people: [ben] } }),
    testMessage({ order: 5 }),
  ];

  it("counts only what others wrote", () => {
    expect(findFirstUnread(messages, 1)).toBe("m5");
    expect(findFirstUnread(messages, 2)).toBe("m2");
  });

  it("knows none when nothing is unread or too little is loaded", () => {
    expect(findFirstUnread(messages, 0)).toBeUndefined();
    expect(findFirstUnread(messages, 4)).toBeUndefined();
  });
});

describe("toRows", () => {
  it("separates days, joins runs of one author, and begins with the start", () => {
    const rows = toRows(
      timeline({
        messages: [
          testMessage({ order: 1, sentAtMs: dayMs }),
          testMessage({ order: 2, sentAtMs: dayMs + 1000 }),
          testMessage({ order: 3, sentAtMs: dayMs + 2000, author: testPerson("chidi") }),
          testMessage({ order: 4, sentAtMs: 2 * dayMs, author: testPerson("chidi") }),
        ],
      }),
      dayOf,
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["start", "day", "message", "message", "message", "day", "message"]);
    const runs = rows.flatMap((row) => (row.kind === "message" ? [[row.isFirst, row.isLast]] : []));
    expect(runs).toEqual([
      [true, false],
      [false, true],
      [true, true],
      [true, true],
    ]);
  });

  it("ends a run after five minutes, at a system line and at the line of new messages", () => {
    const rows = toRows(
      timeline({
        firstUnreadId: "m5",
        newCount: 1,
        messages: [
          testMessage({ order: 1, sentAtMs: 0 }),
          testMessage({ order: 2, sentAtMs: 300_000 }),
          testMessage({ order: 3, sentAtMs: 300_001, body: { kind: "keys_updated" } }),
          testMessage({ order: 4, sentAtMs: 300_002 }),
          testMessage({ order: 5, sentAtMs: 300_003 }),
        ],
      }),
      dayOf,
    );
    expect(rows.map(({ kind }) => kind)).toEqual(["start", "day", "message", "message", "system", "message", "new", "message"]);
    expect(rows.every((row) => row.kind !== "message" || (row.isFirst && row.isLast))).toBe(true);
  });

  it("has the mark above something to read: not above a line of the group, which a deleted message becomes too", () => {
    const kinds = (bodies: readonly MessageBody[]): readonly string[] =>
      toRows(
        timeline({ firstUnreadId: "m1", newCount: 1, messages: bodies.map((body, at) => testMessage({ order: at + 1, body })) }),
        dayOf,
      ).map(({ kind }) => kind);
    const text = { kind: "text", text: "read me" } as const;
    const line = { kind: "keys_updated" } as const;
    expect(kinds([line, text])).toEqual(["start", "day", "system", "new", "message"]);
    expect(kinds([text, line])).toEqual(["start", "day", "new", "message", "system"]);
    expect(kinds([line, line])).toEqual(["start", "day", "system", "system"]);
  });

  it("has no start while there is more to load", () => {
    expect(toRows(timeline({ hasOlder: true, messages: [testMessage({ order: 9 })] }), dayOf)[0]?.kind).toBe("day");
  });

  it("gives every row a key of its own", () => {
    const messages = Array.from({ length: 40 }, (_, order) => testMessage({ order, sentAtMs: order * dayMs * (order % 3) }));
    const keys = toRows(timeline({ messages }), dayOf).map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
