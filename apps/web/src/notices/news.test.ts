import "../testing/english.ts";
import { nothingSetFor, weekdays } from "@latchkey/client/own";
import type { Conversation, Message, QuietHours } from "@latchkey/client";
import { describe, expect, it } from "vitest";
import { fetchWords } from "../messages/words.ts";
import { me, testConversation, testMessage } from "../testing/fixtures.ts";
import { newsOf } from "./news.ts";

await fetchWords("app");

const always: QuietHours = Object.fromEntries(weekdays.map((day) => [day, { fromMinute: 0, toMinute: 0 }]));
const said = (order: number, other: Omit<Parameters<typeof testMessage>[0], "order"> = {}): Message => testMessage({ order, ...other });

/** What is told where this came, in a profile that has these conversations and messages now. */
async function news(params: {
  came: readonly Message[];
  conversations?: readonly Conversation[];
  messages?: readonly Message[];
  quietHours?: QuietHours;
  depth?: "nothing" | "name" | "text";
  counts?: ReadonlyMap<string, number>;
}) {
  const { came, conversations = [testConversation({ unreadCount: 9 })], messages = came } = params;
  const client = {
    conversations: async () => conversations,
    messages: async (id: string, { limit }: { limit: number }) => messages.filter((one) => one.conversationId === id).slice(-limit),
    quietHours: async () => params.quietHours ?? {},
  };
  return await newsOf(client, { came, depth: params.depth ?? "text", counts: params.counts ?? new Map(), nowMs: Date.now() });
}

describe("[O-22] what a worker that was woken tells", () => {
  it("is the newest of each conversation, and of how many it tells, those of a notification that is shown among them", async () => {
    const other = testConversation({ id: "d", title: "chidi", unreadCount: 1 });
    const came = [said(1), said(1, { id: "n1", conversationId: "d" }), said(2)];
    const found = await news({ came, conversations: [testConversation({ unreadCount: 5 }), other], counts: new Map([["c", 3]]) });
    expect(found.notices).toEqual([
      { tag: "c", title: "ben", body: "text 2", path: "/c/c", messageId: "m2", count: 5 },
      { tag: "d", title: "chidi", body: "text 1", path: "/c/d", messageId: "n1", count: 1 },
    ]);
    expect([found.unread, found.read]).toEqual([6, []]);
  });

  it("is of no more messages than are not read, also where a notification of some that were read elsewhere is shown still", async () => {
    const found = await news({ came: [said(9)], conversations: [testConversation({ unreadCount: 1 })], counts: new Map([["c", 3]]) });
    expect(found.notices).toMatchObject([{ count: 1 }]);
  });

  it("is as much as the person chose, and nothing of one's own or of what happened in a group", async () => {
    const own = said(3, { author: me });
    const joined = said(4, { body: { kind: "left" } as Message["body"] });
    const [byName] = (await news({ came: [said(1), said(2), own, joined], depth: "name" })).notices;
    expect([byName?.title, byName?.body, byName?.messageId]).toEqual(["ben", "2 new messages", "m2"]);
    const [some] = (await news({ came: [said(1)], depth: "nothing" })).notices;
    expect([some?.tag, some?.title, some?.body]).toEqual(["", "Latchkey", "New messages"]);
    expect((await news({ came: [own, joined] })).notices).toEqual([]);
  });

  it("is nothing of a muted conversation, and nothing in quiet hours", async () => {
    const muted = testConversation({ unreadCount: 1, own: { ...nothingSetFor, mutedUntil: "always" } });
    const found = await news({ came: [said(1)], conversations: [muted] });
    expect([found.notices, found.unread]).toEqual([[], 0]);
    expect((await news({ came: [said(1)], quietHours: always })).notices).toEqual([]);
  });

  it("is nothing that was read on another device meanwhile, and says of what all was read", async () => {
    const found = await news({ came: [said(1)], conversations: [testConversation()] });
    expect([found.notices, found.read]).toEqual([[], ["c", ""]]);
  });

  it("[X-7] is nothing that is there no more: deleted, or its time over; the one before it is told then, as it reads now", async () => {
    const deleted = said(2, { body: { kind: "deleted" } as Message["body"] });
    expect((await news({ came: [said(1)], messages: [] })).notices).toEqual([]);
    expect((await news({ came: [said(2)], messages: [deleted] })).notices).toEqual([]);
    const edited = said(1, { body: { kind: "text", text: "changed" } });
    for (const messages of [[edited], [edited, deleted]])
      expect((await news({ came: [said(1), said(2)], messages })).notices).toMatchObject([{ body: "changed", messageId: "m1" }]);
  });

  it("is nothing of a conversation that is gone", async () => {
    expect((await news({ came: [said(1)], conversations: [] })).notices).toEqual([]);
  });
});
