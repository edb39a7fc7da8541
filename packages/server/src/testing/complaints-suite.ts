import { maxComplaintEntryBytes, maxEpochComplaintBytes, maxEpochComplaints, maxLateComplaints } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import type { NewEntry, Store } from "../store/store.ts";
import { entryBytes, random, temporaryDirectory } from "./fixtures.ts";
import { newCommit, newEntry, today } from "./store-inputs.ts";

/** What every store keeps to of an epoch's complaints; part of `describeStore`. */
export function describeComplaints(name: string, open: (directory: string) => Promise<Store>): void {
  const withLog = async (): Promise<{ store: Store; logId: Uint8Array }> => {
    const store = await open(temporaryDirectory());
    const logId = random(32);
    await store.createLog({ logId, accessHash: random(32), day: today });
    return { store, logId };
  };

  describe(`${name}: [L-16] complaints of one epoch are bounded`, () => {
    const complaint = (logId: Uint8Array, change: Partial<NewEntry> = {}): NewEntry =>
      newEntry(logId, { kind: "complaint", blob: random(64), ...change });

    test("by their number, which is kept; a retry, a message elsewhere and a commit are taken all the same", async () => {
      const directory = temporaryDirectory();
      const store = await open(directory);
      const logId = random(32);
      await store.createLog({ logId, accessHash: random(32), day: today });
      await store.append(newCommit(logId, 0));
      const first = complaint(logId);
      await store.append(first);
      const others = Array.from({ length: maxEpochComplaints + 8 }, () => complaint(logId));
      const outcomes = await Promise.all(others.map((entry) => store.append(entry)));
      expect(outcomes.filter(({ kind }) => kind === "accepted")).toHaveLength(maxEpochComplaints - 1);
      expect(outcomes.at(-1)).toEqual({ kind: "refused", code: "rate_limited" });
      await store.close();
      const again = await open(directory);
      expect(await again.append(complaint(logId))).toEqual({ kind: "refused", code: "rate_limited" });
      expect(await again.append(first)).toMatchObject({ kind: "accepted", seq: 2, isNew: false });
      expect(await again.append(newEntry(logId, { epochId: 1 }))).toMatchObject({ kind: "accepted" });
      expect(await again.append(complaint(logId, { epochId: 1 }))).toMatchObject({ kind: "accepted" });
      expect(await again.append(newCommit(logId, 0, { afterSeq: 1 }))).toMatchObject({ kind: "accepted" });
      await again.close();
    }, 60_000);

    test("by their size, with all that they name", async () => {
      const { store, logId } = await withLog();
      const blobId = random(32);
      const named = { blobId, hash: random(32), sizeBytes: maxComplaintEntryBytes };
      await store.addBlob({ blobId, sha256: named.hash, sizeBytes: named.sizeBytes, expiresDay: today });
      const tooLarge = { kind: "refused", code: "too_large" };
      expect(await store.append(complaint(logId, { blob: entryBytes(512, [named]) }))).toEqual(tooLarge);
      expect(await store.append(complaint(logId, { blob: entryBytes(maxComplaintEntryBytes + 1) }))).toEqual(tooLarge);
      expect(await store.append(complaint(logId, { blob: entryBytes(maxComplaintEntryBytes) }))).toMatchObject({ seq: 1 });
      expect(await store.append(newEntry(logId, { blob: entryBytes(512, [named]) }))).toMatchObject({ seq: 2 });
      await store.close();
    });

    test("by their bytes, those that they name included", async () => {
      const { store, logId } = await withLog();
      const blobId = random(32);
      const named = { blobId, hash: random(32), sizeBytes: maxComplaintEntryBytes - 256 };
      await store.addBlob({ blobId, sha256: named.hash, sizeBytes: named.sizeBytes, expiresDay: today });
      const large = (): NewEntry => complaint(logId, { blob: entryBytes(256, [named]) });
      const count = Math.floor(maxEpochComplaintBytes / maxComplaintEntryBytes);
      const outcomes = await Promise.all(Array.from({ length: count + 8 }, () => store.append(large())));
      expect(outcomes.filter(({ kind }) => kind === "accepted")).toHaveLength(count);
      expect(outcomes.at(-1)).toEqual({ kind: "refused", code: "rate_limited" });
      expect(count).toBeLessThan(maxEpochComplaints);
      // What was written before there was anything to complain of takes no room from those who cannot follow what comes.
      await store.append(newCommit(logId, 0));
      expect(await store.append(large())).toMatchObject({ kind: "accepted" });
      await store.close();
    }, 60_000);

    test("once the epoch has been closed for more than seven days there is room for a few of whoever slept", async () => {
      const { store, logId } = await withLog();
      await store.append(newCommit(logId, 0, { day: today }));
      await store.append(newCommit(logId, 0, { day: today + 3, afterSeq: 1 }));
      const at = (day: number): NewEntry => complaint(logId, { day });
      const few = Array.from({ length: maxLateComplaints - 1 }, () => store.append(at(today + 7)));
      for (const { kind } of await Promise.all(few)) expect(kind).toBe("accepted");
      expect(await store.append(at(today + 8))).toMatchObject({ kind: "accepted" });
      expect(await store.append(at(today + 8))).toEqual({ kind: "refused", code: "stale" });
      // By a clock that was set right since.
      expect(await store.append(at(today + 7))).toMatchObject({ kind: "accepted" });
      expect(await store.append(at(today - 400))).toMatchObject({ kind: "accepted" });
      await store.close();
    });

    test("and none once the commit that closed it has expired", async () => {
      const { store, logId } = await withLog();
      await store.append(newCommit(logId, 0));
      await store.append(newEntry(logId, { epochId: 1, day: today + 31 }));
      expect(await store.append(complaint(logId, { day: today + 31 }))).toMatchObject({ kind: "accepted" });
      await store.purgeEntries({ beforeDay: today + 1, maxItems: 9 });
      expect(await store.append(complaint(logId, { day: today + 31 }))).toEqual({ kind: "refused", code: "stale" });
      await store.close();
    });
  });
}
