import type { MessageStatus } from "@latchkey/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { receiptOf } from "../api/receipts.ts";
import type { Message } from "../api.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { putPlace } from "../timeline/ids.ts";
import { Receipts } from "./receipts.ts";

const id = "conversation";
const account = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const [ada, ben] = [account(1), account(2)];
/** The id of the message at a place. */
const at = (order: number): Uint8Array => new Uint8Array(32).fill(order, 1).fill(1, 0, 1);
const name = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");

async function withMessages(): Promise<ReturnType<typeof createMemoryStore>> {
  const store = createMemoryStore();
  await store.transact("write", (tx) => {
    for (let order = 1; order <= 20; order++) putPlace(tx, id, at(order), { kind: "message", order, author: ada });
    putPlace(tx, id, at(30), { kind: "reaction", order: 3, author: ada });
    return Promise.resolve();
  });
  return store;
}

interface Said {
  readonly by: Uint8Array;
  readonly order: number;
  readonly target: number;
  readonly status: MessageStatus["status"];
}

async function after(words: readonly Said[]): Promise<{ marks: readonly unknown[]; stored: readonly unknown[] }> {
  const store = await withMessages();
  const receipts = new Receipts();
  for (const { by, order, target, status } of words)
    await store.transact("write", (tx) => receipts.take(tx, id, { order, accountId: by, statuses: [{ messageId: at(target), status }] }));
  const again = new Receipts();
  await again.load(store);
  const marksOf = (book: Receipts): readonly unknown[] => [...book.of(id)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { marks: marksOf(receipts), stored: marksOf(again) };
}

describe("[X-12] [E-103] receipts", () => {
  test("raise how far their signer has come, of that one alone, and take nothing back", async () => {
    const { marks, stored } = await after([
      { by: ben, order: 100, target: 5, status: "delivered" },
      { by: ben, order: 101, target: 4, status: "read" },
      { by: ben, order: 102, target: 2, status: "read" },
      { by: ada, order: 103, target: 7, status: "read" },
    ]);
    expect(marks).toEqual([
      [name(ada), { delivered: 7, read: 7 }],
      [name(ben), { delivered: 5, read: 4 }],
    ]);
    expect(stored).toEqual(marks);
  });

  test("of what is not here, stands behind them, or is no message, say nothing", async () => {
    const { marks } = await after([
      { by: ben, order: 5, target: 6, status: "read" },
      { by: ben, order: 5, target: 5, status: "read" },
      { by: ben, order: 100, target: 21, status: "read" },
      { by: ben, order: 100, target: 30, status: "read" },
    ]);
    expect(marks).toEqual([]);
  });

  test("of who is out of the conversation count no more, and begin anew where they come back", async () => {
    const store = await withMessages();
    const receipts = new Receipts();
    const read = (by: Uint8Array, order: number, target: number): Promise<boolean> =>
      store.transact("write", (tx) =>
        receipts.take(tx, id, { order, accountId: by, statuses: [{ messageId: at(target), status: "read" }] }),
      );
    await read(ada, 100, 9);
    await read(ben, 100, 9);
    const out = (line: Parameters<Receipts["follow"]>[2]): Promise<void> =>
      store.transact("write", (tx) => Promise.resolve(receipts.follow(tx, id, line, ["cyd"])));
    await out({ author: ada, order: 101, body: { kind: "removed", accounts: [ben] } });
    await out({ author: ada, order: 102, body: { kind: "left" } });
    const again = new Receipts();
    await again.load(store);
    expect([[...receipts.of(id)], [...again.of(id)]]).toEqual([[], []]);
    await read(ben, 101, 3);
    expect([...receipts.of(id)]).toEqual([[name(ben), { delivered: 3, read: 3 }]]);
  });

  test("of whoever leaves as the last one stay: what they read was read, also once nobody else is there", async () => {
    for (const others of [[name(ben)], []]) {
      const store = await withMessages();
      const receipts = new Receipts();
      const statuses = [{ messageId: at(9), status: "read" as const }];
      await store.transact("write", (tx) => receipts.take(tx, id, { order: 100, accountId: ben, statuses }));
      const follow = (line: Parameters<Receipts["follow"]>[2]): Promise<void> =>
        store.transact("write", (tx) => Promise.resolve(receipts.follow(tx, id, line, others)));
      await follow({ author: ben, order: 101, body: { kind: "left" } });
      expect([...receipts.of(id)]).toEqual([[name(ben), { delivered: 9, read: 9 }]]);
      const again = new Receipts();
      await again.load(store);
      expect([receipts.leftAt(id), again.leftAt(id)]).toEqual([101, 101]);
      // Nobody reads any more, until somebody comes in.
      await follow({ author: ada, order: 103, body: { kind: "added", accounts: [ben] } });
      expect(receipts.leftAt(id)).toBeUndefined();
    }
  });

  test("make the same of it in whatever order they come", async () => {
    const words = fc.array(
      fc.record({
        by: fc.constantFrom(ada, ben),
        order: fc.integer({ min: 1, max: 40 }),
        target: fc.integer({ min: 1, max: 25 }),
        status: fc.constantFrom<MessageStatus["status"]>("delivered", "read"),
      }),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(
        words.chain((said) => fc.tuple(fc.constant(said), fc.shuffledSubarray([...said, ...said], { minLength: said.length * 2 }))),
        async ([said, shuffled]) => {
          const first = await after(said);
          expect(await after(shuffled)).toEqual(first);
          expect(first.stored).toEqual(first.marks);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("[R-2] how a message of one's own fares", () => {
  const person = (username: string) => ({ username }) as Message["author"] & {};
  const mine = (order: number, kind: "pending" | "accepted" = "accepted"): Message =>
    ({ order, delivery: kind === "pending" ? { kind } : { kind, atMs: 0 } }) as Message;
  const mark = (username: string, deliveredThrough: number, readThrough: number) => ({
    person: person(username),
    deliveredThrough,
    readThrough,
  });

  test("between two: sent, delivered, read", () => {
    const two = { kind: "direct" as const, memberCount: 2, receipts: [mark("ben", 5, 3)] };
    expect([mine(3), mine(4), mine(6), mine(9, "pending")].map((message) => receiptOf(message, two))).toEqual([
      "read",
      "delivered",
      "sent",
      "pending",
    ]);
    expect(receiptOf({ order: 1 } as Message, two)).toBeUndefined();
  });

  test("left by everybody else: read stays read", () => {
    for (const kind of ["direct", "group"] as const) {
      const left = { kind, memberCount: 1, receipts: [mark("ben", 9, 9)] };
      expect([mine(9), mine(10)].map((message) => receiptOf(message, left))).toEqual(["read", "sent"]);
    }
  });

  test("in a group: read once everybody else has, and never delivered", () => {
    const group = { kind: "group" as const, memberCount: 3, receipts: [mark("ben", 9, 9), mark("cyd", 9, 4)] };
    expect([mine(4), mine(5)].map((message) => receiptOf(message, group))).toEqual(["read", "sent"]);
  });
});
