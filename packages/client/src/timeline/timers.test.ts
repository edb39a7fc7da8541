import { toBase64Url } from "@latchkey/codec";
import { unseenMs } from "@latchkey/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hasEvidence, putEvidence } from "../engine/evidence.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store, StoreTransaction } from "../store/store.ts";
import { loadShownLine, loadStandingLines } from "./history.ts";
import { ada, ben, bytes, change, conversationId, dayMs, linesOf, said, startMs } from "./saying.testing.ts";
import type { Said, SaidBody } from "./said.ts";
import type { Timeline } from "./timeline.ts";
import { goesAtMs, isOver, never, seenAt, setRight, stayOf } from "./timer.ts";
import type { MessageTimer } from "./timer.ts";
import { nextTimed, noteSeenThrough, undatedTimed } from "./timers.ts";

const hourMs = 3_600_000;
const evidence = { content: bytes(1), context: bytes(2), signature: bytes(3), signaturePublicKey: bytes(4) };
const file = {
  blobId: bytes(40),
  key: bytes(41),
  prefix: new Uint8Array(7),
  hash: bytes(42),
  sizeBytes: 3,
  name: "a.webp",
  description: "",
};
const words: SaidBody = {
  kind: "text",
  text: "harbour",
  files: [{ ...file, kind: "picture", host: "chat.example", mediaType: "image/webp" }],
};

/** Of something sent at `startMs` and a second for each place. */
function timed(order: number, seconds: number, over: Partial<MessageTimer> = {}): Said {
  const sentMs = startMs + order * 1000;
  return said(order, ben, words, { timer: { seconds, sentMs, sinceMs: 0, untilMs: never, ...over } });
}

/** Takes it in with what proves it. */
async function take(store: Store, one: Said, nowMs: number, isSure = true): Promise<void> {
  const run = async (timeline: Timeline, tx: StoreTransaction): Promise<void> => {
    await timeline.take(one);
    await putEvidence(tx, conversationId, { order: one.order, epoch: 1, evidence });
  };
  await change(store, run, { nowMs, isSure });
}

async function end(store: Store, nowMs: number): Promise<readonly string[]> {
  let gone: readonly string[] = [];
  const due = (await store.transact("read", (tx) => nextTimed(tx, { limit: 100 }))).filter(({ atMs }) => atMs <= nowMs);
  await change(store, async (timeline) => (gone = await timeline.endTimers(due.map(({ order }) => order))), { nowMs });
  return gone;
}

/** All that is stored of the conversation's messages, but for which ids are not to come back. */
async function kept(store: Store): Promise<readonly string[]> {
  const found = await store.transact("read", (tx) => tx.scan({ prefix: "" }));
  return found
    .map(([key]) => key)
    .filter((key) => !key.startsWith("said/") && !key.startsWith("arrival") && !key.startsWith("waiting-count/"));
}

describe("[X-7] how long a message stays", () => {
  test("is what its author says or what the epoch's timer says, whichever is shorter, and no said time of 0", () => {
    const relative = (seconds: number): Parameters<typeof stayOf>[0] => ({ relative: true, seconds });
    expect(stayOf(undefined, 0)).toBe(undefined);
    expect(stayOf(relative(0), 0)).toBe(undefined);
    expect(stayOf({ relative: false, seconds: 0 }, 0)).toBe(undefined);
    expect(stayOf(relative(30), 0)).toEqual({ seconds: 30, untilMs: never });
    expect(stayOf(undefined, 60)).toEqual({ seconds: 60, untilMs: never });
    expect(stayOf(relative(0), 60)).toEqual({ seconds: 60, untilMs: never });
    expect(stayOf(relative(30), 60)).toEqual({ seconds: 30, untilMs: never });
    // Whose app is changed makes no message that stays.
    expect(stayOf(relative(0xffff_ffff), 60)).toEqual({ seconds: 60, untilMs: never });
    expect(stayOf({ relative: false, seconds: 0xffff_ffff }, 60)).toEqual({ seconds: 60, untilMs: 0xffff_ffff * 1000 });
    expect(stayOf({ relative: false, seconds: 1 }, 0)).toEqual({ seconds: never, untilMs: 1000 });
  });

  test("ends so long after it was seen, and 30 days later than that after it was sent, seen or not, whatever the numbers are", () => {
    const timer = { seconds: 60, sentMs: startMs, sinceMs: 0, untilMs: never };
    expect(goesAtMs(timer)).toBe(startMs + 60_000 + unseenMs);
    expect(goesAtMs(seenAt(timer, startMs + dayMs))).toBe(startMs + dayMs + 60_000);
    expect(goesAtMs(seenAt(timer, startMs + 29 * dayMs + unseenMs))).toBe(startMs + 60_000 + unseenMs);
    const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
    const stamp = fc.integer({ min: 0, max: 4_102_444_800_000 });
    const property = fc.property(fc.boolean(), uint32, uint32, stamp, stamp, (isRelative, seconds, epochS, sentMs, atMs) => {
      const stay = stayOf({ relative: isRelative, seconds }, epochS);
      if (stay === undefined) return;
      const open = { ...stay, sentMs, sinceMs: 0 };
      const seen = seenAt(open, atMs);
      expect(Number.isSafeInteger(goesAtMs(seen))).toBe(true);
      expect(goesAtMs(seen)).toBeLessThanOrEqual(goesAtMs(open));
      if (epochS > 0) expect(goesAtMs(open)).toBeLessThanOrEqual(sentMs + epochS * 1000 + unseenMs);
      // Who saw it first counts, in whatever order that is heard.
      expect(seenAt(seen, atMs + 1)).toEqual(seen);
      expect(seenAt(seenAt(open, atMs + 1), atMs)).toEqual(seen);
    });
    fc.assert(property);
  });
});

