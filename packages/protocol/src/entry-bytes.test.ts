import { concatBytes } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { entryHead, joinEntry, splitEntry } from "./entry-bytes.ts";
import type { NamedBlob } from "./entry-bytes.ts";
import { maxBlobsPerEntry } from "./limits.ts";

const id = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);

describe("[L-15] the bytes of an entry", () => {
  const sealed = bytes(9, 8, 7);
  const named = (count: number): NamedBlob[] =>
    Array.from({ length: count }, (_, at) => ({ blobId: id(at), hash: id(at + 100), sizeBytes: at }));

  test("hold what it names in front of what is sealed", () => {
    for (const count of [0, 1, 2, maxBlobsPerEntry]) {
      const head = entryHead(named(count));
      expect(splitEntry(joinEntry(head, sealed))).toEqual({ head, blobs: named(count), sealed });
    }
    expect(entryHead([])).toEqual(bytes(0));
    expect(entryHead(named(1))).toEqual(concatBytes(bytes(0x40, 0x48), id(0), id(100), bytes(0, 0, 0, 0, 0, 0, 0, 0)));
  });

  test("that are no entry, or name too much, are none", () => {
    expect(() => entryHead(named(maxBlobsPerEntry + 1))).toThrow(expect.objectContaining({ code: "limit" }));
    const tooMany = concatBytes(
      bytes(0x49, 0x48),
      ...named(maxBlobsPerEntry + 1).flatMap(({ blobId, hash }) => [blobId, hash, new Uint8Array(8)]),
    );
    for (const wrong of [bytes(), bytes(1), bytes(63), bytes(0x40, 0x40, 1, 2), bytes(0xff, 0, 0), tooMany]) {
      expect(splitEntry(wrong)).toBeUndefined();
    }
  });
});
