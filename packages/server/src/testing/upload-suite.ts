import { describe, expect, onTestFinished, test } from "vitest";
import type { Store } from "../store/store.ts";
import { random } from "./fixtures.ts";
import { today } from "./store-inputs.ts";

/** The tests that uploads in every store pass. `open` opens a new one. */
export function describeUploads(name: string, open: () => Promise<Store>): void {
  const opened = async (): Promise<{
    store: Store;
    upload: Uint8Array;
    begun: { name: Uint8Array; blobId: Uint8Array; sizeBytes: number; day: number };
  }> => {
    const store = await open();
    onTestFinished(() => store.close());
    const begun = { name: random(32), blobId: random(32), sizeBytes: 3_000_000_000, day: today };
    await store.addUpload(begun);
    return { store, upload: begun.name, begun };
  };
  const nothing = { stage: "coming", takenBytes: 0, multipart: "", pieces: new Uint8Array() } as const;
  const some = { stage: "coming", takenBytes: 2_999_999_999, multipart: "a <b>", pieces: random(1000) } as const;

  describe(`${name}: uploads`, () => {
    test("[E-140] [E-149] whoever claimed one last changes it, and nobody who claimed it before; each has numbers of their own", async () => {
      const { store, upload, begun } = await opened();
      expect(await store.findUpload({ name: upload })).toEqual({ ...begun, ...nothing, nextNumber: 1 });
      const [first, second] = [random(16), random(16)];
      expect(await store.claimUpload({ name: upload, writer: first, numbers: 1 })).toEqual({ ...begun, ...nothing, nextNumber: 2 });
      expect(await store.saveUpload({ name: upload, writer: first, ...some, nextNumber: 3 })).toBe(true);
      expect(await store.claimUpload({ name: upload, writer: second, numbers: 1 })).toEqual({ ...begun, ...some, nextNumber: 4 });
      expect(await store.saveUpload({ name: upload, writer: first, ...nothing, nextNumber: 4 })).toBe(false);
      expect(await store.removeUpload({ name: upload, writer: first })).toBe(false);
      expect(await store.claimUpload({ name: upload, writer: random(16), numbers: 0 })).toEqual({ ...begun, ...some, nextNumber: 4 });
      expect(await store.removeUpload({ name: upload, writer: second })).toBe(false);
      expect(await store.uploadTotals()).toEqual({ uploads: 1, uploadBytes: 2_999_999_999 });
    });

    test("two who claim one at once have different numbers, and one of them changes it", async () => {
      const { store, upload } = await opened();
      const writers = Array.from({ length: 8 }, () => random(16));
      const rows = await Promise.all(writers.map((writer) => store.claimUpload({ name: upload, writer, numbers: 1 })));
      expect(rows.map((row) => row?.nextNumber).toSorted()).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
      const saved = await Promise.all(writers.map((writer) => store.saveUpload({ name: upload, writer, ...some, nextNumber: 10 })));
      expect(saved.filter(Boolean)).toHaveLength(1);
    });

    test("are over after their days, by a clock that was ahead, once they have ended, and as long as something is left of one that is whole", async () => {
      const { store, upload } = await opened();
      const over = (): Promise<Uint8Array[]> => store.overUploads({ beforeDay: today, afterDay: today + 2, maxItems: 10 });
      expect(await over()).toEqual([]);
      const [old, ahead] = [random(32), random(32)];
      await store.addUpload({ name: old, blobId: random(32), sizeBytes: 1, day: today - 1 });
      await store.addUpload({ name: ahead, blobId: random(32), sizeBytes: 1, day: today + 3 });
      expect((await over()).toSorted(Buffer.compare)).toEqual([old, ahead].toSorted(Buffer.compare));
      expect(await store.overUploads({ beforeDay: today, afterDay: today + 2, maxItems: 1 })).toHaveLength(1);
      const writer = random(16);
      for (const name of [old, ahead]) {
        await store.claimUpload({ name, writer, numbers: 0 });
        expect(await store.removeUpload({ name, writer })).toBe(true);
        expect([await store.findUpload({ name }), await store.claimUpload({ name, writer, numbers: 1 })]).toEqual([undefined, undefined]);
      }
      await store.claimUpload({ name: upload, writer, numbers: 1 });
      await store.saveUpload({ name: upload, writer, ...some, stage: "whole", nextNumber: 3 });
      expect([await over(), await store.uploadTotals()]).toEqual([[upload], { uploads: 0, uploadBytes: 0 }]);
      await store.saveUpload({ name: upload, writer, ...some, stage: "whole", nextNumber: 0 });
      expect(await over()).toEqual([]);
      // What is whole has no further objects.
      expect((await store.claimUpload({ name: upload, writer, numbers: 1 }))?.nextNumber).toBe(0);
      await store.saveUpload({ name: upload, writer, ...some, stage: "ended", nextNumber: 0 });
      expect(await over()).toEqual([upload]);
    });
  });
}
