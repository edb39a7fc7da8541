import { locale, t } from "../messages/words.ts";

/** How times are written: a locale (that of the chosen language when absent) and zone (the system's when absent). */
export interface FormatContext {
  readonly locale?: string;
  readonly timeZone?: string;
}

const minuteMs = 60_000;
const dayMs = 86_400_000;
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(context: FormatContext, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const used = context.locale ?? locale();
  const key = JSON.stringify([used, context.timeZone, options]);
  const known = formatters.get(key);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat(used, {
    ...options,
    ...(context.timeZone === undefined ? {} : { timeZone: context.timeZone }),
  });
  formatters.set(key, made);
  return made;
}

/** Times beyond what dates can be (and what is no number at all) are written as this one. */
function sane(atMs: number): number {
  return Math.abs(atMs) <= 8.64e15 ? atMs : 0;
}

/** A time for the attribute `datetime`. */
export function isoTime(atMs: number): string {
  return new Date(sane(atMs)).toISOString();
}

/** A key that two moments of one calendar day share, such as `2026-11-23`. */
export function dayKey(atMs: number, context: FormatContext = {}): string {
  return formatter({ ...context, locale: "sv-SE" }, { year: "numeric", month: "2-digit", day: "2-digit" }).format(sane(atMs));
}

/** The beginning of a day that a field for dates holds, here; `undefined` where it holds none. */
export function dayOfInput(value: string): number | undefined {
  const [year, month, day] = /^\d{4,6}-\d{2}-\d{2}$/u.test(value) ? value.split("-").map(Number) : [];
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const atMs = new Date(year, month - 1, day).getTime();
  return Number.isFinite(atMs) ? atMs : undefined;
}

/** The time of day, such as `14:05`. */
export function formatTime(atMs: number, context: FormatContext = {}): string {
  return formatter(context, { hour: "2-digit", minute: "2-digit" }).format(sane(atMs));
}

/** Date and time in full, for a tooltip or a screen reader. */
export function formatFull(atMs: number, context: FormatContext = {}): string {
  return formatter(context, { dateStyle: "full", timeStyle: "short" }).format(sane(atMs));
}

/** A calendar date such as `23 November 2026`. */
export function formatDate(atMs: number, context: FormatContext = {}): string {
  return formatter(context, { dateStyle: "long" }).format(sane(atMs));
}

/** How long ago, up to a day; then the date, such as `on 23 November 2026`. */
export function formatAgo(atMs: number, nowMs: number, context: FormatContext = {}): string {
  const ageMs = nowMs - atMs;
  if (ageMs < minuteMs) return t("time.justNow");
  const relative = new Intl.RelativeTimeFormat(context.locale ?? locale() ?? "en", { numeric: "always" });
  if (ageMs < 60 * minuteMs) return relative.format(-Math.floor(ageMs / minuteMs), "minute");
  if (ageMs < dayMs) return relative.format(-Math.floor(ageMs / (60 * minuteMs)), "hour");
  return t("time.onDate", { date: formatDate(atMs, context) });
}

/** What is left of a time, such as `4:07`. */
export function formatLeft(leftMs: number): string {
  const seconds = Math.max(0, Math.ceil(sane(leftMs) / 1000));
  const two = new Intl.NumberFormat(locale(), { minimumIntegerDigits: 2 });
  return `${formatNumber(Math.floor(seconds / 60))}:${two.format(seconds % 60)}`;
}

/** The time in a list: relative up to an hour, the time of day today, then weekday, then date. */
export function formatListTime(atMs: number, nowMs: number, context: FormatContext = {}): string {
  const ageMs = nowMs - atMs;
  if (ageMs >= -minuteMs && ageMs < minuteMs) return t("time.now");
  if (ageMs > 0 && ageMs < 60 * minuteMs) return t("time.minutes", { n: Math.floor(ageMs / minuteMs) });
  const day = dayKey(atMs, context);
  if (day === dayKey(nowMs, context)) return formatTime(atMs, context);
  if (day === dayKey(nowMs - dayMs, context)) return t("time.yesterday");
  if (ageMs > 0 && ageMs < 6 * dayMs) return formatter(context, { weekday: "short" }).format(sane(atMs));
  return formatter(context, { day: "numeric", month: "short", ...yearWhenOther(atMs, nowMs, context) }).format(sane(atMs));
}

