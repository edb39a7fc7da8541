import { describe, expect, test } from "vitest";
import type { Store } from "../store/store.ts";
import { random } from "./fixtures.ts";
import { newEntry, today } from "./store-inputs.ts";

const page = { maxItems: 1000, maxBytes: 1_000_000 };

/** What every store says of several logs at once; part of `describeStore`. */
export function describeSeveralLogs(name: string, open: () => Promise<Store>): void {
  describe(`${name}: several logs`, () => {
    test("[L-3] of several logs it says which have grown", async () => {
      const store = await open();
      const logId = random(32);
      await store.createLog({ logId, accessHash: random(32), day: today });
      for (let count = 0; count < 2; count++) await store.append(newEntry(logId));
      const known = [0, 2, 1, 7].map((lastSeq) => ({ id: logId, lastSeq }));
      const grown = [1, 3].map((at) => ({ at, lastSeq: 2 }));
      expect(await store.grownLogs({ known: [{ id: random(32), lastSeq: 0 }, ...known] })).toEqual(grown);
      expect(await store.grownLogs({ known: [] })).toEqual([]);
      await store.close();
    });

    test("[L-3] of several logs it gives what follows in each, up to the bounds of all together", async () => {
      const store = await open();
      const logId = random(32);
      await store.createLog({ logId, accessHash: random(32), day: today });
      const second = random(32);
      await store.createLog({ logId: second, accessHash: random(32), day: today });
      for (let count = 0; count < 3; count++) await store.append(newEntry(logId, { blob: random(100) }));
      for (let count = 0; count < 2; count++) await store.append(newEntry(second, { blob: random(100) }));
      const logs = [
        { id: random(32), lastSeq: 0 },
        { id: logId, lastSeq: 1 },
        { id: second, lastSeq: 2 },
        { id: second, lastSeq: 0 },
      ];
      const read = async (maxItems: number, maxBytes: number): Promise<number[][]> =>
        (await store.readEntriesOfLogs({ logs, maxItems, maxBytes })).map((entries) => entries.map(({ seq }) => seq));
      expect(await read(100, 10_000)).toEqual([[], [2, 3], [], [1, 2]]);
      expect(await read(3, 10_000)).toEqual([[], [2, 3], [], [1]]);
      expect(await read(100, 399)).toEqual([[], [2, 3], [], [1]]);
      expect(await read(100, 250)).toEqual([[], [2, 3], [], []]);
      // One at least, however small the bounds.
      expect(await read(100, 1)).toEqual([[], [2], [], []]);
      const [entries = []] = await store.readEntriesOfLogs({ logs: logs.slice(1, 2), ...page });
      expect(entries).toEqual(await store.readEntries({ logId, afterSeq: 1, ...page }));
      expect(await store.readEntriesOfLogs({ logs: [], ...page })).toEqual([]);
      await store.close();
    });
  });
}
