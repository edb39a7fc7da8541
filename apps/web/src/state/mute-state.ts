import type { OwnSettings } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { dayKey, formatFull, formatTime } from "./format.ts";

const dayMs = 86_400_000;

/** Until when a conversation is muted, in words. */
export function muteState(mutedUntil: OwnSettings["mutedUntil"], nowMs: number): string {
  return typeof mutedUntil === "number" ? t("own.until", { time: whenEnds(mutedUntil, nowMs) }) : t("notifications.always");
}

/** When something ends: the time alone where that is today. */
export function whenEnds(untilMs: number, nowMs: number): string {
  const time = formatTime(untilMs);
  if (dayKey(untilMs) === dayKey(nowMs)) return time;
  return dayKey(untilMs) === dayKey(nowMs + dayMs) ? t("own.tomorrow", { time }) : formatFull(untilMs);
}