/** The words of a day separator: today, yesterday, weekday and date. */
export function formatDay(atMs: number, nowMs: number, context: FormatContext = {}): string {
  const day = dayKey(atMs, context);
  if (day === dayKey(nowMs, context)) return t("time.today");
  if (day === dayKey(nowMs - dayMs, context)) return t("time.yesterday");
  return formatter(context, { weekday: "long", day: "numeric", month: "long", ...yearWhenOther(atMs, nowMs, context) }).format(sane(atMs));
}

function yearWhenOther(atMs: number, nowMs: number, context: FormatContext): Intl.DateTimeFormatOptions {
  // By the calendar of the language: a year of Persian begins in March.
  const year = formatter(context, { year: "numeric" });
  return year.format(sane(atMs)) === year.format(sane(nowMs)) ? {} : { year: "numeric" };
}

/** A share such as `125 %`, of hundredths. */
export function formatPercent(hundredths: number, context: FormatContext = {}): string {
  return new Intl.NumberFormat(context.locale ?? locale(), { style: "percent" }).format(hundredths / 100);
}

/** A size such as `1.2 MB`. */
export function formatBytes(sizeBytes: number, context: FormatContext = {}): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  let value = Math.abs(sizeBytes) <= Number.MAX_SAFE_INTEGER ? sizeBytes : 0;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return new Intl.NumberFormat(context.locale ?? locale(), {
    style: "unit",
    unit: units[unit] ?? "byte",
    // "5 bytes", and "1.2 MB".
    unitDisplay: unit === 0 ? "long" : "short",
    maximumFractionDigits: value < 10 && unit > 0 ? 1 : 0,
  }).format(value);
}

/** A number, grouped. */
export function formatNumber(value: number): string {
  return new Intl.NumberFormat(locale()).format(value);
}

/** A number in a badge, of at most three digits. */
export function formatBadge(count: number): string {
  return count > 999 ? `${formatNumber(999)}+` : formatNumber(count);
}

const spanUnits = [
  [604_800, "week"],
  [86_400, "day"],
  [3600, "hour"],
  [60, "minute"],
  [1, "second"],
] as const;

function formatUnit(value: number, unit: "week" | "day" | "hour" | "minute" | "second"): string {
  return new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "long" }).format(value);
}

/** "30 seconds", "5 minutes", "8 hours", "4 weeks": in the largest unit that it is a whole number of. */
export function formatSpan(seconds: number): string {
  const [size, unit] = spanUnits.find(([of]) => seconds % of === 0) ?? ([1, "second"] as const);
  return formatUnit(seconds / size, unit);
}

/** How long something has run, in its two largest units: "1 day 1 hour". */
export function formatDuration(seconds: number): string {
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor((seconds % 86_400) / 3600), Math.floor((seconds % 3600) / 60)];
  if (days > 0) return `${formatUnit(days, "day")} ${formatUnit(hours, "hour")}`;
  return hours > 0 ? `${formatUnit(hours, "hour")} ${formatUnit(minutes, "minute")}` : formatUnit(minutes, "minute");
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** One or two letters for an avatar without a picture. */
export function initials(name: string): string {
  const parts = name.split(/[\s._@-]+/u).filter((part) => /[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(part));
  const first = firstGrapheme(parts[0] ?? name);
  const last = parts.length > 1 ? firstGrapheme(parts.at(-1) ?? "") : "";
  // Arabic letters side by side would join into something else than two initials.
  return (/\p{Script=Arabic}/u.test(first) ? first : first + last).toLocaleUpperCase();
}

function firstGrapheme(text: string): string {
  for (const { segment } of segmenter.segment(text)) {
    if (/[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(segment)) return segment;
  }
  return "";
}

/** The number of colours that avatars have. */
export const avatarColours = 10;

/** Which avatar colour an id has: the same on every device. */
export function avatarColour(id: string): number {
  let hash = 2_166_136_261;
  for (let index = 0; index < id.length; index += 1) hash = Math.imul(hash ^ id.charCodeAt(index), 16_777_619);
  return (hash >>> 0) % avatarColours;
}

/** The name of a country of two letters, in the person's language; the letters where it has none. */
export function countryName(code: string): string {
  return displayName("region", code, /^[A-Z]{2}$/);
}

/** The name of a language of two letters. */
export function languageName(code: string): string {
  return displayName("language", code, /^[a-z]{2}$/);
}

function displayName(type: "region" | "language", code: string, pattern: RegExp): string {
  return pattern.test(code) ? (new Intl.DisplayNames(locale(), { type, fallback: "code" }).of(code) ?? code) : code;
}
