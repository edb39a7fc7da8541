import type { ShownTimer } from "@latchkey/client";
import { locale } from "../messages/words.ts";

/** A year and a day: no timer is longer (spec X-7). */
export const maxTimerS = 31_622_400;

/** In seconds. */
export const timerUnits = { second: 1, minute: 60, hour: 3600, day: 86_400, week: 604_800 } as const;
export type TimerUnit = keyof typeof timerUnits;

const largestFirst = (["week", "day", "hour", "minute", "second"] as const).map((unit) => [timerUnits[unit], unit] as const);

/** What a unit of time is called. */
export function unitName(unit: TimerUnit): string {
  const field = unit === "week" ? "weekOfYear" : unit;
  return new Intl.DisplayNames(locale(), { type: "dateTimeField" }).of(field) ?? unit;
}

/**
 * How long a message stays still, rounded up to its unit: the largest of which there are two, or that it is a whole number of. Before that is counted,
 * how long it is to stay. In seconds, at least one.
 */
export function leftIn({ goesAtMs, isRunning, seconds = Number.POSITIVE_INFINITY }: ShownTimer, nowMs: number): number {
  if (!isRunning) return seconds;
  const left = Math.min(seconds, Math.max(1, Math.ceil((goesAtMs - nowMs) / 1000)));
  const [size] = largestFirst.find(([of]) => left % of === 0 || left >= 2 * of) ?? [1];
  return Math.ceil(left / size) * size;
}

/** "5m", "8h", "4w" in the words of the language, as short as it has them. */
export function formatLeftShort(seconds: number): string {
  const [size, unit] = largestFirst.find(([of]) => seconds >= of && seconds % of === 0) ?? [1, "second"];
  return new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "narrow" }).format(seconds / size);
}

/** When to look again at what is left, so that what is shown is never wrong by more than a twentieth: milliseconds. */
export function nextLookMs(leftMs: number): number {
  return Math.min(Math.max(1000, leftMs / 20), 3_600_000);
}
