import { describe, expect, it } from "vitest";
import { me, testConversation, testMessage } from "../testing/fixtures.ts";
import {
  addPage,
  applyEvents,
  asksForRecoveryPhrase,
  groupAlarms,
  initialState,
  markUnreadLine,
  setAlarms,
  sortConversations,
  withTimeline,
} from "./app-state.ts";
import { totalUnread } from "./own.ts";
import { emptyTimeline } from "./timeline.ts";
import type { AppState } from "./app-state.ts";

const loaded: AppState = withTimeline({ ...initialState, conversations: new Map([["c", testConversation()]]), openId: "c" }, "c", {
  ...emptyTimeline,
  isLoading: false,
  hasOlder: false,
  messages: [testMessage({ order: 1 })],
});

describe("applyEvents", () => {
  it("puts messages into loaded timelines and tells the last one of somebody else", () => {
    const next = applyEvents(loaded, [
      { kind: "message", message: testMessage({ order: 2 }), isNew: true },
      { kind: "message", message: testMessage({ order: 3, author: me }), isNew: true },
    ]);
    expect(next.timelines.get("c")?.messages.map(({ order }) => order)).toEqual([1, 2, 3]);
    expect(next.heard.message?.order).toBe(2);
  });

  it("knows how much is read of what came meanwhile, until nothing is left", () => {
    const behind = applyEvents(initialState, [
      { kind: "catch_up", progress: { read: 0, of: 900 } },
      { kind: "catch_up", progress: { read: 250, of: 1000 } },
    ]);
    expect(behind.catchUp).toEqual({ read: 250, of: 1000 });
    expect(applyEvents(behind, [{ kind: "catch_up", progress: undefined }]).catchUp).toBeUndefined();
  });

  it("does not tell a message twice when only its state changes", () => {
    const next = applyEvents(loaded, [{ kind: "message", message: testMessage({ order: 1 }), isNew: true }]);
    expect(next.heard.key).toBe(0);
  });

  it("leaves a message alone that is older than what is loaded", () => {
    const state = withTimeline(loaded, "c", { ...emptyTimeline, isLoading: false, hasOlder: true, messages: [testMessage({ order: 50 })] });
    const next = applyEvents(state, [{ kind: "message", message: testMessage({ order: 7 }), isNew: true }]);
    expect(next.timelines.get("c")?.messages.map(({ order }) => order)).toEqual([50]);
  });

  it("draws the line of new messages when nobody is looking, and takes it away at an answer", () => {
    const away = { ...loaded, isAttentive: false };
    const next = applyEvents(away, [
      { kind: "message", message: testMessage({ order: 2 }), isNew: true },
      { kind: "message", message: testMessage({ order: 3 }), isNew: true },
    ]);
    expect(next.timelines.get("c")).toMatchObject({ newAfter: 1, newCount: 2 });
    const later = applyEvents(next, [{ kind: "message", message: testMessage({ order: 4 }), isNew: true }]);
    expect(later.timelines.get("c")).toMatchObject({ newAfter: 1, newCount: 3 });
    const answered = applyEvents(later, [
      { kind: "message", message: testMessage({ order: 5, author: me, delivery: { kind: "pending" } }), isNew: true },
    ]);
    expect(answered.timelines.get("c")?.newAfter).toBeUndefined();
  });

  it("draws no line while somebody is looking", () => {
    const next = applyEvents(loaded, [{ kind: "message", message: testMessage({ order: 2 }), isNew: true }]);
    expect(next.timelines.get("c")?.newAfter).toBeUndefined();
  });

  it("ties an own message to the one that is being handed over, one each", () => {
    const outgoing = ["a", "b"].map((key) => ({ key, conversationId: "c", text: "same", quote: undefined, atMs: 0, messageId: undefined }));
    const own = (order: number): ReturnType<typeof testMessage> =>
      testMessage({ order, author: me, body: { kind: "text", text: "same" }, delivery: { kind: "pending" } });
    const next = applyEvents({ ...loaded, outgoing }, [
      { kind: "message", message: own(2), isNew: true },
      { kind: "message", message: own(3), isNew: true },
    ]);
    expect(next.outgoing.map(({ messageId }) => messageId)).toEqual(["m2", "m3"]);
  });

  it("shows the same warning once", () => {
    const alarm = { kind: "alarm", failure: { code: "clock_skew", message: "", canRetry: false }, conversationId: undefined } as const;
    expect(applyEvents(applyEvents(loaded, [alarm]), [alarm]).alarms).toHaveLength(1);
  });

  it("is the same value when nothing happens", () => {
    expect(applyEvents(loaded, [])).toBe(loaded);
  });
});

