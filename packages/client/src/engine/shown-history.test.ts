import { toBase64Url } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import type { ConversationState } from "../core/types.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import { putLine } from "../timeline/history.ts";
import type { Line } from "../timeline/line.ts";
import { ada, ben, bytes, change, conversationId, cyd, said, startMs } from "../timeline/saying.testing.ts";
import type { Said } from "../timeline/said.ts";
import { ShownHistory } from "./shown-history.ts";
import { SureClock } from "./sure-clock.ts";
import type { World } from "./world.ts";

/** Of a conversation this looks at no more than what is here. */
function stateOf(parts: { lastOrder: number; readThrough?: number; unread?: number }): ConversationState {
  const state = { id: conversationId, host: "a.example", outgoing: [], unverified: [], away: [], readThrough: 0, unread: 0, ...parts };
  return state as unknown as ConversationState;
}

/** A store that counts the lines that are read from it. */
function counting(store: Store): Store & { readonly read: () => number } {
  let count = 0;
  return {
    ...store,
    transact: (mode, run) =>
      store.transact(mode, (tx) =>
        run({
          ...tx,
          async scan(range) {
            const found = await tx.scan(range);
            count += found.length;
            return found;
          },
        }),
      ),
    read: () => count,
  };
}

async function historyOf(
  all: readonly Said[],
  parts: Partial<Parameters<typeof stateOf>[0]> = {},
  lines: readonly Line[] = [],
): Promise<{ history: ShownHistory; read: () => number; set: (parts: Partial<Parameters<typeof stateOf>[0]>) => void }> {
  const store = counting(createMemoryStore());
  await change(store, async (timeline, tx) => {
    for (const one of all) await timeline.take(one);
    for (const line of lines) putLine(tx, conversationId, line);
  });
  const before = store.read();
  let state = stateOf({ lastOrder: all.at(-1)?.order ?? 0, ...parts });
  const person = (accountId: Uint8Array): object => ({ accountId: toBase64Url(accountId), isSelf: accountId === ada });
  const people = { self: { accountId: ada, account: toBase64Url(ada) }, load: async () => undefined, person, vouches: () => true };
  const world = { store, people, platform: { nowMs: () => startMs }, clock: new SureClock() } as unknown as World;
  return {
    history: new ShownHistory(world, conversationId, () => state),
    read: () => store.read() - before,
    set: (next) => {
      state = { ...state, ...next };
    },
  };
}

const text = (words: string): Said["body"] => ({ kind: "text", text: words });
const many = (count: number, author = ben): Said[] => Array.from({ length: count }, (_, at) => said(at + 1, author, text(String(at + 1))));
const orders = (messages: readonly { readonly order: number }[]): number[] => messages.map(({ order }) => order);

describe("a page of a conversation", () => {
  test("is what stands before a place, after one, or between two; -1 is the beginning", async () => {
    const { history } = await historyOf(many(40));
    expect(orders(await history.page({ limit: 3 }))).toEqual([38, 39, 40]);
    expect(orders(await history.page({ beforeOrder: 10, limit: 3 }))).toEqual([7, 8, 9]);
    expect(orders(await history.page({ afterOrder: 10, limit: 3 }))).toEqual([11, 12, 13]);
    expect(orders(await history.page({ afterOrder: 10, beforeOrder: 12, limit: 3 }))).toEqual([11]);
    expect(orders(await history.page({ afterOrder: -1, limit: 2 }))).toEqual([1, 2]);
    expect(orders(await history.page({ afterOrder: 39, limit: 3 }))).toEqual([40]);
  });

  test("reads as many lines as it has, wherever it stands in however long a conversation", async () => {
    const counts: number[] = [];
    for (const length of [200, 4000]) {
      const { history, read } = await historyOf(many(length));
      await history.page({ beforeOrder: length / 2, limit: 50 });
      await history.page({ afterOrder: length / 2, limit: 50 });
      counts.push(read());
    }
    expect(counts).toEqual([100, 100]);
  });
});

