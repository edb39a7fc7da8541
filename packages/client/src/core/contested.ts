import type { SealedEntry } from "./sealed.ts";

/** A complaint that waits to be answered (spec G-5). */
export interface Ask {
  readonly leafIndex: number;
  readonly signed: Uint8Array;
}

/** Where this device was let in again behind a commit that it could not follow, while others may say that it was elsewhere (spec G-5). */
export interface Arrival {
  /** The commit, the epoch that it ended, and the account of its author; zeros where nobody knows it. */
  readonly seq: number;
  readonly epochId: number;
  readonly authorId: Uint8Array;
  /** The commit at which it was let in, and by whom. */
  readonly at: number;
  readonly by: Uint8Array;
  /** As in `Stranded`: by them those who are not there find its leaf. */
  readonly leafKeys: readonly Uint8Array[];
  readonly behind: readonly number[];
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

/** The numbers in such a set. */
export function numbersIn(bits: Uint8Array): readonly number[] {
  return [...bits].flatMap((byte, at) => [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte & (1 << bit)) !== 0).map((bit) => at * 8 + bit));
}
