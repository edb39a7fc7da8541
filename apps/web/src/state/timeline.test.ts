import { describe, expect, it } from "vitest";
import type { MessageBody } from "@latchkey/client";
import { testMessage, testPerson } from "../testing/fixtures.ts";
import { emptyTimeline, toRows } from "./timeline.ts";
import type { Timeline } from "./timeline.ts";

const dayMs = 86_400_000;
const dayOf = (atMs: number): string => String(Math.floor(atMs / dayMs));

function timeline(params: Partial<Timeline>): Timeline {
  return { ...emptyTimeline, hasOlder: false, isLoading: false, ...params };
}

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
        newAfter: 4,
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
      toRows(timeline({ newAfter: 0, newCount: 1, messages: bodies.map((body, at) => testMessage({ order: at + 1, body })) }), dayOf).map(
        ({ kind }) => kind,
      );
    const text = { kind: "text", text: "read me" } as const;
    const line = { kind: "keys_updated" } as const;
    expect(kinds([line, text])).toEqual(["start", "day", "system", "new", "message"]);
    expect(kinds([text, line])).toEqual(["start", "day", "new", "message", "system"]);
    expect(kinds([line, line])).toEqual(["start", "day", "system", "system"]);
  });

  it("begins with a message while there is more to load: nothing that would go once it comes", () => {
    const messages = [testMessage({ order: 9, sentAtMs: 0 }), testMessage({ order: 10, sentAtMs: dayMs })];
    expect(toRows(timeline({ hasOlder: true, messages }), dayOf).map(({ kind }) => kind)).toEqual(["message", "day", "message"]);
  });

  it("has the mark where reading ended, and none where that place is not among what is loaded", () => {
    const messages = [5, 6, 7].map((order) => testMessage({ order, sentAtMs: 0 }));
    const keys = (params: Partial<Timeline>): readonly string[] => toRows(timeline({ messages, ...params }), dayOf).map(({ key }) => key);
    expect(keys({ hasOlder: true, newAfter: 5 })).toEqual(["m5", "new", "m6", "m7"]);
    expect(keys({ hasOlder: true, newAfter: 4 })).toEqual(["m5", "m6", "m7"]);
    expect(keys({ newAfter: 4 })).toEqual(["start", "day:0:m5", "new", "m5", "m6", "m7"]);
    expect(keys({ hasOlder: true, newAfter: 7 })).toEqual(["m5", "m6", "m7"]);
  });

  it("gives every row a key of its own", () => {
    const messages = Array.from({ length: 40 }, (_, order) => testMessage({ order, sentAtMs: order * dayMs * (order % 3) }));
    const keys = toRows(timeline({ messages }), dayOf).map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
