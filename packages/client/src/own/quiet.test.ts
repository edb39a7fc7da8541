import { decode, encode, concatBytes } from "@latchkey/codec";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { minutesOfDay, quietUntil, weekdays } from "../api/quiet.ts";
import type { QuietHours, QuietSpan } from "../api/quiet.ts";
import { unpackFacts } from "./facts.ts";
import { quietHoursCodec, requireQuietHours } from "./quiet.ts";

const night: QuietSpan = { fromMinute: 22 * 60, toMinute: 7 * 60 };
/** 23 November 2026 is a Monday. */
const at = (day: number, hour: number, minute = 0): number => new Date(2026, 10, 22 + day, hour, minute).getTime();

describe("[X-18] quiet hours", () => {
  test("begin on their day by the clock where the person is, and end on the day after where they end no later than they begin", () => {
    const hours: QuietHours = { monday: night, wednesday: { fromMinute: 13 * 60, toMinute: 14 * 60 } };
    expect(quietUntil(hours, at(1, 21, 59))).toBeUndefined();
    expect(quietUntil(hours, at(1, 22))).toBe(at(2, 7));
    expect(quietUntil(hours, at(2, 6, 59))).toBe(at(2, 7));
    expect(quietUntil(hours, at(2, 7))).toBeUndefined();
    expect(quietUntil(hours, at(2, 23))).toBeUndefined();
    expect(quietUntil(hours, at(3, 13, 30))).toBe(at(3, 14));
    // The night before Monday is Sunday's.
    expect(quietUntil(hours, at(1, 3))).toBeUndefined();
    expect(quietUntil({ sunday: night }, at(1, 3))).toBe(at(1, 7));
    expect(quietUntil({}, at(1, 3))).toBeUndefined();
  });

  test("that follow one another are one; a day from midnight to midnight is a whole one", () => {
    const all: QuietSpan = { fromMinute: 0, toMinute: 0 };
    expect(quietUntil({ saturday: all, sunday: { fromMinute: 0, toMinute: 9 * 60 } }, at(6, 12))).toBe(at(7, 9));
    // Always quiet has no end, and is asked about again.
    const always = Object.fromEntries(weekdays.map((day) => [day, all]));
    expect(quietUntil(always, at(1, 12))).toBeGreaterThanOrEqual(at(8, 0));
  });

  test("whatever they are, an end is in the future", () => {
    const minute = fc.integer({ min: 0, max: minutesOfDay - 1 });
    const span = fc.option(fc.record({ fromMinute: minute, toMinute: minute }), { nil: undefined });
    fc.assert(
      fc.property(fc.array(span, { minLength: 7, maxLength: 7 }), fc.integer({ min: 0, max: 4e12 }), (spans, nowMs) => {
        const hours = Object.fromEntries(weekdays.flatMap((day, index) => (spans[index] === undefined ? [] : [[day, spans[index]]])));
        const untilMs = quietUntil(hours, nowMs);
        if (untilMs !== undefined) expect(untilMs).toBeGreaterThan(nowMs);
        expect(decode(quietHoursCodec, encode(quietHoursCodec, hours))).toEqual(hours);
      }),
    );
  });

  test("that cannot be are not set, and passed over where another device says them", () => {
    for (const hours of [{ monday: { fromMinute: 0, toMinute: 1440 } }, { monday: { fromMinute: -1, toMinute: 5 } }, { someday: night }])
      expect(() => requireQuietHours(hours as QuietHours)).toThrow("Quiet hours are from and to");
    const week = encode(quietHoursCodec, { monday: night });
    const fact = concatBytes(new Uint8Array([9]), week);
    const listed = (bytes: Uint8Array): Uint8Array => {
      const one = concatBytes(new Uint8Array([bytes.length]), bytes);
      return concatBytes(new Uint8Array([one.length]), one);
    };
    expect(unpackFacts(listed(fact))).toEqual([{ kind: "quiet", hours: { monday: night } }]);
    // A span of a minute that no day has, and a week of six days.
    const late = fact.slice();
    late.set([0x05, 0xa0], fact.findIndex((byte, index) => index > 1 && byte === 1) + 1);
    expect(unpackFacts(listed(late))).toEqual([]);
    const short = fact.slice(0, -1);
    short[1] = (short[1] ?? 0) - 1;
    expect(unpackFacts(listed(short))).toEqual([]);
  });
});
