import type { NamedBlob } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import type { NewEntry, Store } from "../store/store.ts";
import { entryBytes, random } from "./fixtures.ts";
import { newCommit, newEntry, today } from "./store-inputs.ts";

/** What every store keeps to of the index of blobs; part of `describeStore`. */
export function describeBlobs(name: string, opened: () => Promise<Store>): void {
  const withLog = async (): Promise<{ store: Store; logId: Uint8Array }> => {
    const store = await opened();
    const logId = random(32);
    await store.createLog({ logId, accessHash: random(32), day: today });
    return { store, logId };
  };

  describe(`${name}: blobs`, () => {
    const blob = (): { blobId: Uint8Array; sha256: Uint8Array; sizeBytes: number; expiresDay: number } => ({
      blobId: random(32),
      sha256: random(32),
      sizeBytes: 1000,
      expiresDay: today + 1,
    });

    test("a blob is added once; the same again is a retry, other bytes are not", async () => {
      const store = await opened();
      const one = blob();
      expect(await store.addBlob(one)).toEqual({ kind: "added" });
      expect(await store.addBlob(one)).toEqual({ kind: "same" });
      expect(await store.addBlob({ ...one, sha256: random(32) })).toEqual({ kind: "different" });
      await store.addBlob({ ...one, expiresDay: today + 5 });
      expect(await store.expireBlobs({ day: today + 3, maxItems: 10 })).toEqual([]);
      expect(await store.findBlob(one)).toEqual({ sha256: one.sha256, sizeBytes: 1000 });
      expect(await store.findBlob(blob())).toBeUndefined();
      await store.close();
    });

    test("blobs are listed in the order of their ids, each once, however many at once", async () => {
      const store = await opened();
      const blobs = Array.from({ length: 5 }, blob);
      for (const each of blobs) await store.addBlob(each);
      const sorted = blobs
        .map(({ blobId, sha256, sizeBytes }) => ({ blobId, sha256, sizeBytes }))
        .toSorted((a, b) => Buffer.compare(a.blobId, b.blobId));
      const first = await store.listBlobs({ maxItems: 3 });
      expect(first).toEqual(sorted.slice(0, 3));
      const rest = await store.listBlobs({ after: first[2]?.blobId ?? random(32), maxItems: 3 });
      expect(rest).toEqual(sorted.slice(3));
      expect(await store.listBlobs({ after: rest[1]?.blobId ?? random(32), maxItems: 3 })).toEqual([]);
      await store.close();
    });

    test("[L-15] an entry is taken only when every blob that it names is there, with the bytes that it says", async () => {
      const { store, logId } = await withLog();
      const [kept, other] = [blob(), blob()];
      for (const each of [kept, other]) await store.addBlob(each);
      const named = { blobId: kept.blobId, hash: kept.sha256, sizeBytes: kept.sizeBytes };
      const wrongs = [
        { ...named, blobId: random(32) },
        { ...named, hash: other.sha256 },
        { ...named, sizeBytes: kept.sizeBytes - 1 },
      ];
      for (const wrong of wrongs) {
        for (const blobs of [[wrong], [named, wrong]]) {
          const refused = { kind: "refused", code: "unknown_blob" };
          expect(await store.append(newEntry(logId, { blob: entryBytes(512, blobs) }))).toEqual(refused);
          expect(await store.append(newCommit(logId, 0, { blob: entryBytes(512, blobs) }))).toEqual(refused);
        }
      }
      expect(await store.append(newEntry(logId, { blob: entryBytes(512, [named]) }))).toMatchObject({ kind: "accepted", seq: 1 });
      // Bytes that name nothing and are no entry: stored, and read by nobody.
      expect(await store.append(newEntry(logId, { blob: new Uint8Array(40).fill(255) }))).toMatchObject({ kind: "accepted", seq: 2 });
      await store.close();
    });

    test("[C-4] a blob lives as long as an entry that names it, else until its day", async () => {
      const { store, logId } = await withLog();
      const kept = blob();
      const unused = blob();
      await store.addBlob(kept);
      await store.addBlob(unused);
      const named = { blobId: kept.blobId, hash: kept.sha256, sizeBytes: kept.sizeBytes };
      const naming = (...blobs: NamedBlob[]): NewEntry => newEntry(logId, { blob: entryBytes(512, blobs) });
      expect(await store.append(naming(named, named))).toMatchObject({ kind: "accepted", seq: 1 });
      expect(await store.expireBlobs({ day: today, maxItems: 10 })).toEqual([]);
      expect(await store.expireBlobs({ day: today + 2, maxItems: 10 })).toEqual([{ blobId: unused.blobId, sha256: unused.sha256 }]);
      expect(await store.findBlob(unused)).toBeUndefined();
      await store.purgeEntries({ beforeDay: today + 1, maxItems: 10 });
      expect(await store.expireBlobs({ day: today + 2, maxItems: 10 })).toEqual([{ blobId: kept.blobId, sha256: kept.sha256 }]);
      await store.close();
    });

    test("[C-4] of bytes that are leaving no blob is made before whoever took them last says that they left", async () => {
      const { store } = await withLog();
      const [one, other] = [blob(), blob()];
      const [first, second] = [random(16), random(16)];
      const bytesOf = ({ blobId, sha256 }: typeof one) => ({ blobId, sha256 });
      await store.addBlob(one);
      expect(await store.leaveBytes({ ...bytesOf(one), taker: first })).toBe(false);
      // Other bytes of that name are no blob's.
      expect(await store.leaveBytes({ ...bytesOf(one), sha256: random(32), taker: first })).toBe(true);
      await store.expireBlobs({ day: today + 2, maxItems: 10 });
      expect(await store.addBlob(one)).toEqual({ kind: "leaving" });
      expect(await store.addBlob({ ...one, sha256: random(32) })).toEqual({ kind: "added" });
      expect(await store.leaveBytes({ ...bytesOf(other), taker: first })).toBe(true);
      expect(await store.takeLeaving({ taker: first, maxItems: 2 })).toHaveLength(2);
      expect(await store.takeLeaving({ taker: second, maxItems: 10 })).toHaveLength(3);
      expect(await store.dropLeft({ taker: first, blobs: [bytesOf(one), bytesOf(other)] })).toBe(0);
      expect(await store.addBlob(other)).toEqual({ kind: "leaving" });
      expect(await store.dropLeft({ taker: second, blobs: [bytesOf(one), bytesOf(other)] })).toBe(2);
      expect([(await store.addBlob(other)).kind, (await store.addBlob(one)).kind]).toEqual(["added", "different"]);
      expect(await store.takeLeaving({ taker: second, maxItems: 10 })).toHaveLength(1);
      await store.close();
    });
  });
}
