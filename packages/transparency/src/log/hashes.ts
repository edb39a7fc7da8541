import { concatBytes } from "@latchkey/codec";
import { sha256 } from "@noble/hashes/sha2.js";
import { TransparencyError } from "../errors.ts";

const leafPrefix = Uint8Array.of(0x00);
const nodePrefix = Uint8Array.of(0x01);

/** MTH of the empty tree: the hash of the empty string (RFC 6962 section 2.1). A new array each time. */
export function emptyRoot(): Uint8Array {
  return sha256(new Uint8Array(0));
}

/** The hash of an entry: SHA-256(0x00 || data) (RFC 6962 section 2.1). */
export function leafHash(data: Uint8Array): Uint8Array {
  return sha256(concatBytes(leafPrefix, data));
}

/** The hash of an inner node: SHA-256(0x01 || left || right) (RFC 6962 section 2.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(concatBytes(nodePrefix, left, right));
}

/**
 * Tree sizes and indices are integers from 0 to 2^53 - 1: a log of one entry a millisecond reaches that in 285,000 years.
 * @throws TransparencyError for anything else.
 */
export function checkTreeNumber(value: number, rule: string): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new TransparencyError("malformed", rule, "A size or index is out of range.");
}

/** The largest power of two below `size`, which is at least 2: where RFC 6962 section 2.1 splits a tree. */
export function splitPoint(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}
