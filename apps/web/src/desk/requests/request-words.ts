import type { DataCategory, RequestClock, RequestEvent, RequestIntake } from "@latchkey/client/desk";
import { locale, named, rowOf, t } from "../../messages/words.ts";
import { formatBytes, formatDate, formatDuration, formatFull, formatNumber, formatSpan } from "../../state/format.ts";

const minuteMs = 60_000;
const daySeconds = 86_400;

/** How a time stands: not come yet, soon, over. A `not-before` that is over is good; everything else then is late. */
export type ClockState = "open" | "soon" | "over" | "reached";

/** Within which what is due counts as soon. */
const soonMs = 48 * 60 * minuteMs;

export function clockState({ kind, atMs }: Pick<RequestClock, "kind" | "atMs">, nowMs: number): ClockState {
  if (nowMs >= atMs) return kind === "not-before" || kind === "secrecy-end" ? "reached" : "over";
  return kind !== "not-before" && kind !== "secrecy-end" && atMs - nowMs <= soonMs ? "soon" : "open";
}

/** How much of a time is left, or for how long it is over: "3 days 4 hours left". */
export function leftText(atMs: number, nowMs: number): string {
  const span = spanText(Math.floor(Math.abs(atMs - nowMs) / 1000));
  return nowMs >= atMs ? t("legal.over", { span }) : t("legal.left", { span });
}

/** In the two largest units, without one that is nought: "5 hours", not "5 hours 0 minutes". */
function spanText(seconds: number): string {
  const [rounded, large] = seconds >= daySeconds ? [seconds - (seconds % 3600), daySeconds] : [seconds - (seconds % 60), 3600];
  return rounded > 0 && rounded % large === 0 ? formatSpan(rounded) : formatDuration(seconds);
}

/** A time by the wall clock of the desk's zone, with the zone's name. */
export function zonedText({ atMs, zone }: Pick<RequestClock, "atMs" | "zone">): string {
  return t("legal.zoned", { time: formatFull(atMs, { timeZone: zone }), zone });
}

/** A day such as `2026-12-01` as a date; the text itself where it is none. */
export function dayWords(day: string): string {
  const atMs = Date.parse(`${day}T12:00:00Z`);
  return Number.isFinite(atMs) ? formatDate(atMs, { timeZone: "UTC" }) : day;
}

/** Kinds of data in a row. */
export function categoriesText(categories: readonly DataCategory[]): string {
  return categories.length === 0 ? t("legal.noCategories") : rowOf(categories.map((one) => t(`legal.category.${one}`)));
}

/** From when till when something is asked for. */
export function periodText(period: RequestIntake["period"]): string {
  const { fromDay, toDay } = period ?? {};
  if (fromDay !== undefined && toDay !== undefined) return t("legal.period.both", { from: dayWords(fromDay), to: dayWords(toDay) });
  if (fromDay !== undefined) return t("legal.period.from", { from: dayWords(fromDay) });
  return toDay === undefined ? t("legal.period.all") : t("legal.period.to", { to: dayWords(toDay) });
}

/** Who may say nothing, until when. */
export function secrecyText(secrecy: RequestIntake["secrecy"]): string {
  switch (secrecy.kind) {
    case "none":
      return t("legal.secrecy.none");
    case "until":
      return t("legal.secrecyUntil", { day: dayWords(secrecy.untilDay) });
    case "open":
      return t("legal.secrecyOpen", { day: dayWords(secrecy.reviewDay) });
  }
}

/** How long `P10D` is, in words: "10 days". The text itself where it is no duration that a table has. */
export function durationText(duration: string): string {
  const [, years, months, weeks, days, hours, minutes] =
    /^P(?!$)(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,4})M)?)?$/.exec(duration) ?? [];
  const parts = (
    [
      [years, "year"],
      [months, "month"],
      [weeks, "week"],
      [days, "day"],
      [hours, "hour"],
      [minutes, "minute"],
    ] as const
  ).flatMap(([count, unit]) =>
    count === undefined ? [] : [new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "long" }).format(Number(count))],
  );
  return parts.length === 0 ? duration : parts.join(" ");
}

/** What a line of a request's story says beside its kind: what somebody wrote, which letter, who was looked up, how it was approved. */
export function eventDetail({ kind, text = "" }: RequestEvent, { identifiers }: Pick<RequestIntake, "identifiers">): string {
  switch (kind) {
    case "letter":
      return named("legal.letter", text);
    case "verified":
      return named("legal.means", text);
    case "identified":
      return identifiers[Number(text) - 1]?.value ?? text;
    case "copy-given":
    case "copy-gone":
      return t("legal.title", { n: Number(text) });
    case "approved":
    case "released":
      return named("legal.rule", text);
    default:
      return text;
  }
}

/** Bytes that came, of how many: "1.2 MB of 3 MB (40 %)". */
export function progressText(hereBytes: number, sizeBytes: number): string {
  const percent = sizeBytes === 0 ? 100 : Math.floor((hereBytes / sizeBytes) * 100);
  return t("legal.progress", { here: formatBytes(hereBytes), size: formatBytes(sizeBytes), percent: formatNumber(percent) });
}
