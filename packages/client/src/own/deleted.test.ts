import { toBase64Url } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { entryOrder } from "../core/order.ts";
import type { ConversationState, Effect } from "../core/types.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { loadLines } from "../timeline/history.ts";
import type { Line } from "../timeline/line.ts";
import { ada, bytes, change, conversationId, said, takeAll } from "../timeline/saying.testing.ts";
import { eraseThrough, hasLines, withoutDeleted } from "./deleted.ts";

const at = (seq: number): number => entryOrder(seq);
const text = (words: string) => ({ kind: "text", text: words }) as const;

describe("[X-18] a conversation that the person deleted", () => {
  test("is erased up to the entry, in parts, and what is told again of it stays away", async () => {
    const store = createMemoryStore();
    const lines = (): Promise<Line[]> => store.transact("read", (tx) => loadLines(tx, conversationId, { limit: 1000 }));
    const all = Array.from({ length: 450 }, (_, seq) => said(at(seq + 1), ada, text(`line ${String(seq + 1)}`)));
    await takeAll(store, all);
    const gone: string[] = [];
    let parts = 0;
    for (let isDone = false; !isDone; parts++) {
      await change(store, async (timeline, tx) => {
        const erased = await eraseThrough({ tx, timeline, conversationId }, 440);
        gone.push(...erased.messageIds);
        isDone = erased.isDone;
      });
    }
    expect([parts, gone.length, gone[0]]).toEqual([3, 440, toBase64Url(bytes(at(1)))]);
    expect((await lines()).map(({ order }) => order)).toEqual(Array.from({ length: 10 }, (_, seq) => at(441 + seq)));
    expect(await store.transact("read", (tx) => hasLines(tx, conversationId, 440))).toBe(false);
    expect(await store.transact("read", (tx) => hasLines(tx, conversationId, 441))).toBe(true);
    await takeAll(store, all.slice(3, 4));
    expect(await lines()).toHaveLength(10);
  });

  test("of what is read of it only now nothing is stored or counted; what comes behind is", () => {
    const before = { unread: 2, updatedAtMs: 5 };
    const content = (seq: number): Effect => ({ kind: "content", said: said(at(seq), ada, text("late")) });
    // Of a state this reads no more.
    const after = (seq: number): ConversationState => ({ unread: 3, updatedAtMs: 9, lastOrder: at(seq) }) as ConversationState;
    const close: Effect = { kind: "close" };
    expect(withoutDeleted(7, before, after(7), [content(7), close])).toMatchObject({
      state: { unread: 2, updatedAtMs: 5 },
      effects: [close],
    });
    expect(withoutDeleted(7, before, after(8), [content(7), content(8)])).toMatchObject({ state: { unread: 3 }, effects: [content(8)] });
    expect(withoutDeleted(undefined, before, after(7), [content(7)])).toMatchObject({ state: { unread: 3 }, effects: [content(7)] });
  });
});
