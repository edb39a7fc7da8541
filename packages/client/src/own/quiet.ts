import { CodecError, mapped, optional, struct, uint16, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { minutesOfDay, weekdays } from "../api/quiet.ts";
import type { QuietHours, QuietSpan } from "../api/quiet.ts";
import { ClientError } from "../errors.ts";

const minute: Codec<number> = mapped(
  uint16,
  (value) => value,
  (value) => {
    if (value >= minutesOfDay) throw new CodecError("invalid", "no day has so many minutes");
    return value;
  },
);
const days: Codec<(QuietSpan | undefined)[]> = vector(optional(struct<QuietSpan>({ fromMinute: minute, toMinute: minute })), {
  maxBytes: weekdays.length * 5,
});

/** Of each day of a week, from Monday on, its span or none. */
export const quietHoursCodec: Codec<QuietHours> = mapped(
  days,
  (hours: QuietHours) => weekdays.map((day) => hours[day]),
  (spans) => {
    if (spans.length !== weekdays.length) throw new CodecError("invalid", "a week has seven days");
    return Object.fromEntries(weekdays.flatMap((day, at) => (spans[at] === undefined ? [] : [[day, spans[at]]])));
  },
);

/** Quiet hours as a person may set them. @throws ClientError `invalid_setting` */
export function requireQuietHours(hours: QuietHours): QuietHours {
  const isMinute = (value: number): boolean => Number.isInteger(value) && value >= 0 && value < minutesOfDay;
  const isSpan = ([day, span]: [string, QuietSpan | undefined]): boolean =>
    weekdays.some((name) => name === day) && (span === undefined || (isMinute(span.fromMinute) && isMinute(span.toMinute)));
  if (Object.entries(hours).every((entry) => isSpan(entry))) return hours;
  throw new ClientError("invalid_setting", "Quiet hours are from and to, in minutes after midnight from 0 to 1,439, of monday to sunday.");
}
