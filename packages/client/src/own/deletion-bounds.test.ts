import { toBase64Url } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { describe, expect, test } from "vitest";
import { entryOrder } from "../core/order.ts";
import type { ConversationState, Effect } from "../core/types.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { ada, said } from "../timeline/saying.testing.ts";
import { withoutDeleted } from "./deleted.ts";
import { DeletionBounds, settledMs } from "./deletion-bounds.ts";
import type { OwnFact } from "./facts.ts";
import { OwnThings } from "./own-things.ts";
import { factOf } from "./view.ts";

const logId = new Uint8Array(32).fill(3);
const log = new Uint8Array(8).fill(7);
const deleted = (throughSeq: number): OwnFact => ({ kind: "deleted", logId, throughSeq });

/** A device that has read a conversation through an entry, beside another one that says what it likes. */
async function device(readThrough: number) {
  const timers = new Set<{ readonly atMs: number; readonly fire: () => void }>();
  let nowMs = 0;
  let order = 0;
  const state = {
    id: toBase64Url(logId),
    logId,
    kind: "group",
    phase: { kind: "active" },
    chain: { seq: readThrough, head: new Uint8Array(32) },
    link: { kind: "following", readUpTo: readThrough },
  };
  const things = new OwnThings({ store: createMemoryStore(), platform: { random: seededRandom("bounds") } });
  things.isAlone = () => false;
  const platform = {
    setTimer(delayMs: number, fire: () => void) {
      const timer = { atMs: nowMs + delayMs, fire };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  };
  const bounds = new DeletionBounds(
    { ownThings: things, platform },
    // Of a state this reads no more.
    { runners: () => [{ id: state.id, state: state as unknown as ConversationState }] },
  );
  things.onChange(() => bounds.look());
  return {
    state,
    things,
    timers,
    bounds,
    through: () => factOf(things, "deleted", logId)?.throughSeq,
    hear: (fact: OwnFact) => things.take([{ place: { era: 1, log, order: ++order }, fact }]),
    /** What this device keeps of an entry that it reads. */
    kept(seq: number): boolean {
      const content: Effect = { kind: "content", said: said(entryOrder(seq), ada, { kind: "text", text: "unread" }) };
      const after = { unread: 1, updatedAtMs: 1, lastOrder: entryOrder(seq) } as ConversationState;
      state.chain.seq = Math.max(state.chain.seq, seq);
      const throughSeq = factOf(things, "deleted", logId)?.throughSeq;
      return withoutDeleted(throughSeq, { unread: 0, updatedAtMs: 0 }, after, [content]).effects.length > 0;
    },
    async wait(ms: number): Promise<void> {
      nowMs += ms;
      for (const timer of timers) {
        if (timer.atMs > nowMs) continue;
        timers.delete(timer);
        timer.fire();
      }
      await bounds.settled();
    },
  };
}

describe("[X-18] [E-110] a deletion that names entries to come", () => {
  test("erases what is there, and nothing that is written once its time is over; the other devices are told so", async () => {
    const own = await device(5);
    await own.hear(deleted(2 ** 30));
    expect([own.kept(5), own.kept(6)]).toEqual([false, false]);
    await own.wait(settledMs);
    expect([own.kept(6), own.kept(7)]).toEqual([false, true]);
    expect(own.things.waiting.map(({ facts }) => facts)).toEqual([[deleted(6)]]);
    expect(own.timers.size).toBe(0);
  });

  test("of an entry that is on its way is none: all of it is erased once it came", async () => {
    const own = await device(5);
    await own.hear(deleted(7));
    await own.wait(settledMs / 2);
    expect([own.kept(6), own.kept(7), own.kept(8)]).toEqual([false, false, true]);
    await own.wait(settledMs);
    expect([own.through(), own.things.waiting]).toEqual([7, []]);
  });

  test("waits until the conversation was read to its end, and as long as this device is not in it", async () => {
    const own = await device(5);
    own.state.link.readUpTo = 9;
    await own.hear(deleted(2 ** 30));
    await own.wait(settledMs);
    expect([own.kept(9), own.through()]).toEqual([false, 2 ** 30]);
    own.state.phase.kind = "left";
    await own.wait(settledMs);
    expect([own.through(), own.timers.size]).toEqual([2 ** 30, 0]);
    own.state.phase.kind = "active";
    own.bounds.look();
    await own.wait(settledMs);
    expect([own.through(), own.kept(10)]).toEqual([9, true]);
  });

  test("said again and again, it puts nothing off; each time what is there by then goes", async () => {
    const own = await device(5);
    for (let round = 1; round <= 4; round++) {
      await own.hear(deleted(2 ** 30 + round));
      await own.wait(settledMs / 4);
    }
    expect(own.through()).toBe(5);
    await own.hear(deleted(2 ** 31));
    expect(own.kept(6)).toBe(true);
    own.bounds.close();
    expect(own.timers.size).toBe(0);
  });
});
