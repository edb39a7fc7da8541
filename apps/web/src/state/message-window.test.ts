import { describe, expect, it } from "vitest";
import type { Message } from "@latchkey/client";
import { me, testMessage } from "../testing/fixtures.ts";
import { indexOfMessage, mergeMessages, trimmed, usualWindow } from "./message-window.ts";

const range = (from: number, to: number): Message[] => Array.from({ length: to - from }, (_, at) => testMessage({ order: from + at }));
const ids = (messages: readonly Message[]): readonly string[] => messages.map(({ id }) => id);
const pendingOrder = 2 ** 52;

/** Messages that count how often somebody looks at their places. */
function watched(messages: readonly Message[]): { readonly messages: readonly Message[]; readonly looks: () => number } {
  let looks = 0;
  const proxies = messages.map(
    (message) =>
      new Proxy(message, {
        get(target, name: keyof Message) {
          if (name === "order" || name === "id") looks += 1;
          return target[name];
        },
      }),
  );
  return { messages: proxies, looks: () => looks };
}

describe("mergeMessages", () => {
  it("sorts by order and replaces by id", () => {
    const pending = testMessage({ id: "mine", order: pendingOrder, author: me, delivery: { kind: "pending" } });
    const merged = mergeMessages(
      [testMessage({ order: 1 }), pending],
      [testMessage({ order: 3 }), { ...pending, order: 2, delivery: { kind: "accepted", atMs: 1 } }],
    );
    expect(ids(merged)).toEqual(["m1", "mine", "m3"]);
    expect(merged[1]?.delivery?.kind).toBe("accepted");
  });

  it("takes a message of one's own from where it waited, also where nothing else is there", () => {
    const pending = testMessage({ id: "mine", order: pendingOrder, author: me, delivery: { kind: "pending" } });
    const accepted: Message = { ...pending, order: 16, delivery: { kind: "accepted", atMs: 1 } };
    expect(mergeMessages([pending], [accepted])).toEqual([accepted]);
    const other = { ...pending, id: "other", order: pendingOrder + 1 };
    expect(ids(mergeMessages([pending, other], [accepted]))).toEqual(["mine", "other"]);
    expect(ids(mergeMessages([], [pending, accepted]))).toEqual(["mine"]);
    expect(ids(mergeMessages([...range(1, 4), accepted], [pending]))).toEqual(["m1", "m2", "m3", "mine"]);
    // A page that was read later than what was told of it.
    expect(mergeMessages([...range(1, 4), accepted], [pending, accepted])).toEqual([...range(1, 4), accepted]);
  });

  it("has the later of two states of one message, and each once, whatever comes in what order", () => {
    const later = testMessage({ order: 2, body: { kind: "text", text: "later" } });
    const merged = mergeMessages(range(1, 4), [testMessage({ order: 5 }), testMessage({ order: 2 }), later, testMessage({ order: 0 })]);
    expect(ids(merged)).toEqual(["m0", "m1", "m2", "m3", "m5"]);
    expect(merged[2]).toBe(later);
  });

  it("keeps its identity when nothing comes", () => {
    const messages = range(1, 2);
    expect(mergeMessages(messages, [])).toBe(messages);
  });

  it("looks at no more of a long conversation for a page than of a short one", () => {
    const looksFor = (length: number, page: readonly Message[]): number => {
      const existing = watched(range(1000, 1000 + length));
      const before = existing.messages;
      expect(mergeMessages(before, page)).toHaveLength(length + page.length);
      return existing.looks();
    };
    const older = range(800, 920);
    expect(looksFor(1_500, older)).toBe(looksFor(150, older));
    const newer = (length: number): Message[] => range(1000 + length, 1120 + length);
    expect(looksFor(1_500, newer(1_500))).toBe(looksFor(150, newer(150)));
    expect(looksFor(100_000, older)).toBeLessThan(10);
  });

  it("finds the place of one message by halving", () => {
    const existing = watched(range(0, 1 << 16));
    expect(mergeMessages(existing.messages, [testMessage({ order: 777 })])).toHaveLength(1 << 16);
    expect(existing.looks()).toBeLessThan(60);
  });
});

describe("a message among those that are loaded", () => {
  it("is known by its id; two at one place are told apart", () => {
    const messages = [...range(1, 3), testMessage({ id: "twin", order: 2 }), ...range(3, 5)];
    expect(indexOfMessage(messages, testMessage({ id: "twin", order: 2 }))).toBe(2);
    expect(indexOfMessage(messages, testMessage({ order: 3 }))).toBe(3);
    expect(indexOfMessage(messages, testMessage({ id: "other", order: 3 }))).toBe(-1);
    expect(indexOfMessage(messages, testMessage({ order: 9 }))).toBe(-1);
  });
});

describe("what is far away", () => {
  const all = range(0, usualWindow + 300);

  it("goes on the other side than the one that is read on", () => {
    expect(trimmed(all, "newer", { first: 0, last: 20 })).toEqual(all.slice(0, usualWindow));
    expect(trimmed(all, "older", { first: usualWindow, last: usualWindow + 20 })).toEqual(all.slice(300));
    expect(trimmed(all.slice(0, usualWindow), "older", { first: usualWindow, last: usualWindow })).toHaveLength(usualWindow);
  });

  it("stays as far as it is on the screen", () => {
    expect(trimmed(all, "newer", { first: 0, last: usualWindow + 99 })).toEqual(all.slice(0, usualWindow + 100));
    expect(trimmed(all, "older", { first: 100, last: usualWindow })).toEqual(all.slice(100));
  });
});
