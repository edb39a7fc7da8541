/** A complaint that waits to be answered (spec G-5). */
export interface Ask {
  readonly leafIndex: number;
  readonly signed: Uint8Array;
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
