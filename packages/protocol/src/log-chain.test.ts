import { concatBytes, fromHex, toHex, utf8Bytes } from "@latchkey/codec";
import { hash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { bucketFor, buckets, entryId, entryLeaf, entryLeafOf, firstHead, nextHead, zeroHash } from "./index.ts";
import type { ChainEntry } from "./index.ts";

const sha256 = (data: Uint8Array): Uint8Array => new Uint8Array(hash("sha256", data, "buffer"));
const logId = new Uint8Array(32).fill(7);
const entry: ChainEntry = { seq: 1, epochId: 0, kind: "message", blob: utf8Bytes("one"), nextAccessHash: zeroHash };
const commit: ChainEntry = { seq: 2, epochId: 0, kind: "commit", blob: utf8Bytes("two"), nextAccessHash: new Uint8Array(32).fill(9) };

describe("head chain (spec, logs)", () => {
  test("is what the page says, byte by byte", () => {
    const leaf = sha256(
      concatBytes(
        utf8Bytes("latchkey entry/1"),
        logId,
        fromHex("0000000000000002"),
        fromHex("0000000000000000"),
        fromHex("02"),
        sha256(commit.blob),
        commit.nextAccessHash,
      ),
    );
    expect(toHex(entryLeaf(sha256, logId, commit))).toBe(toHex(leaf));
    expect(toHex(firstHead(sha256, logId))).toBe(toHex(sha256(concatBytes(utf8Bytes("latchkey log/1"), logId))));
    expect(toHex(nextHead(sha256, zeroHash, leaf))).toBe(toHex(sha256(concatBytes(zeroHash, leaf))));
  });

  test("numbers above 32 bits are written whole", () => {
    const far = { ...commit, seq: 2 ** 53 - 1, epochId: 2 ** 32 + 5 };
    const input = concatBytes(
      utf8Bytes("latchkey entry/1"),
      logId,
      fromHex("001fffffffffffff"),
      fromHex("0000000100000005"),
      fromHex("02"),
      sha256(far.blob),
      far.nextAccessHash,
    );
    expect(toHex(entryLeaf(sha256, logId, far))).toBe(toHex(sha256(input)));
    expect(toHex(entryLeafOf(sha256, logId, { ...far, blobHash: sha256(far.blob) }))).toBe(toHex(sha256(input)));
  });

  test("is frozen", () => {
    let head = firstHead(sha256, logId);
    for (const next of [entry, commit]) head = nextHead(sha256, head, entryLeaf(sha256, logId, next));
    expect(toHex(head)).toBe("452925ed98b95a4d2916552fb49986473614d06ec2c94a3d5e5cffbbbceb4410");
  });

  test("any change of any field, of the order or of the log makes another head", () => {
    const headOf = (log: Uint8Array, entries: readonly ChainEntry[]): string => {
      let head = firstHead(sha256, log);
      for (const next of entries) head = nextHead(sha256, head, entryLeaf(sha256, log, next));
      return toHex(head);
    };
    const heads = [
      headOf(logId, [entry, commit]),
      headOf(new Uint8Array(32).fill(8), [entry, commit]),
      headOf(logId, [commit, entry]),
      headOf(logId, [entry]),
      headOf(logId, [{ ...entry, blob: utf8Bytes("onf") }, commit]),
      headOf(logId, [{ ...entry, kind: "complaint" }, commit]),
      headOf(logId, [{ ...entry, epochId: 1 }, commit]),
      headOf(logId, [{ ...entry, seq: 3 }, commit]),
      headOf(logId, [{ ...entry, nextAccessHash: new Uint8Array(32).fill(1) }, commit]),
    ];
    expect(new Set(heads).size).toBe(heads.length);
  });
});

describe("[L-6] the name of an entry", () => {
  test("is made of its epoch, kind, access hash and bytes, not of its place", () => {
    const expected = sha256(concatBytes(fromHex("0000000000000000"), fromHex("02"), commit.nextAccessHash, commit.blob));
    expect(toHex(entryId(sha256, commit))).toBe(toHex(expected));
    const names = [
      commit,
      { ...commit, epochId: 1 },
      { ...commit, kind: "message" as const },
      { ...commit, blob: utf8Bytes("x") },
      { ...commit, nextAccessHash: zeroHash },
    ].map((other) => toHex(entryId(sha256, other)));
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("[C-4] buckets", () => {
  test("the smallest that holds the size", () => {
    expect([0, 1, 512, 513, 65_536, 65_537, 4_194_304, 4_194_305].map((size) => bucketFor(size))).toEqual([
      512,
      512,
      512,
      1024,
      65_536,
      262_144,
      4_194_304,
      undefined,
    ]);
    expect([...buckets].sort((a, b) => a - b)).toEqual(buckets);
  });
});
