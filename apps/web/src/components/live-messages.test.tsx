import "../testing/english.ts";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { initialState } from "../state/app-state.ts";
import { AppContext } from "../state/context.ts";
import type { App } from "../state/context.ts";
import { testConversation, testMessage } from "../testing/fixtures.ts";
import { LiveMessages } from "./Banners.tsx";

/** What a screen reader is told of a message in a conversation that is not open. */
function heardIn(kind: "direct" | "group", title: string): string {
  const conversation = testConversation({ kind, title });
  const message = testMessage({ order: 1, conversationId: conversation.id });
  const state = { ...initialState, conversations: new Map([[conversation.id, conversation]]), heard: { key: 1, message } };
  const app = { controller: { store: { get: () => state, subscribe: () => () => undefined } } } as unknown as App;
  const html = renderToStaticMarkup(
    <AppContext value={app}>
      <LiveMessages />
    </AppContext>,
  );
  return html.replaceAll(/<[^>]*>|[\u2068\u2069]/gu, "");
}

test("a message elsewhere is told with the name of its group, and of two people with the other's name alone", () => {
  expect(heardIn("group", "Allotment")).toBe("New message from ben in Allotment");
  expect(heardIn("direct", "ben")).toBe("New message from ben");
});
