import type { RequestCalendar } from "@latchkey/protocol/desk";

/** Which of several readings of one period is meant: the earliest end, where something must be done, or the latest, where it must not yet be. */
export type Reading = "earliest" | "latest";

/** Where a period ends, and by which rule that is so. */
export interface PeriodEnd {
  readonly atMs: number;
  /** In English. */
  readonly rule: string;
  /** Whether the rule that decided was read in the law. */
  readonly isChecked: boolean;
}

interface Candidate extends PeriodEnd {
  readonly at: Temporal.ZonedDateTime;
}

/** Whether a text is an ISO 8601 duration that a period may have: calendar units or time, whole, positive, of at most ten years. */
export function isPeriod(text: string): boolean {
  if (!/^P(?:\d{1,4}[YMWD]|T\d{1,5}[HM])$/.test(text)) return false;
  const days = Temporal.Duration.from(text).total({ unit: "days", relativeTo: "2026-01-01" });
  return days > 0 && days <= 3660;
}

/** Whether there is such a zone. */
export function isZone(zone: string): boolean {
  try {
    return /^[A-Za-z][\w+/-]{0,60}$/.test(zone) && Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone).timeZoneId !== "";
  } catch {
    return false;
  }
}

/** Saturdays, Sundays, and the operator's own holidays. */
export function isFree(day: Temporal.PlainDate, { holidays }: RequestCalendar): boolean {
  return day.dayOfWeek > 5 || holidays.includes(day.toString());
}

/**
 * Where a period ends that began with an event. Hours pass as they do, whatever clocks are set to; days, weeks, months and years are of
 * the calendar in the named zone. How the latter end is read in three ways, of which the stricter counts:
 * 1. at the same time of day so many days later; a time of day that there is not, or twice, as the stricter has it;
 * 2. with the last hour of the last day, the day of the event not counted (Regulation (EEC, Euratom) No 1182/71, Art. 3(1), (2));
 * 3. where that day is a Saturday, a Sunday or a holiday, with the last hour of the next working day (Art. 3(4)).
 *
 * @param fromMs when it began, milliseconds since 1970
 * @param period as `isPeriod` takes it
 */
export function endOfPeriod(params: { fromMs: number; period: string; calendar: RequestCalendar; reading: Reading }): PeriodEnd {
  const { fromMs, period, calendar, reading } = params;
  const from = Temporal.Instant.fromEpochMilliseconds(fromMs).toZonedDateTimeISO(calendar.zone);
  const duration = Temporal.Duration.from(period);
  const found = duration.hours + duration.minutes > 0 ? byHours(from, duration) : byCalendar({ from, duration, calendar, reading });
  const sorted = found.toSorted((a, b) => Temporal.ZonedDateTime.compare(a.at, b.at));
  const [first] = reading === "earliest" ? sorted : sorted.toReversed();
  if (first === undefined) throw new Error("a period ends");
  const others = found.filter(({ at }) => !at.equals(first.at)).map(({ at, rule }) => `${localText(at)} (${rule})`);
  const beside = others.length === 0 ? "" : ` Read otherwise: ${others.join("; ")}.`;
  const why = reading === "earliest" ? "the earliest reading counts" : "the latest reading counts";
  return {
    atMs: first.atMs,
    rule: `${period} from ${localText(from)} ${calendar.zone}: ${first.rule}${others.length === 0 ? "" : `; ${why}`}.${beside}`,
    isChecked: first.isChecked,
  };
}

/** `2026-12-11T14:30` of a time by the wall clock of a zone. */
export function localOf(atMs: number, zone: string): string {
  return localText(Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(zone));
}

/** The time that a wall clock shows so; of one that there is not, or twice, the earlier. `undefined` for what is no time. */
export function timeOfLocal(text: string, zone: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/.test(text)) return undefined;
  try {
    return Temporal.PlainDateTime.from(text, { overflow: "reject" }).toZonedDateTime(zone, { disambiguation: "earlier" }).epochMilliseconds;
  } catch {
    return undefined;
  }
}

/** The last millisecond of a day, `2026-12-11`; `undefined` for what is no day. */
export function endOfDay(day: string, zone: string): number | undefined {
  const date = parseDate(day);
  return date === undefined ? undefined : endOf(date, zone).epochMilliseconds;
}

/** The day that a text names, if it is one. */
export function parseDate(day: string): Temporal.PlainDate | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return undefined;
  try {
    return Temporal.PlainDate.from(day, { overflow: "reject" });
  } catch {
    return undefined;
  }
}

/** The day of a time in a zone. */
export function dayIn(atMs: number, zone: string): Temporal.PlainDate {
  return Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(zone).toPlainDate();
}

function byHours(from: Temporal.ZonedDateTime, duration: Temporal.Duration): readonly Candidate[] {
  const exact = from.add(duration);
  // Art. 3(1), (2)(a): the hour of the event is not counted. What is set to the minute ends before that hour does, and neither waits for a working day.
  const whole = from.round({ smallestUnit: "hour", roundingMode: "floor" }).add({ hours: 1 }).add(duration);
  return [
    candidate(exact, "hours that pass, not days of the calendar", true),
    candidate(whole, "the hour of receipt not counted, Regulation 1182/71 Art. 3(1), (2)(a)", true),
  ];
}

function byCalendar(params: {
  from: Temporal.ZonedDateTime;
  duration: Temporal.Duration;
  calendar: RequestCalendar;
  reading: Reading;
}): readonly Candidate[] {
  const { from, duration, calendar, reading } = params;
  const disambiguation = reading === "earliest" ? "earlier" : "later";
  const same = from.toPlainDateTime().add(duration).toZonedDateTime(calendar.zone, { disambiguation });
  const lastDay = from.toPlainDate().add(duration);
  const found = [
    candidate(same, "the same time of day, days of the calendar", true),
    candidate(
      endOf(lastDay, calendar.zone),
      "the end of the last day, the day of receipt not counted, Regulation 1182/71 Art. 3(1), (2)",
      // Known, and not seen in the text.
      false,
    ),
  ];
  let working = lastDay;
  while (isFree(working, calendar)) working = working.add({ days: 1 });
  if (!working.equals(lastDay)) {
    found.push(
      candidate(endOf(working, calendar.zone), "the last day is a free one, so the next working day, Regulation 1182/71 Art. 3(4)", true),
    );
  }
  return found;
}

function candidate(at: Temporal.ZonedDateTime, rule: string, isChecked: boolean): Candidate {
  return { at, atMs: at.epochMilliseconds, rule, isChecked };
}

function endOf(day: Temporal.PlainDate, zone: string): Temporal.ZonedDateTime {
  return day.add({ days: 1 }).toZonedDateTime({ timeZone: zone }).subtract({ milliseconds: 1 });
}

function localText(at: Temporal.ZonedDateTime): string {
  return at.toPlainDateTime().toString({ smallestUnit: "minute" });
}