describe("[X-7] a message with a timer", () => {
  test("goes so long after it was seen: its line, what proves it, its files, and where it stands; what is said of it later changes nothing", async () => {
    const store = createMemoryStore();
    await take(store, said(1, ben, { kind: "text", text: "stays" }), startMs);
    const before = await kept(store);
    await take(store, timed(2, 3600), startMs + 2000);
    expect((await linesOf(store))[1]?.message?.timer).toEqual({ seconds: 3600, sentMs: startMs + 2000, sinceMs: 0, untilMs: never });
    // Nobody saw it: it waits, however long its seconds are over.
    expect(await end(store, startMs + 20 * dayMs)).toEqual([]);
    await change(store, (timeline) => timeline.look(1, startMs + 20 * dayMs));
    expect((await linesOf(store))[1]?.message?.timer?.sinceMs).toBe(0);
    await change(store, (timeline) => timeline.look(2, startMs + 20 * dayMs));
    expect(await end(store, startMs + 20 * dayMs + hourMs - 1)).toEqual([]);
    expect(await end(store, startMs + 20 * dayMs + hourMs)).toEqual([toBase64Url(bytes(2))]);
    expect((await linesOf(store)).map(({ order }) => order)).toEqual([1]);
    expect(await kept(store)).toEqual(before);
    await take(store, said(3, ben, { kind: "edit", replaces: bytes(2), text: "it was harbour" }), startMs + 21 * dayMs);
    await take(store, { ...timed(4, 3600), id: bytes(2) }, startMs + 21 * dayMs);
    expect(await kept(store)).toEqual(before);
  });

  test("goes with what was done to it, an edit that does not count included", async () => {
    const store = createMemoryStore();
    await take(store, timed(1, 3600), startMs + 1000);
    await take(store, said(2, ben, { kind: "edit", replaces: bytes(1), text: "second" }), startMs + 2000);
    await take(store, said(3, ada, { kind: "edit", replaces: bytes(1), text: "not mine" }), startMs + 3000);
    await take(store, said(4, ada, { kind: "reaction", inReplyTo: bytes(1), emoji: ["👍"] }), startMs + 4000);
    const proofs = (): Promise<boolean[]> =>
      store.transact("read", (tx) => Promise.all([1, 2, 3, 4].map((order) => hasEvidence(tx, conversationId, order))));
    expect(await proofs()).toEqual([true, true, false, true]);
    await change(store, (timeline) => timeline.look(9, startMs + 5000));
    expect(await end(store, startMs + 5000 + hourMs)).toHaveLength(1);
    expect(await proofs()).toEqual([false, false, false, false]);
    expect(await kept(store)).toEqual([]);
  });

  test("is over when it comes to a device that was away too long: nothing of it is kept, nor of what waited for it", async () => {
    const store = createMemoryStore();
    const lateMs = startMs + 40 * dayMs;
    await take(store, said(2, ben, { kind: "edit", replaces: bytes(1), text: "second" }, { arrivedAtMs: lateMs }), lateMs);
    await take(store, timed(1, 3600), lateMs);
    await take(store, said(3, ben, { kind: "edit", replaces: bytes(1), text: "third" }), lateMs);
    expect(await linesOf(store)).toEqual([]);
    expect(await kept(store)).toEqual([]);
  });

  test("was seen on another device when that says so, also where it comes here only then", async () => {
    const store = createMemoryStore();
    const seenMs = startMs + 5000;
    await store.transact("write", (tx) => noteSeenThrough(tx, conversationId, 2, seenMs));
    await take(store, timed(1, 2 * 86_400), startMs + dayMs);
    await take(store, timed(3, 2 * 86_400), startMs + dayMs);
    expect((await linesOf(store)).map(({ message }) => message?.timer?.sinceMs)).toEqual([seenMs, 0]);
    await take(store, timed(2, 3600), startMs + dayMs);
    expect((await linesOf(store)).map(({ order }) => order)).toEqual([1, 3]);
    // Many marks: the newest are kept.
    for (let order = 10; order < 200; order++) await store.transact("write", (tx) => noteSeenThrough(tx, conversationId, order, startMs));
    expect((await kept(store)).filter((key) => key.startsWith("timed-seen/"))).toHaveLength(64);
  });

  test("is not shown once it is over, though it is not erased yet: in the list neither, and further ones stand in its place", async () => {
    const store = createMemoryStore();
    for (let order = 1; order <= 60; order++)
      await take(store, order % 3 === 0 ? said(order, ben, { kind: "text", text: "stays" }) : timed(order, 3600), startMs + order * 1000);
    const lateMs = startMs + 100 * dayMs;
    const shown = async (range: { beforeOrder?: number; afterOrder?: number; limit: number }, nowMs: number): Promise<number[]> => {
      const lines = await store.transact("read", (tx) => loadStandingLines(tx, conversationId, range, nowMs));
      return lines.map(({ order }) => order);
    };
    expect(await shown({ limit: 3 }, startMs + hourMs)).toEqual([58, 59, 60]);
    expect(await shown({ limit: 3 }, lateMs)).toEqual([54, 57, 60]);
    expect(await shown({ limit: 3, beforeOrder: 57 }, lateMs)).toEqual([48, 51, 54]);
    expect(await shown({ limit: 4, afterOrder: -1 }, lateMs)).toEqual([3, 6, 9, 12]);
    expect(await shown({ limit: 100 }, lateMs)).toHaveLength(20);
    expect(await shown({ limit: 100, afterOrder: 30 }, lateMs)).toHaveLength(10);
    await take(store, timed(61, 3600), startMs + 61_000);
    expect((await store.transact("read", (tx) => loadShownLine(tx, conversationId, lateMs)))?.order).toBe(60);
  });

  test("that was deleted leaves what a deletion leaves, and one deleted for oneself nothing", async () => {
    const store = createMemoryStore();
    await take(store, timed(1, 3600), startMs + 1000);
    await take(store, timed(2, 3600), startMs + 2000);
    await take(store, said(3, ben, { kind: "deletion", replaces: bytes(1) }), startMs + 3000);
    await change(store, (timeline) => timeline.hide([toBase64Url(bytes(2))]));
    expect((await linesOf(store)).map(({ body, message }) => [body.kind, message?.timer])).toEqual([["deleted", undefined]]);
    expect((await kept(store)).filter((key) => key.startsWith("timed"))).toEqual([]);
    expect(await end(store, startMs + 100 * dayMs)).toEqual([]);
  });

  test("[A-7] comes to no device with another one's history", async () => {
    const giver = createMemoryStore();
    await take(giver, timed(1, 3600), startMs + 1000);
    const [line] = await linesOf(giver);
    const store = createMemoryStore();
    await change(store, async (timeline) => (line === undefined ? undefined : await timeline.adopt(line)));
    expect([line === undefined, await kept(store)]).toEqual([false, []]);
  });
});

