import { weekdays } from "@latchkey/client/own";
import type { QuietHours, QuietSpan, Weekday } from "@latchkey/client";

/** What a day begins with that becomes a quiet one. */
export const usualSpan: QuietSpan = { fromMinute: 22 * 60, toMinute: 7 * 60 };

/** The days in the order of a calendar of that place: a week begins on Saturday, Sunday or Monday. */
export function weekdaysFrom(locale: string | undefined): readonly Weekday[] {
  const first = firstDay(locale);
  return [...weekdays.slice(first - 1), ...weekdays.slice(0, first - 1)];
}

/** 1 for Monday to 7 for Sunday; Monday where the browser does not tell. */
function firstDay(locale: string | undefined): number {
  const of = new Intl.Locale(locale ?? new Intl.DateTimeFormat().resolvedOptions().locale);
  const read: unknown = Reflect.get(of, "getWeekInfo");
  const info: unknown = typeof read === "function" ? Reflect.apply(read, of, []) : Reflect.get(of, "weekInfo");
  const first: unknown = typeof info === "object" && info !== null ? Reflect.get(info, "firstDay") : undefined;
  return typeof first === "number" && first >= 1 && first <= weekdays.length ? first : 1;
}

/** A day's name in that language. */
export function weekdayName(day: Weekday, locale: string | undefined): string {
  // The fifth of January 2026 was a Monday.
  return new Intl.DateTimeFormat(locale, { weekday: "long", timeZone: "UTC" }).format(Date.UTC(2026, 0, 5 + weekdays.indexOf(day)));
}

/** Minutes after midnight as a field for times has them, such as `07:30`. */
export function timeOf(minute: number): string {
  return [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, "0")).join(":");
}

/** What a field for times has, in minutes after midnight; `undefined` while it is not filled in. */
export function minuteOf(time: string): number | undefined {
  const [, hours, minutes] = /^(\d\d):(\d\d)/u.exec(time) ?? [];
  if (hours === undefined || minutes === undefined || Number(hours) > 23 || Number(minutes) > 59) return undefined;
  return Number(hours) * 60 + Number(minutes);
}

/** The hours with one day's span set, or without it. */
export function withDay(hours: QuietHours, day: Weekday, span: QuietSpan | undefined): QuietHours {
  const { [day]: _, ...others } = hours;
  return span === undefined ? others : { ...others, [day]: span };
}

/** The span of one day on all days. */
export function everyDay(span: QuietSpan): QuietHours {
  return Object.fromEntries(weekdays.map((day) => [day, span]));
}

/** Whether all days have the same span. */
export function isSameEveryDay(hours: QuietHours): boolean {
  const [first] = weekdays.map((day) => hours[day]);
  return weekdays.every((day) => hours[day]?.fromMinute === first?.fromMinute && hours[day]?.toMinute === first?.toMinute);
}
