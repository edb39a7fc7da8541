import "../testing/english.ts";
import type { Conversation, Message } from "@latchkey/client";
import { describe, expect, it } from "vitest";
import { fetchWords } from "../messages/words.ts";
import { noticeOf } from "./notice.ts";

const conversation = { id: "c1", kind: "group", peer: undefined, title: "Allotment" } as const satisfies Partial<Conversation>;
const ben = { accountId: "b", username: "ben", displayName: "Benedetta", isSelf: false };
const message = { id: "m1", conversationId: "c1", author: ben, body: { kind: "text", text: "the shed is open" } } as unknown as Message;
await fetchWords("app");

describe("[O-20] what a notification says", () => {
  it("nothing, unless the person chose otherwise: then all conversations have one", () => {
    expect(noticeOf({ message, conversation, depth: "nothing", count: 3, hasLock: false })).toEqual({
      tag: "",
      title: "Latchkey",
      body: "New messages",
      path: "/c/c1",
      messageId: "m1",
      count: 3,
    });
  });

  it("who wrote and how much, or what", () => {
    const said = (depth: "name" | "text", count = 1, other: Partial<Message> = {}, kind: "direct" | "group" = "group") => {
      const { title, body } = noticeOf({
        message: { ...message, ...other },
        conversation: { ...conversation, kind },
        depth,
        count,
        hasLock: false,
      });
      return [title, body];
    };
    expect(said("name")).toEqual(["Allotment", "New message"]);
    expect(said("name", 4)).toEqual(["Allotment", "4 new messages"]);
    expect(said("text")).toEqual(["Allotment", "Benedetta: the shed is open"]);
    expect(said("text", 1, {}, "direct")).toEqual(["Allotment", "the shed is open"]);
    expect(said("text", 1, { body: { kind: "text", text: "a".repeat(5000) } }, "direct")[1]).toHaveLength(300);
  });

  it("nothing where a lock is on, whatever was chosen, and not where it leads", () => {
    const { tag, title, body, path } = noticeOf({ message, conversation, depth: "text", count: 1, hasLock: true });
    expect([tag, title, body, path]).toEqual(["", "Latchkey", "New messages", "/"]);
  });

  it("never of what is to be seen once, goes after a time, has no words, or is of somebody who is doubted", () => {
    const bodyOf = (other: Partial<Message>) =>
      noticeOf({ message: { ...message, ...other }, conversation, depth: "text", count: 1, hasLock: false }).body;
    const poll = { kind: "poll", question: "when?" } as unknown as Message["body"];
    for (const other of [
      { isOnce: true },
      { doubt: "unverified" },
      { body: { kind: "text", text: "" } },
      { body: poll },
    ] as Partial<Message>[])
      expect(bodyOf(other)).toBe("New message");
  });
});
