import "../testing/english.ts";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, test } from "vitest";
import type { Message, MessageBody, Person } from "@latchkey/client";
import { initialState } from "../state/app-state.ts";
import { AppContext } from "../state/context.ts";
import type { App } from "../state/context.ts";
import {
  dayKey,
  formatAgo,
  formatBytes,
  formatDate,
  formatDay,
  formatFull,
  formatLeft,
  formatListTime,
  formatTime,
  initials,
  isoTime,
} from "../state/format.ts";
import { parseMarkdown } from "../state/markdown.ts";
import { previewText, shortenText } from "../state/message-text.ts";
import { emptyTimeline, toRows } from "../state/timeline.ts";
import { testConversation, testMessage, testPerson } from "../testing/fixtures.ts";
import { Boundary } from "./Boundary.tsx";
import { ConversationItem } from "./ConversationItem.tsx";
import { MessageRow } from "./MessageRow.tsx";

const times = [9e15, 8.64e15, 8.64e15 + 1, -9e15, 1e308, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0.5];
const texts = [
  "",
  " ",
  "\u0000",
  "\u202Etxt.exe",
  "\u2066",
  "\uD800",
  "a\u0301".repeat(5000),
  "\u0301".repeat(5000),
  "\u200B",
  "```",
  "```\n".repeat(2000),
  ">".repeat(5000),
  "> \n".repeat(5000),
  "**a ".repeat(5000),
  "`".repeat(5000),
  "https://".repeat(2000),
  `https://a.example/${")(".repeat(5000)}`,
  "<script>alert(1)</script>",
  "\n".repeat(5000),
  "👨‍👩‍👧".repeat(2000),
];

// What rows need of the app is the router, for the addresses of links.
const store = { get: () => initialState, subscribe: () => () => undefined };
const app = { controller: { store, listen: () => undefined }, router: { go: () => undefined }, notify: () => undefined } as unknown as App;

function render(message: Message): string {
  const rows = toRows(
    { ...emptyTimeline, messages: [message], hasOlder: false, isLoading: false, newAfter: message.order - 1, newCount: 1 },
    (atMs) => dayKey(atMs),
  );
  return renderToStaticMarkup(
    <AppContext value={app}>
      {rows.map((row) => (
        <MessageRow key={row.key} row={row} kind="group" title={message.id} nowMs={0} />
      ))}
      <ul>
        <ConversationItem
          conversation={testConversation({ kind: "group", lastMessage: message, updatedAtMs: message.sentAtMs, title: message.id })}
          nowMs={0}
          isOpen={false}
          isTabStop={false}
          isNamed={false}
          hasAlarm={false}
        />
      </ul>
    </AppContext>,
  );
}

describe("[E-61] hostile values are drawn", () => {
  test.each(times)("the time %d, by every formatter", (atMs) => {
    for (const nowMs of [0, Date.UTC(2026, 10, 23), ...times]) {
      for (const format of [formatAgo, formatDay, formatListTime]) expect(format(atMs, nowMs), format.name).toBeTypeOf("string");
    }
    for (const format of [dayKey, formatBytes, formatDate, formatFull, formatLeft, formatTime, isoTime]) {
      expect(format(atMs), format.name).not.toMatch(/NaN|Infinity|Invalid/u);
    }
    expect(render(testMessage({ order: 1, sentAtMs: atMs }))).toContain("text 1");
  });

  test.each(texts)("the text %j, in every place", (text) => {
    const author: Person = { ...testPerson("mallory"), displayName: text, username: text, address: text };
    const bodies: MessageBody[] = [
      { kind: "text", text },
      { kind: "created", name: text },
      { kind: "renamed", name: text },
      { kind: "added", people: Array.from({ length: 2000 }, () => author) },
      { kind: "removed", people: [] },
      { kind: "recovered", person: author },
      { kind: "expired", count: Number.MAX_SAFE_INTEGER },
      { kind: "unreadable", reason: text },
      { kind: "alarm", reason: text },
    ];
    for (const body of bodies) expect(render(testMessage({ order: 1, author, body })), body.kind).not.toContain("<script");
    expect(parseMarkdown(text).length + previewText(text).length + (shortenText(text)?.length ?? 0) + initials(text).length).toBeLessThan(
      60_000,
    );
  });
});

describe("[E-61] what cannot be drawn", () => {
  const draw = (kind: "line" | "item" | "part" | "page"): string => {
    const boundary = new Boundary({ kind, children: "shown", place: "/a" });
    boundary.state = { ...boundary.state, ...Boundary.getDerivedStateFromError() };
    return renderToStaticMarkup(boundary.render());
  };

  test.each([
    ["line", "This line cannot be shown."],
    ["item", "<li"],
    ["part", "The rest goes on."],
    ["page", "Try again"],
  ] as const)("says so in its place, a %s", (kind, text) => {
    expect(draw(kind)).toContain(text);
    expect(draw(kind)).not.toContain("shown</");
  });

  test("keeps nobody from the rest: from a place there is a way to where everything else is", () => {
    const left: string[] = [];
    const boundary = new Boundary({ kind: "part", children: "shown", place: "/c/a", leave: () => left.push("home") });
    boundary.state = { ...boundary.state, ...Boundary.getDerivedStateFromError() };
    expect(renderToStaticMarkup(boundary.render())).toContain("Show the rest");
    expect(draw("part")).not.toContain("Show the rest");
    expect(left).toEqual([]);
  });

  test("is tried anew in another place, and not in the same", () => {
    const failed = { hasFailed: true, place: "/a" };
    const props = { kind: "part", children: "shown" } as const;
    expect(Boundary.getDerivedStateFromProps({ ...props, place: "/a" }, failed)).toBeUndefined();
    expect(Boundary.getDerivedStateFromProps({ ...props, place: "/b" }, failed)).toEqual({ hasFailed: false, place: "/b" });
  });
});
