import "../testing/english.ts";
import type { ReactElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, test } from "vitest";
import type { Message } from "@latchkey/client";
import { initialState } from "../state/app-state.ts";
import { AppContext } from "../state/context.ts";
import type { App } from "../state/context.ts";
import { dayKey } from "../state/format.ts";
import { emptyTimeline, toRows } from "../state/timeline.ts";
import { testConversation, testMessage } from "../testing/fixtures.ts";
import { ConversationItem } from "./ConversationItem.tsx";
import { MessageRow } from "./MessageRow.tsx";

const store = { get: () => initialState, subscribe: () => () => undefined };
const app = { controller: { store, listen: () => undefined }, router: { go: () => undefined }, notify: () => undefined } as unknown as App;

/** The texts of a group's lines, one after the other as a screen reader reads them. */
function read(messages: readonly Message[]): readonly string[] {
  const rows = toRows({ ...emptyTimeline, messages, hasOlder: false, isLoading: false }, dayKey);
  return textsOf(
    <>
      {rows.map((row) => (
        <MessageRow key={row.key} row={row} kind="group" title="Allotment" nowMs={0} />
      ))}
    </>,
  );
}

function textsOf(shown: ReactElement): readonly string[] {
  const html = renderToStaticMarkup(<AppContext value={app}>{shown}</AppContext>);
  return html.split(/<[^>]*>/u).filter((text) => text !== "");
}

describe("[E-28] a text whose device is not known to be its author's", () => {
  test.each([
    ["unproven", "Whether this is ben&#x27;s device is being checked"],
    ["departed", "By a device that ben had removed by then"],
  ] as const)("says so below it, in words: %s", (doubt, words) => {
    const texts = read([testMessage({ order: 1 }), testMessage({ order: 2, doubt }), testMessage({ order: 3 })]);
    expect(texts.indexOf(words)).toBeGreaterThan(texts.indexOf("text 2"));
    expect(texts.indexOf(words)).toBeLessThan(texts.indexOf("text 3"));
    expect(texts.filter((text) => text === words)).toHaveLength(1);
  });

  test.each(["unproven", "departed"] as const)("is not shown as theirs in the list of conversations either: %s", (doubt) => {
    const lastMessage = testMessage({ order: 2, doubt });
    const texts = textsOf(
      <ConversationItem
        conversation={testConversation({ kind: "group", lastMessage, title: "Allotment" })}
        nowMs={0}
        isOpen={false}
        isTabStop={false}
        isNamed={false}
        hasAlarm={false}
      />,
    );
    expect(texts.join(" ")).toMatch(doubt === "unproven" ? /being checked/u : /had removed by then/u);
    expect(texts.join(" ")).not.toContain("text 2");
  });

  test("which turned out not to be theirs shows nothing of theirs: not the text, and no name", () => {
    const reason = "It is by a device that does not belong to the account that it names.";
    const texts = read([{ ...testMessage({ order: 1, body: { kind: "unreadable", reason } }), author: undefined }]);
    expect(texts).toContain(reason);
    expect(texts.join(" ")).not.toMatch(/ben|text 1/u);
  });
});
