/** Lines that one entry may make: a commit can add, remove and rename at once. */
const linesPerEntry = 16;

/** Pending messages come after everything in the log. */
const pendingBase = 2 ** 52;

/** No log is so long; who joins behind it would have no place left for lines. */
export const maxJoinSeq: number = 2 ** 40;

/** The first line of entry `seq`. */
export function entryOrder(seq: number): number {
  return seq * linesPerEntry;
}

/** The place of the `local`-th message that this device composed, while it is pending. */
export function pendingOrder(local: number): number {
  return pendingBase + local;
}

/** Whether this place is that of a pending message. */
export function isPendingOrder(order: number): boolean {
  return order >= pendingBase;
}
