/** The most milliseconds since 1970 that a date can have. */
const maxDateMs = 8.64e15;

/** A day such as `2026-11-23` (UTC) of a time that somebody else wrote; "an unknown day" where no calendar has it (spec E-61). */
export function dayOf(timeMs: number): string {
  return Math.abs(timeMs) <= maxDateMs ? new Date(timeMs).toISOString().replace(/T.*$/u, "") : "an unknown day";
}
