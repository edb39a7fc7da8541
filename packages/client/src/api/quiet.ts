/** The days of a week as people know them. */
export type Weekday = "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday";

/** All of them, in their order. */
export const weekdays: readonly Weekday[] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/** A span that begins on its day, in minutes after midnight (0 to 1,439); one that ends no later than it begins ends on the day after. */
export interface QuietSpan {
  readonly fromMinute: number;
  readonly toMinute: number;
}

/** When a person wants no notice of anything, by weekday, as the clocks where they are show it; the same on all of their devices (spec X-18). */
export type QuietHours = Readonly<Partial<Record<Weekday, QuietSpan>>>;

/** Minutes of a day. */
export const minutesOfDay = 1440;

/** As what `Date` calls 0. */
const sunday = 6;

/**
 * Until when a person has no notice of anything, milliseconds since 1970 by the time zone of this machine; `undefined` where they have now. Spans
 * that follow one another are one; quiet without an end is quiet for a week.
 */
export function quietUntil(hours: QuietHours, nowMs: number): number | undefined {
  let untilMs: number | undefined;
  // A day may be quiet to its end and the next one from its beginning on.
  for (let round = 0; round <= weekdays.length; round += 1) {
    const next = endAt(hours, untilMs ?? nowMs);
    if (next === undefined || next <= (untilMs ?? nowMs)) break;
    untilMs = next;
  }
  return untilMs;
}

/** The end of the span in which a time is: one that began on its day, or on the day before. */
function endAt(hours: QuietHours, atMs: number): number | undefined {
  const ends = [0, 1].flatMap((daysAgo) => {
    const day = new Date(atMs);
    day.setHours(0, 0, 0, 0);
    day.setDate(day.getDate() - daysAgo);
    const span = hours[weekdays[(day.getDay() + sunday) % weekdays.length] ?? "monday"];
    if (span === undefined) return [];
    const { fromMinute, toMinute } = span;
    const endMinute = toMinute <= fromMinute ? toMinute + minutesOfDay : toMinute;
    // By the wall clock: a day on which clocks change is shorter or longer.
    return atMs >= minuteOf(day, fromMinute) && atMs < minuteOf(day, endMinute) ? [minuteOf(day, endMinute)] : [];
  });
  return ends.length === 0 ? undefined : Math.max(...ends);
}

function minuteOf(day: Date, minute: number): number {
  const at = new Date(day);
  at.setHours(0, minute, 0, 0);
  return at.getTime();
}
