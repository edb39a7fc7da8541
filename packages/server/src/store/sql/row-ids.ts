import { randomBytes } from "node:crypto";
import type { Steps } from "./steps.ts";

/** Row ids are random: numbers that grew would tell on a copied disk in which order people and logs came. */
const idBytes = 6;

/** A row id of 48 bits. Two equal ones are as good as impossible; the database refuses the second. */
export function randomId(): number {
  return randomBytes(idBytes).readUIntBE(0, idBytes);
}

/**
 * Rows of a log or an inbox are numbered `ref * 2^27 + seq`, within the 53 bits of a number: those of one lie together, in order, and
 * nothing tells which of two logs came first, or was written to first.
 */
const seqRange = 2 ** 27;
const refBits = 26;

/** Highest sequence number that a row's number holds: more than 100 million. */
export const maxSeq: number = seqRange - 1;

/** What a new log or inbox is called in the numbers of its rows: 26 bits, 1 or more. @throws RangeError when next to all are taken */
export function* randomRef(isTaken: (ref: number) => Steps<boolean>): Steps<number> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const ref = randomBytes(4).readUInt32BE() >>> (32 - refBits);
    if (ref > 0 && !(yield* isTaken(ref))) return ref;
  }
  throw new RangeError("the database has no more numbers");
}

/** The row number of this entry or item; with 0 and `maxSeq` the bounds of them all. */
export function rowId(ref: number, seq: number): number {
  return ref * seqRange + seq;
}

/** The ref in a row's number. */
export function refOf(id: number): number {
  return Math.floor(id / seqRange);
}

/** The sequence number in a row's number. */
export function seqOf(id: number): number {
  return id % seqRange;
}

/** The first bits of a hash, as many as a sequence number has: `rowId(ref, shortDigest(hash))` is what may be equal in one log or inbox. */
export function shortDigest(hash: Uint8Array): number {
  let bits = 0;
  for (let i = 0; i < 4; i++) bits = bits * 256 + (hash[i] ?? 0);
  return bits % seqRange;
}
