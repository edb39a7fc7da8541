/** Wrong passphrases in a row, and when the last one was tried (milliseconds since 1970). */
export interface Tries {
  readonly count: number;
  readonly lastMs: number;
}

/** So many may be wrong without a wait: typing errors. */
const freeTries = 3;
const firstWaitMs = 1000;
const longestWaitMs = 5 * 60_000;

/**
 * How long nobody may try another passphrase, in milliseconds: a second after the third wrong one, twice as long after each further one, five
 * minutes at most. A clock that was set back makes nobody wait longer than that.
 */
export function waitBeforeTry({ count, lastMs }: Tries, nowMs: number): number {
  if (count < freeTries) return 0;
  const wait = Math.min(longestWaitMs, firstWaitMs * 2 ** (count - freeTries));
  return Math.max(0, Math.min(wait, lastMs + wait - nowMs));
}
