import { describe, expect, it } from "vitest";
import { me, testConversation, testMessage } from "../testing/fixtures.ts";
import { isMentioned, listFilters, passes, withMentions } from "./list-filter.ts";

const quote = { messageId: "m1", author: me, text: "", isDeleted: false };

describe("filters of the list", () => {
  it("show people, groups, what is unread by any mark, and what names one", () => {
    const shownBy = (conversation: ReturnType<typeof testConversation>): readonly string[] =>
      listFilters.filter((filter) => passes(filter, conversation, new Map([["c", 20]])));
    expect(shownBy(testConversation({ readThrough: 30 }))).toEqual(["all", "people"]);
    expect(shownBy(testConversation({ kind: "group", unreadCount: 2, readThrough: 10 }))).toEqual(["all", "unread", "groups", "mentions"]);
    const own = { ...testConversation().own, isMarkedUnread: true };
    expect(shownBy(testConversation({ own }))).toEqual(["all", "unread", "people"]);
  });

  it("count as naming one what mentions them, everybody, or answers them, until it is read", () => {
    const conversation = testConversation({ unreadCount: 3, readThrough: 10 });
    for (const over of [{ isMentioned: true }, { quote }]) {
      const mentions = withMentions(new Map(), [testMessage({ order: 12, ...over }), testMessage({ order: 13 })]);
      expect(mentions).toEqual(new Map([["c", 12]]));
      expect(isMentioned(conversation, mentions)).toBe(true);
      expect(isMentioned({ ...conversation, readThrough: 12 }, mentions)).toBe(false);
      expect(isMentioned({ ...conversation, unreadCount: 0 }, mentions)).toBe(false);
    }
  });

  it("count nothing that one said oneself, that came too soon or answers others, and keep the newest", () => {
    const before = new Map([["c", 20]]);
    const ignored = [
      testMessage({ order: 30, author: me, isMentioned: true }),
      testMessage({ order: 31, isMentioned: true, folded: true }),
      testMessage({ order: 32, quote: { ...quote, author: testMessage({ order: 1 }).author } }),
      testMessage({ order: 19, isMentioned: true }),
    ];
    expect(withMentions(before, ignored)).toBe(before);
  });
});
