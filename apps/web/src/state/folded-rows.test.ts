import type { Message } from "@latchkey/client";
import { describe, expect, it } from "vitest";
import { ben, me, testMessage } from "../testing/fixtures.ts";
import { foldRows } from "./folded-rows.ts";
import { emptyTimeline, toRows } from "./timeline.ts";

const shown = (messages: readonly Message[], opened: readonly string[] = []): string[] =>
  foldRows(
    toRows({ ...emptyTimeline, messages, hasOlder: true, isLoading: false }, () => "day"),
    new Set(opened),
  ).map((row) => (row.kind === "folded" ? `${row.what} ${String(row.count)}` : row.key));

describe("[X-20] what somebody wrote too soon", () => {
  const messages = [
    testMessage({ order: 1 }),
    testMessage({ order: 2, folded: true }),
    testMessage({ order: 3, folded: true }),
    testMessage({ order: 4, folded: true, author: me }),
    testMessage({ order: 5 }),
  ];

  it("stands behind one line of each person, which opens", () => {
    expect(shown(messages)).toEqual(["m1", "early 2", "early 1", "m5"]);
    expect(shown(messages, ["fold:m2"])).toEqual(["m1", "early 2", "m2", "m3", "early 1", "m5"]);
  });
});

describe("[X-19] settings that one person changes again and again", () => {
  const renamed = (order: number, author = ben): Message => testMessage({ order, author, body: { kind: "renamed", name: "Choir" } });

  it("are one line from the fourth on; three are shown, and so is what another did", () => {
    expect(shown([1, 2, 3].map((order) => renamed(order)))).toEqual(["m1", "m2", "m3"]);
    expect(shown([1, 2, 3, 4].map((order) => renamed(order)))).toEqual(["settings 4"]);
    expect(shown([1, 2, 3, 4].map((order) => renamed(order, order === 4 ? me : ben)))).toEqual(["m1", "m2", "m3", "m4"]);
  });
});
