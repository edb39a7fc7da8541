import { toBase64Url } from "@latchkey/codec";
import { expect, test } from "vitest";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { afterSeeing, closeDue, isSeen, isToBeSeenOnce, openableMs } from "./once.ts";
import { ada, ben, bytes, change, dayMs, linesOf, said, startMs } from "./saying.testing.ts";
import type { SaidBody } from "./said.ts";

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
  expect(await store.transact("write", (tx) => closeDue(tx, nowMs + openableMs - 1))).toEqual([]);
  expect(await store.transact("write", (tx) => closeDue(tx, nowMs + openableMs))).toEqual([toBase64Url(bytes(77))]);
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
