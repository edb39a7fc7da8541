/** How far ahead of one's own clock a time may be that another device claims: clocks differ. */
const mostAheadMs = 86_400_000;

/**
 * Whether a time that another device claims can be (spec E-46, E-48). Where the latest counts, one further ahead would be later than
 * everything that is said after it, long after that device is nobody's any more.
 */
export function canBe(claimedMs: number, nowMs: number): boolean {
  return claimedMs <= nowMs + mostAheadMs;
}

/**
 * Whether a time that is stored can be: somewhat further ahead than one that was taken, since what is said here of the same is dated after
 * it. One beyond that a wrong clock of this device's own left behind.
 */
export function couldBeTaken(storedMs: number, nowMs: number): boolean {
  return canBe(storedMs, nowMs + mostAheadMs);
}
