/** What came in a doubt was dated from `fromDay` on, and really came by `untilDay`; days since 1970. */
export interface DatedBack {
  readonly fromDay: number;
  readonly untilDay: number;
}

/** As many doubts are told apart: of more, those of long ago are taken for one. */
export const maxDatedBack = 64;

/**
 * The day before which nothing is kept any more, where it would be `day` if every day were right. What came in a doubt has a day of before
 * it and counts as of its end, and what is of such a day goes with it; nothing else waits for that.
 */
export function keptFromDay(day: number, all: readonly DatedBack[]): number {
  return Math.min(day, ...all.filter(({ fromDay, untilDay }) => fromDay < day && day <= untilDay).map(({ fromDay }) => fromDay));
}

/** Takes one more in, of whatever length, and drops those that have ended before `oldestDay`. */
export function addDatedBack(all: readonly DatedBack[], more: DatedBack, oldestDay: number): DatedBack[] {
  const kept = [...all, more].filter(({ fromDay, untilDay }) => fromDay < untilDay && untilDay >= oldestDay);
  const surplus = kept.splice(0, Math.max(0, kept.length - maxDatedBack + 1));
  const [first, last] = [surplus[0], surplus.at(-1)];
  return first === undefined || last === undefined ? kept : [{ fromDay: first.fromDay, untilDay: last.untilDay }, ...kept];
}
