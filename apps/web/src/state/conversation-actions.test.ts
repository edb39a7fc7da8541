import { describe, expect, it } from "vitest";
import { testConversation, testPerson } from "../testing/fixtures.ts";
import { conversationActions, isGrave, isUnread } from "./conversation-actions.ts";

const { own } = testConversation();

describe("what can be done with a conversation in the list", () => {
  it("is the opposite of what was done", () => {
    expect(conversationActions(testConversation(), 0)).toEqual(["markUnread", "pin", "mute", "archive", "erase", "block"]);
    const done = { ...own, pinnedPlace: 0, mutedUntil: 5, isArchived: true };
    const other = testConversation({ own: done, unreadCount: 2, isBlocked: true });
    expect(conversationActions(other, 0)).toEqual(["markRead", "unpin", "unmute", "unarchive", "erase", "unblock"]);
    // A mute that is over is none.
    expect(conversationActions(other, 6)).toContain("mute");
  });

  it("is leaving of a group that one is in, and nothing against oneself", () => {
    expect(conversationActions(testConversation({ kind: "group", peer: undefined }), 0).at(-1)).toBe("leave");
    expect(conversationActions(testConversation({ kind: "group", peer: undefined, status: "removed" }), 0).at(-1)).toBe("erase");
    expect(conversationActions(testConversation({ peer: testPerson("me", true) }), 0).at(-1)).toBe("erase");
  });

  it("asks first before what cannot be taken back", () => {
    expect(conversationActions(testConversation(), 0).filter(isGrave)).toEqual(["erase", "block"]);
  });

  it("counts as unread by what came, and by the person's own mark", () => {
    expect([isUnread({ unreadCount: 1, own }), isUnread({ unreadCount: 0, own: { ...own, isMarkedUnread: true } })]).toEqual([true, true]);
    expect(isUnread({ unreadCount: 0, own })).toBe(false);
  });
});
