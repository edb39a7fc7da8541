import { formatDate } from "./format.ts";

const dayMs = 86_400_000;

/** A day, counted from 1970, as a date. */
export function dayText(day: number): string {
  return formatDate(day * dayMs + dayMs / 2, { timeZone: "UTC" });
}

/** Whether a day, itself included, is over. */
export function isPast(day: number, nowMs: number): boolean {
  return nowMs >= (day + 1) * dayMs;
}
