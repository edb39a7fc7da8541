import { describe, expect, it } from "vitest";
import { ben, me, testMessage } from "../testing/fixtures.ts";
import { actionsOf, canDeleteForEveryone, copyText, lastEditable } from "./message-actions.ts";

const hourMs = 3_600_000;
const world = { may: { post: true, pin: true }, isStarred: false, isPinned: false, nowMs: 100 * hourMs };
const own = testMessage({ order: 1, author: me, sentAtMs: 99 * hourMs, delivery: { kind: "accepted", atMs: 1 } });

describe("what can be done with a message", () => {
  it("is everything with one's own of today; the words of others are not changed", () => {
    expect(actionsOf(own, world)).toEqual(["reply", "edit", "copy", "forward", "pin", "star", "remind", "select", "info", "delete"]);
    expect(actionsOf(testMessage({ order: 1, author: ben, sentAtMs: 99 * hourMs }), world)).not.toContain("edit");
    // Whoever wrote it can be looked at.
    expect(actionsOf(testMessage({ order: 1, author: ben, sentAtMs: 99 * hourMs }), world)).toContain("person");
    expect(actionsOf(own, world)).not.toContain("person");
  });

  it("[X-3] is no change after a day, after the tenth, and of what was forwarded", () => {
    expect(actionsOf(own, { ...world, nowMs: own.sentAtMs + 24 * hourMs })).not.toContain("edit");
    expect(actionsOf({ ...own, edited: { count: 10, atMs: 0 } }, world)).not.toContain("edit");
    expect(actionsOf({ ...own, forwardedHops: 1 }, world)).not.toContain("edit");
  });

  it("is only copying while it is on its way or failed: it may get another id", () => {
    expect(actionsOf({ ...own, delivery: { kind: "pending" } }, world)).toEqual(["copy"]);
  });

  it("takes back what was done, and offers nothing that rights forbid", () => {
    const actions = actionsOf(own, { ...world, isStarred: true, isPinned: true });
    expect(actions).toEqual(expect.arrayContaining(["unstar", "unpin"]));
    expect(actionsOf(own, { ...world, may: { post: false, pin: false } })).toEqual([
      "copy",
      "forward",
      "star",
      "remind",
      "select",
      "info",
      "delete",
    ]);
  });

  it("is nothing with what the group tells of itself", () => {
    expect(actionsOf(testMessage({ order: 1, author: ben, body: { kind: "left" } }), world)).toEqual([]);
  });

  it("[X-4] is deleting for everybody of one's own for a week, of others by who may", () => {
    const other = testMessage({ order: 1, author: ben, sentAtMs: 99 * hourMs });
    expect(canDeleteForEveryone([own], { deleteOthers: false }, world.nowMs)).toBe(true);
    expect(canDeleteForEveryone([own], { deleteOthers: false }, own.sentAtMs + 7 * 24 * hourMs)).toBe(false);
    expect(canDeleteForEveryone([own, other], { deleteOthers: false }, world.nowMs)).toBe(false);
    expect(canDeleteForEveryone([own, other], { deleteOthers: true }, own.sentAtMs + 8 * 24 * hourMs)).toBe(true);
  });
});

describe("the message that Up changes", () => {
  it("is the last that the person said, or none while it is on its way or too old", () => {
    const other = testMessage({ author: ben, order: 9 });
    expect(lastEditable([own, other], world.nowMs)).toBe(own);
    expect(lastEditable([own, { ...own, delivery: { kind: "pending" } }], world.nowMs)).toBeUndefined();
    expect(lastEditable([own], own.sentAtMs + 24 * hourMs)).toBeUndefined();
    expect(lastEditable([], world.nowMs)).toBeUndefined();
  });
});

describe("messages as a text", () => {
  it("are one as it is, several with their heads", () => {
    const text = (word: string): ReturnType<typeof testMessage> =>
      testMessage({ order: 1, author: ben, body: { kind: "text", text: word } });
    expect(copyText([text("one")], () => "head")).toBe("one");
    expect(copyText([text("one"), text("two")], () => "head")).toBe("head\none\n\nhead\ntwo");
    expect(copyText([], () => "head")).toBe("");
    const named = { ...text(`Ask [@b](mimi://chat.example/u/${ben.accountId})`), mentions: [ben] };
    expect(copyText([named], () => "head")).toBe(`Ask @${ben.displayName}`);
  });
});