describe("[E-142] [X-7] a clock that was wrong when a message came or was seen", () => {
  const rightMs = startMs + 100 * dayMs;

  test.each([-400, -20, 20, 400])("by %i days neither erases it nor keeps it for ever", async (days) => {
    const store = createMemoryStore();
    const wrongMs = rightMs + days * dayMs;
    const claimedAtMs = rightMs - hourMs;
    const one = said(1, ben, words, {
      claimedAtMs,
      arrivedAtMs: wrongMs,
      timer: { seconds: 7 * 86_400, sentMs: Math.min(claimedAtMs, wrongMs), sinceMs: 0, untilMs: never },
    });
    await take(store, one, wrongMs, false);
    await change(store, (timeline) => timeline.look(1, wrongMs), { nowMs: wrongMs, isSure: false });
    const places = await store.transact("read", undatedTimed);
    expect(places).toEqual([{ conversationId, order: 1 }]);
    await change(store, (timeline) => timeline.setTimersRight([1]), { nowMs: rightMs, isSure: true });
    expect(await store.transact("read", undatedTimed)).toEqual([]);
    const [line] = await linesOf(store);
    const timer = line?.message?.timer;
    expect(timer?.sinceMs).toBeGreaterThanOrEqual(claimedAtMs);
    expect(timer?.sinceMs).toBeLessThanOrEqual(rightMs);
    expect(line === undefined ? undefined : isOver(line, rightMs)).toBe(false);
    expect(await end(store, rightMs + 7 * dayMs)).toHaveLength(1);
  });

  test("what is over by a clock that is not sure is stored all the same, and an author who claims to write later gains nothing", async () => {
    const store = createMemoryStore();
    const aheadMs = startMs + 1000 * dayMs;
    await take(store, timed(1, 60), aheadMs, false);
    expect(await linesOf(store)).toHaveLength(1);
    const timer = { seconds: 60, sentMs: startMs, sinceMs: 0, untilMs: never };
    expect(goesAtMs(setRight(timer, 4_102_444_800_000, startMs))).toBe(startMs + 60_000 + unseenMs);
    expect(goesAtMs(setRight(timer, undefined, startMs + dayMs))).toBe(startMs + dayMs + 60_000 + unseenMs);
  });
});
