import { toBase64Url } from "@latchkey/codec";
import { expect, test } from "vitest";
import { markKey, markPrefix, loadMark, saveMark } from "../engine/account-news.ts";
import { Standings, standingPrefix } from "../engine/standings.ts";
import type { World } from "../engine/world.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { takeSharedRecord } from "./shared-records.ts";

test("[E-46] a record of another device of one's own that is none is left alone: nothing that is read later stumbles over it", async () => {
  const records = new Map<string, Uint8Array>();
  const store = createMemoryStore(records);
  const platform = { nowMs: () => Date.UTC(2026, 10, 28) };
  const own = { accountId: new Uint8Array(32).fill(1) };
  const world = { store, platform, own, emit: () => undefined } as unknown as World;
  const standings = new Standings({ store, platform, own: own as never });
  Object.assign(world, { standings });
  const ben = new Uint8Array(32).fill(2);
  await store.transact("write", (tx) => saveMark(tx, ben, { verified: true, changed: false, atMs: 5 }));
  const before = new Map(records);
  const mark = records.get(markKey(ben)) ?? new Uint8Array(0);
  for (const key of ["!!", "AA", "A".repeat(44), toBase64Url(new Uint8Array(31))]) {
    await takeSharedRecord(world, standingPrefix + key, new Uint8Array(18));
    await takeSharedRecord(world, markPrefix + key, mark);
  }
  await takeSharedRecord(world, markKey(ben), new Uint8Array([1, 2, 3]));
  await takeSharedRecord(world, standingPrefix + toBase64Url(ben), new Uint8Array(3));
  expect(records).toEqual(before);
  await store.transact("write", (tx) => saveMark(tx, ben, { verified: false, changed: false, atMs: 6 }));
  await takeSharedRecord(world, markKey(ben), mark);
  expect(await store.transact("read", (tx) => loadMark(tx, ben))).toMatchObject({ verified: true });
});