describe("warnings", () => {
  const failure = { code: "log_fork", message: "", canRetry: false } as const;
  const told = applyEvents(initialState, [{ kind: "alarm", failure, conversationId: "c" }]);
  const listed = { id: "a1", failure, conversationId: "c", atMs: 5 };

  it("that were told of stay until the client lists them, and are not doubled then", () => {
    expect(setAlarms(told, []).alarms).toHaveLength(1);
    const both = setAlarms(told, [listed]);
    expect(both.alarms).toEqual([{ ...listed, key: "a1" }]);
    expect(applyEvents(both, [{ kind: "alarm", failure, conversationId: "c" }]).alarms).toHaveLength(1);
  });

  it("that the client no longer lists are gone", () => {
    expect(setAlarms(setAlarms(told, [listed]), []).alarms).toEqual([]);
  });

  it("come with those first that have most at stake", () => {
    const of = (code: "directory_stale" | "account_changed" | "log_fork", atMs: number) =>
      ({ key: code, id: code, failure: { ...failure, code }, conversationId: undefined, atMs }) as const;
    const groups = groupAlarms([of("directory_stale", 1), of("log_fork", 2), of("account_changed", 3)]);
    expect(groups.map(({ alarms: [first] }) => first.key)).toEqual(["account_changed", "log_fork", "directory_stale"]);
  });

  it("of one kind in several conversations are told as one", () => {
    const groups = groupAlarms([
      { ...listed, key: "1" },
      { ...listed, key: "2", conversationId: "d", atMs: 4 },
      { ...listed, key: "3", conversationId: undefined },
    ]);
    expect(groups.map(({ alarms }) => alarms.map(({ key }) => key))).toEqual([["2", "1"], ["3"]]);
  });
});

describe("the recovery phrase", () => {
  const account = { ...me, deviceId: "d", createdAtMs: 0, hasRecoveryPhrase: true, isRecovered: false };

  it("asks to be written down until it is, or is put off", () => {
    expect(asksForRecoveryPhrase(initialState)).toBe(false);
    expect(asksForRecoveryPhrase({ ...initialState, account })).toBe(true);
    expect(asksForRecoveryPhrase({ ...initialState, account, isRecoveryPutOff: true })).toBe(false);
    expect(asksForRecoveryPhrase({ ...initialState, account: { ...account, hasRecoveryPhrase: false, isRecovered: false } })).toBe(false);
  });
});

describe("pages and lines", () => {
  it("keeps what an event brought while a page was being loaded", () => {
    const newer = testMessage({ order: 1, delivery: { kind: "accepted", atMs: 5 } });
    const loading = applyEvents(withTimeline(loaded, "c", emptyTimeline), [{ kind: "message", message: newer, isNew: true }]);
    const messages = [testMessage({ order: 0 }), testMessage({ order: 1 })];
    const next = addPage(loading, "c", { messages, side: "all", hasOlder: false, hasNewer: false, seen: { first: 0, last: 0 } });
    expect(next.timelines.get("c")).toMatchObject({ hasOlder: false, isLoading: false });
    expect(next.timelines.get("c")?.messages).toEqual([testMessage({ order: 0 }), newer]);
  });

  it("marks where the unread ones begin", () => {
    const state = { ...loaded, conversations: new Map([["c", testConversation({ unreadCount: 1 })]]) };
    expect(markUnreadLine(state, "c").timelines.get("c")).toMatchObject({ newAfter: 0, newCount: 1 });
  });

  it("forgets a discarded message", () => {
    expect(applyEvents(loaded, [{ kind: "hidden", conversationId: "c", messageId: "m1" }]).timelines.get("c")?.messages).toEqual([]);
  });
});

describe("conversations", () => {
  const conversations = new Map(
    [testConversation({ id: "old", updatedAtMs: 1, unreadCount: 2 }), testConversation({ id: "new", updatedAtMs: 2, unreadCount: 3 })].map(
      (one) => [one.id, one] as const,
    ),
  );

  it("come newest first", () => {
    expect(sortConversations(conversations).map(({ id }) => id)).toEqual(["new", "old"]);
  });

  it("stand on top by their places; deleted ones are in no list", () => {
    const own = testConversation().own;
    const all = [
      testConversation({ id: "second", updatedAtMs: 3, own: { ...own, pinnedPlace: 1 } }),
      testConversation({ id: "first", own: { ...own, pinnedPlace: 0 } }),
      testConversation({ id: "gone", updatedAtMs: 9, own: { ...own, isDeleted: true } }),
      ...conversations.values(),
    ];
    expect(sortConversations(new Map(all.map((one) => [one.id, one]))).map(({ id }) => id)).toEqual(["first", "second", "new", "old"]);
  });

  it("that are muted count no unread messages, and are not told to a screen reader unless they are open", () => {
    const own = { ...testConversation().own, mutedUntil: "always" as const };
    const muted = testConversation({ id: "c", unreadCount: 4, own });
    expect(totalUnread(new Map([...conversations, ["c", muted]]))).toBe(5);
    const state = { ...loaded, openId: undefined, conversations: new Map([["c", muted]]) };
    const event = { kind: "message", message: testMessage({ order: 7 }), isNew: true } as const;
    expect(applyEvents(state, [event]).heard).toBe(state.heard);
    expect(applyEvents({ ...state, openId: "c" }, [event]).heard.message?.id).toBe("m7");
  });

  it("[X-18] in quiet hours are counted as ever, and not told to a screen reader unless they are open", () => {
    const all = { fromMinute: 0, toMinute: 0 };
    const days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    const quiet = { ...loaded, openId: undefined, quietHours: Object.fromEntries(days.map((day) => [day, all])) };
    const event = { kind: "message", message: testMessage({ order: 7 }), isNew: true } as const;
    expect(applyEvents(quiet, [event]).heard).toBe(quiet.heard);
    expect(applyEvents({ ...quiet, openId: "c" }, [event]).heard.message?.id).toBe("m7");
    expect(applyEvents({ ...quiet, quietHours: {} }, [event]).heard.message?.id).toBe("m7");
    expect(totalUnread(conversations)).toBe(5);
  });

  it("count their unread messages together", () => {
    expect(totalUnread(conversations)).toBe(5);
  });
});
