import type { LeafIndex } from "@latchkey/mls";
import type { SealedEntry } from "./sealed.ts";

/** A complaint that waits to be answered (spec G-5). */
export interface Ask {
  readonly leafIndex: number;
  readonly signed: Uint8Array;
}

/** What this device knows of a commit that counts and that it cannot follow (spec G-4). */
export interface Stranded {
  /** The commit. */
  readonly seq: number;
  /** `undefined` where its content cannot be had. */
  readonly author: LeafIndex | undefined;
  /** The leaves of the epoch that the commit keeps. */
  readonly keeps: readonly number[];
  /** Those that it removes and adds again. */
  readonly readds: readonly number[];
  readonly reason: number;
  readonly sinceMs: number;
  /** The encryption keys that this device's leaf may have on the other side: of this epoch, and of each key package given out. */
  readonly leafKeys: readonly Uint8Array[];
  /** The complaint, once there is a key package for it. */
  readonly entry: SealedEntry | undefined;
  /** When it is made again; 0 for not, or not yet. */
  readonly againAtMs: number;
  /** Leaves whose complaints about the commit stand in the log. */
  readonly complainers: readonly number[];
  /** Leaves that said since that they arrived behind it: what they had said before counts no more, whoever shows it again. */
  readonly arrived: readonly number[];
  /** The commit and those that stand behind it, in epochs that it leads to, as far as the log was read: only there it may be let in again. */
  readonly behind: readonly number[];
  /** For each of them the commit whose epoch it ended. */
  readonly parents: readonly number[];
}

/** Where this device was let in again behind a commit that it could not follow, while others may say that it was elsewhere (spec G-5). */
export interface Arrival {
  /** The commit, the epoch that it ended, and the account of its author; zeros where nobody knows it. */
  readonly seq: number;
  readonly epochId: number;
  readonly authorId: Uint8Array;
  /** The accounts of that epoch which may let it in behind the commit (spec G-5). */
  readonly answerers: readonly Uint8Array[];
  /** When it could not follow it. */
  readonly sinceMs: number;
  /** The commit at which it was let in, and by whom. */
  readonly at: number;
  readonly by: Uint8Array;
  /** As in `Stranded`: by them those who are not there find its leaf. */
  readonly leafKeys: readonly Uint8Array[];
  readonly behind: readonly number[];
  readonly parents: readonly number[];
  /** What it says of it in the log, once there is a key package for it, and whether it stands there. */
  readonly entry: SealedEntry | undefined;
  readonly isWritten: boolean;
  /** Accounts that would let it in elsewhere, and with whom the person did not go: they are not asked about again. */
  readonly declined: readonly Uint8Array[];
}

/** That a member's commit was skipped, as it was last told. */
export interface SkipTold {
  /** Zeros for somebody whom nobody can name. */
  readonly accountId: Uint8Array;
  readonly atMs: number;
}

/** A set of small numbers, a bit for each. */
export function bitsOf(numbers: readonly number[]): Uint8Array {
  const bits = new Uint8Array(numbers.length === 0 ? 0 : (Math.max(...numbers) >> 3) + 1);
  for (const number of numbers) bits[number >> 3] = (bits[number >> 3] ?? 0) | (1 << (number & 7));
  return bits;
}

/** Whether a number is in such a set. */
export function hasBit(bits: Uint8Array, number: number): boolean {
  return ((bits[number >> 3] ?? 0) & (1 << (number & 7))) !== 0;
}

/** The numbers in such a set. */
export function numbersIn(bits: Uint8Array): readonly number[] {
  return [...bits].flatMap((byte, at) => [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte & (1 << bit)) !== 0).map((bit) => at * 8 + bit));
}
