import type { RequestSecrecy } from "@latchkey/protocol/desk";
import { endOfDay } from "../periods.ts";

/** Days after the end of a secrecy in which it may be extended before anybody is told (rule F-8). */
export const extensionDays = 2;

/**
 * When the person is told of what was given out about them, milliseconds since 1970; `undefined` while nobody knows. Pure.
 * @param endedMs when a secrecy was taken back; absent where there was none
 */
export function noticeDueMs(params: {
  secrecy: RequestSecrecy;
  releasedMs: number;
  endedMs: number | undefined;
  zone: string;
}): number | undefined {
  const { secrecy, releasedMs, endedMs, zone } = params;
  if (secrecy.kind === "open") return undefined;
  const endMs = secrecy.kind === "until" ? endOfDay(secrecy.untilDay, zone) : endedMs;
  if (endMs === undefined) return releasedMs;
  const extended = Temporal.Instant.fromEpochMilliseconds(endMs).toZonedDateTimeISO(zone).add({ days: extensionDays });
  return Math.max(releasedMs, extended.epochMilliseconds);
}
