import { describe, expect, test } from "vitest";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { loadRemoved, noteRemoved } from "./removed.ts";

const account = (at: number): Uint8Array => {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(0, at);
  return bytes;
};

describe("[X-14] whom somebody removed from a group", () => {
  test("is kept once each, the last 1,024 of a group, whatever came at once; who left by themselves is not", async () => {
    const store = createMemoryStore();
    const removed = (...at: readonly number[]): Promise<void> =>
      store.transact("write", (tx) => noteRemoved(tx, "club", { body: { kind: "removed", accounts: at.map((one) => account(one)) } }));
    const known = (id: string): Promise<readonly Uint8Array[]> => store.transact("read", (tx) => loadRemoved(tx, id));
    await store.transact("write", (tx) => noteRemoved(tx, "club", { body: { kind: "left" } }));
    expect(await known("club")).toEqual([]);
    await removed(1, 2);
    await removed(1);
    expect(await known("club")).toEqual([account(2), account(1)]);
    expect(await known("another")).toEqual([]);
    await removed(...Array.from({ length: 2000 }, (_, at) => 10 + at));
    const last = await known("club");
    expect([last.length, last[0], last.at(-1)]).toEqual([1024, account(10 + 2000 - 1024), account(2009)]);
  });
});
