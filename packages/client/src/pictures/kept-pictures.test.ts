import { toBase64Url } from "@latchkey/codec";
import { expect, test } from "vitest";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { keepPicture, keptPicture, maxKeptPictures, notePictureShown } from "./kept-pictures.ts";

const hashOf = (number: number): Uint8Array => {
  const hash = new Uint8Array(32);
  new DataView(hash.buffer).setUint32(0, number);
  return hash;
};
const dayMs = 86_400_000;

test("[X-21] at most 2,000 pictures are kept: those go that were shown longest ago, and never one's own", async () => {
  const store = createMemoryStore();
  const own = toBase64Url(hashOf(0));
  const keep = (number: number, nowMs: number): Promise<void> =>
    store.transact("write", (tx) => keepPicture(tx, { hash: hashOf(number), ciphertext: hashOf(number), nowMs, always: [own] }));
  await store.transact("write", async (tx) => {
    for (let number = 0; number < maxKeptPictures; number++) {
      const nowMs = number * dayMs;
      // As `keepPicture`, without looking through all of them each time.
      if (number < 3) await keepPicture(tx, { hash: hashOf(number), ciphertext: hashOf(number), nowMs, always: [own] });
      else {
        const [blob, day] = [`picture-blob/${toBase64Url(hashOf(number))}`, `picture-day/${toBase64Url(hashOf(number))}`];
        tx.put(blob, hashOf(number));
        tx.put(day, Uint8Array.of(0, 0, number >> 8, number & 255));
      }
    }
    await notePictureShown(tx, hashOf(1), 10_000 * dayMs);
    // What is not kept is not noted.
    await notePictureShown(tx, hashOf(9999), 10_000 * dayMs);
  });
  await keep(5000, 5000 * dayMs);
  await keep(5001, 5000 * dayMs);
  const isKept = (number: number): Promise<boolean> =>
    store.transact("read", async (tx) => (await keptPicture(tx, hashOf(number))) !== undefined);
  expect(await Promise.all([0, 1, 2, 3, 4, 5000, 5001, 9999].map(isKept))).toEqual([true, true, false, false, true, true, true, false]);
  const days = await store.transact("read", (tx) => tx.scan({ prefix: "picture-day/" }));
  expect(days).toHaveLength(maxKeptPictures);
});