describe("[E-132] the place of a time", () => {
  test("is that of the first message from then on, found in a handful of looks", async () => {
    const { history, read } = await historyOf(many(5000));
    expect(await history.placeAt(startMs + 1234 * 1000)).toBe(1234);
    expect(read()).toBeLessThan(30);
    expect(await history.placeAt(startMs + 1234 * 1000 - 1)).toBe(1234);
    expect(await history.placeAt(0)).toBe(1);
    expect(await history.placeAt(startMs + 5001 * 1000)).toBeUndefined();
  });

  test("is one of the conversation's whatever its members' clocks say", async () => {
    const wrong = [said(1, ben, text("one")), said(2, cyd, text("2099"), { sentAtMs: 4e12 }), said(3, ben, text("three"))];
    const { history } = await historyOf([...wrong, said(4, cyd, text("1970"), { sentAtMs: 0 })]);
    for (const atMs of [0, startMs, startMs + 3000, 4e12]) expect([undefined, 1, 2, 3, 4]).toContain(await history.placeAt(atMs));
  });
});

describe("what is left to read", () => {
  test("is counted to the end, above a thousand too, and each message once by whoever reads on", async () => {
    const { history, read, set } = await historyOf(many(6000), { unread: 6000 });
    const lefts: number[] = [];
    for (const through of [60, 120, 3000, 5500]) {
      const unread = await history.unreadAfter(through);
      set({ unread, readThrough: through });
      lefts.push(unread);
    }
    expect(lefts).toEqual([5940, 5880, 3000, 500]);
    // The newest thousand at each step, and those between.
    expect(read()).toBeLessThanOrEqual(4 * 1000 + 6000);
  });

  test("is what others said: nothing of one's own, nothing that was deleted, and nothing that happened to the group", async () => {
    const all = [
      ...many(3),
      said(4, ada, text("mine")),
      said(5, ben, text("gone")),
      said(6, ben, { kind: "deletion", replaces: bytes(5) }),
    ];
    const { history } = await historyOf(all, { lastOrder: 20, unread: 3 });
    expect(await history.unreadAfter(1)).toBe(2);
    expect(await history.unreadAfter(3)).toBe(0);
  });

  test("has lines of the group in none of its counts, a recovery neither", async () => {
    const lines = (["recovered", "device_added", "away"] as const).map((kind, at): Line => {
      const body = { kind, account: ben };
      return { id: `l${String(at)}`, order: at + 2, author: ben, sentAtMs: startMs, acceptedAtMs: 0, body };
    });
    const { history } = await historyOf(many(1), { lastOrder: 4 }, lines);
    expect(orders(await history.page({ limit: 9 }))).toEqual([1, 2, 3, 4]);
    expect(await history.unreadAfter(0)).toBe(1);
  });
});

describe("[E-132] an unread message that names this person", () => {
  const naming = (order: number, over: Partial<Said>): Said => said(order, ben, text("you"), over);
  const ids = { mine: bytes(1) };

  test("is told: one that mentions them or everybody, or answers them; the newest of them", async () => {
    const mine = said(1, ada, text("mine"));
    const mentions = { accounts: [ada], all: false };
    for (const over of [{ mentions }, { mentions: { accounts: [], all: true } }, { inReplyTo: ids.mine }] as const) {
      const { history } = await historyOf([mine, naming(2, over), said(3, ben, text("other"))], { unread: 2, readThrough: 1 });
      expect((await history.unreadMention())?.order).toBe(2);
    }
    const { history } = await historyOf([mine, naming(2, { mentions }), naming(3, { inReplyTo: ids.mine })], { readThrough: 1 });
    expect((await history.unreadMention())?.order).toBe(3);
  });

  test("is none once it was read or deleted, nor one that names others or that they wrote themselves", async () => {
    const mine = said(1, ada, text("mine"));
    const mentions = { accounts: [ada], all: false };
    const read = await historyOf([mine, naming(2, { mentions })], { readThrough: 2 });
    expect(await read.history.unreadMention()).toBeUndefined();
    const others = await historyOf([
      mine,
      naming(2, { mentions: { accounts: [cyd], all: false } }),
      said(3, ada, text("me"), { mentions }),
    ]);
    expect(await others.history.unreadMention()).toBeUndefined();
    const deleted = await historyOf([mine, naming(2, { mentions }), said(3, ben, { kind: "deletion", replaces: bytes(2) })]);
    expect(await deleted.history.unreadMention()).toBeUndefined();
  });
});
