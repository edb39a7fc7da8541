/** A day in milliseconds. */
export const dayMs = 86_400_000;

/** The day of a time, in days since 1970-01-01. */
export function dayOf(timeMs: number): number {
  return Math.floor(timeMs / dayMs);
}

/** `2026-11-28` of a day in days since 1970. */
export function dayText(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}

/** `2026-11-28 12:00 UTC` of a time. */
export function minuteText(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** A span of time in words: minutes, hours or days. */
export function spanText(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 120) return `${String(minutes)} minutes`;
  const hours = Math.round(minutes / 60);
  return hours < 72 ? `${String(hours)} hours` : `${String(Math.round(hours / 24))} days`;
}

/** The day that `dayText` writes so; `undefined` where it is none. */
export function parseDay(text: string): number | undefined {
  const timeMs = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return Number.isFinite(timeMs) ? dayOf(timeMs) : undefined;
}
