import { toHex } from "@latchkey/codec";
import fc from "fast-check";
import { createCipheriv, createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { buckets } from "../limits.ts";
import {
  fileChunkAt,
  fileChunkBytes,
  fileChunkCount,
  fileChunksOf,
  fileNonce,
  maxFileBytes,
  paddedFileBytes,
  sealedFileBytes,
} from "./geometry.ts";

/** A file as the spec writes it down, by another implementation of the cipher. */
function seal(content: Uint8Array, key: Uint8Array, prefix: Uint8Array): Uint8Array {
  const padded = new Uint8Array(paddedFileBytes(content.length));
  padded.set(content);
  const sealed = new Uint8Array(sealedFileBytes(padded.length));
  for (let index = 0; index < fileChunkCount(padded.length); index++) {
    const { isLast, from, to, sealedFrom, sealedTo } = fileChunkAt(padded.length, index);
    const cipher = createCipheriv("aes-256-gcm", key, fileNonce(prefix, index, isLast));
    sealed.set([...cipher.update(padded.subarray(from, to)), ...cipher.final(), ...cipher.getAuthTag()], sealedFrom);
    expect(sealedTo - sealedFrom).toBe(to - from + 16);
  }
  return sealed;
}

describe("[X-23] the STREAM of a file", () => {
  const key = Uint8Array.from({ length: 32 }, (_, at) => at);
  const prefix = Uint8Array.of(1, 2, 3, 4, 5, 6, 7);

  test.each([
    [0, 512, "4a8e1e83"],
    [1, 512, "e74ba8b4"],
    [496, 512, "f7ccf621"],
    [497, 1024, "e56652aa"],
    [65_520, 65_536, "8260ae26"],
    [65_521, 262_144, "c3aea45a"],
    [4_193_280, 4_194_304, "6f66a177"],
  ])("of %i bytes is %i bytes, the same as ever", (sizeBytes, sealedBytes, frozen) => {
    const content = Uint8Array.from({ length: sizeBytes }, (_, at) => (at * 7 + 1) & 255);
    const sealed = seal(content, key, prefix);
    expect([sealed.length, toHex(createHash("sha256").update(sealed).digest()).slice(0, 8)]).toEqual([sealedBytes, frozen]);
  });

  test.each([
    [4_193_281, 4_194_304],
    [5_000_000, 5_111_808],
    [1_000_000_001, 1_006_632_960],
    [maxFileBytes, maxFileBytes],
  ])("of %i bytes is padded to %i", (sizeBytes, paddedBytes) => {
    expect(paddedFileBytes(sizeBytes)).toBe(paddedBytes);
  });

  test("has room for what it pads, by at most 3.2 % above the largest bucket, and few sizes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: maxFileBytes }), (sizeBytes) => {
        const padded = paddedFileBytes(sizeBytes);
        expect(padded).toBeGreaterThanOrEqual(sizeBytes);
        expect(paddedFileBytes(padded)).toBe(padded);
        const sealed = sealedFileBytes(padded);
        if (sealed <= (buckets.at(-1) ?? 0)) expect(buckets).toContain(sealed);
        else expect(padded / sizeBytes).toBeLessThan(1.032);
      }),
    );
  });

  test("its chunks lie one behind the other, and any range is in those that it names", () => {
    const range = fc.record({ sizeBytes: fc.integer({ min: 1, max: maxFileBytes }), at: fc.double({ min: 0, max: 1, noNaN: true }) });
    fc.assert(
      fc.property(range, fc.integer({ min: 1, max: 300_000 }), ({ sizeBytes, at }, length) => {
        const padded = paddedFileBytes(sizeBytes);
        const from = Math.min(Math.floor(at * sizeBytes), sizeBytes - 1);
        const to = Math.min(from + length, sizeBytes);
        const { first, last } = fileChunksOf(from, to);
        expect(fileChunkAt(padded, first).from).toBeLessThanOrEqual(from);
        expect(fileChunkAt(padded, first).to).toBeGreaterThan(from);
        expect(fileChunkAt(padded, last).to).toBeGreaterThanOrEqual(to);
        expect(last - first).toBeLessThanOrEqual(Math.ceil((to - from) / fileChunkBytes));
        const { isLast, sealedTo } = fileChunkAt(padded, fileChunkCount(padded) - 1);
        expect([isLast, sealedTo]).toEqual([true, sealedFileBytes(padded)]);
        if (first > 0) expect(fileChunkAt(padded, first - 1).sealedTo).toBe(fileChunkAt(padded, first).sealedFrom);
      }),
    );
  });

  test("its nonces are a prefix, a number and whether it is the last", () => {
    expect(toHex(fileNonce(prefix, 0x01_02_03_04, false))).toBe("010203040506070102030400");
    expect(toHex(fileNonce(prefix, 0xff_ff_ff_ff, true))).toBe("01020304050607ffffffff01");
  });
});
