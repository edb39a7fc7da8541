import { toBase64Url } from "@latchkey/codec";
import { expect, test } from "vitest";
import { putEvidence } from "../engine/evidence.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { afterSeeing, closeDue, isSeen, isToBeSeenOnce, openableMs } from "./once.ts";
import { ada, ben, bytes, change, conversationId, dayMs, linesOf, said, startMs } from "./saying.testing.ts";
import type { SaidBody } from "./said.ts";
import type { StoreTransaction } from "../store/store.ts";
import type { Timeline } from "./timeline.ts";

const secret = (seed: number): Uint8Array => new Uint8Array(32).fill(seed);

function once(seed: number): SaidBody {
  const file = {
    kind: "picture",
    host: "chat.example",
    blobId: bytes(seed),
    key: secret(seed),
    prefix: new Uint8Array(7).fill(72),
  } as const;
  const files = [{ ...file, hash: bytes(73), sizeBytes: 5, name: "secret.jpg", mediaType: "image/jpeg", description: "a secret" }];
  return { kind: "text", text: "look", files, isOnce: true };
}

test("[X-8] [E-137] what is to be seen once is kept without key and name once it was seen, after two weeks, and of one's own, also where that is said before it comes", async () => {
  const store = createMemoryStore();
  const readable = async (): Promise<number[]> => {
    const stored = await store.transact("read", (tx) => tx.scan({ prefix: "line/" }));
    return [76, 77, 78, 79].filter((seed) => stored.some(([, value]) => Buffer.from(value).includes(secret(seed))));
  };
  const indexed = async (): Promise<number> => (await store.transact("read", (tx) => tx.scan({ prefix: "files/" }))).length;
  const nowMs = startMs + dayMs;
  const before = said(3, ben, once(78));
  await change(store, (timeline) => timeline.see([toBase64Url(before.id), "no id"]), { self: ada, nowMs });
  for (const one of [said(1, ben, once(76)), said(2, ben, once(77)), before, said(4, ada, once(79))])
    await change(store, (timeline) => timeline.take(one), { self: ada, nowMs });
  expect([await readable(), await indexed()]).toEqual([[76, 77], 2]);
  const again = async (): Promise<unknown> =>
    (await change(store, (timeline) => timeline.see([toBase64Url(bytes(1))]), { self: ada, nowMs })).lines.length;
  expect([await again(), await again()]).toEqual([1, 0]);
  expect([await readable(), await indexed()]).toEqual([[77], 1]);
  // From the first time at which it is known what time it is.
  for (const atMs of [nowMs, nowMs + openableMs - 1])
    expect(await store.transact("write", (tx) => closeDue(tx, atMs))).toEqual({ gone: [], isAll: true });
  expect(await store.transact("write", (tx) => closeDue(tx, nowMs + openableMs))).toEqual({ gone: [toBase64Url(bytes(77))], isAll: true });
  expect([await readable(), await indexed()]).toEqual([[], 0]);
  const lines = await linesOf(store);
  expect(lines.map(({ body }) => [isToBeSeenOnce(body), isSeen(body)])).toEqual([1, 2, 3, 4].map(() => [true, true]));
  for (const [, value] of await store.transact("read", (tx) => tx.scan({ prefix: "line/" })))
    expect(Buffer.from(value).includes("secret")).toBe(false);
  // A message with files of the usual kind is none.
  const usual = { ...once(80), isOnce: undefined };
  await change(store, (timeline) => timeline.take(said(5, ben, usual)), { self: ada, nowMs });
  const line = (await linesOf(store)).at(-1);
  expect(line === undefined ? "none" : [isToBeSeenOnce(line.body), isSeen(line.body), afterSeeing(line)]).toEqual([
    false,
    false,
    undefined,
  ]);
});

test("[X-8] [L-14] what proves who sent it, the key within, goes with the key: with the first look, after two weeks, and of one's own at once", async () => {
  const store = createMemoryStore();
  const nowMs = startMs + dayMs;
  const readable = async (): Promise<number[]> => {
    const stored = await store.transact("read", (tx) => tx.scan({ prefix: "" }));
    return [76, 77, 78, 79].filter((seed) => stored.some(([, value]) => Buffer.from(value).includes(secret(seed))));
  };
  const before = said(3, ben, once(78));
  await change(store, (timeline) => timeline.see([toBase64Url(before.id)]), { self: ada, nowMs });
  for (const [seed, one] of [
    [76, said(1, ben, once(76))],
    [77, said(2, ben, once(77))],
    [78, before],
    [79, said(4, ada, once(79))],
  ] as const) {
    const evidence = { content: secret(seed), signature: bytes(1), signaturePublicKey: bytes(2), context: bytes(3) };
    const take = async (timeline: Timeline, tx: StoreTransaction): Promise<void> => {
      await timeline.take(one);
      await putEvidence(tx, conversationId, { order: one.order, epoch: 1, evidence });
    };
    await change(store, take, { self: ada, nowMs });
  }
  expect(await readable()).toEqual([76, 77]);
  await change(store, (timeline) => timeline.see([toBase64Url(bytes(1))]), { self: ada, nowMs });
  expect(await readable()).toEqual([77]);
  for (const atMs of [nowMs, nowMs + openableMs]) await store.transact("write", (tx) => closeDue(tx, atMs));
  expect(await readable()).toEqual([]);
});

test("[X-8] [A-7] by another device's history it comes without its key where it was seen, and else its two weeks go on", async () => {
  const giver = createMemoryStore();
  const nowMs = startMs + dayMs;
  for (const one of [said(1, ben, once(76)), said(2, ben, once(77))])
    await change(giver, (timeline) => timeline.take(one), { self: ada, nowMs });
  const lines = await linesOf(giver);
  const store = createMemoryStore();
  await change(store, (timeline) => timeline.see([toBase64Url(bytes(1))]), { self: ada, nowMs });
  const laterMs = nowMs + openableMs - dayMs;
  for (const line of lines) await change(store, (timeline) => timeline.adopt(line), { self: ada, nowMs: laterMs });
  const seen = async (): Promise<boolean[]> => (await linesOf(store)).map(({ body }) => isSeen(body));
  expect(await seen()).toEqual([true, false]);
  await store.transact("write", (tx) => closeDue(tx, laterMs + dayMs));
  expect(await seen()).toEqual([true, true]);
});

test.each([-20, -400, 20])("[E-142] [X-8] what came while the clock was off by %i days has its two weeks all the same", async (days) => {
  const store = createMemoryStore();
  const nowMs = startMs + 1000 * dayMs;
  const wrongMs = nowMs + days * dayMs;
  await change(store, (timeline) => timeline.take(said(1, ben, once(76), { arrivedAtMs: wrongMs })), { self: ada, nowMs: wrongMs });
  const isReadable = async (atMs: number): Promise<boolean> =>
    (await store.transact("write", (tx) => closeDue(tx, atMs))).gone.length === 0;
  expect([await isReadable(nowMs), await isReadable(nowMs + openableMs - 1), await isReadable(nowMs + openableMs)]).toEqual([
    true,
    true,
    false,
  ]);
});
