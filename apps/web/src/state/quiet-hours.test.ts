import { weekdays } from "@latchkey/client/own";
import { describe, expect, it } from "vitest";
import { everyDay, isSameEveryDay, minuteOf, timeOf, usualSpan, weekdayName, weekdaysFrom, withDay } from "./quiet-hours.ts";

describe("quiet hours in a form", () => {
  it("have the week begin where people there begin it", () => {
    expect(weekdaysFrom("de-DE")).toEqual(weekdays);
    expect(weekdaysFrom("en-US")[0]).toBe("sunday");
    expect(weekdaysFrom("fa-IR")[0]).toBe("saturday");
    for (const locale of ["de-DE", "en-US", "fa-IR"]) expect(weekdaysFrom(locale).toSorted()).toEqual(weekdays.toSorted());
  });

  it("name the days in the language", () => {
    expect(weekdays.map((day) => weekdayName(day, "en"))).toEqual(weekdays.map((day) => day[0]?.toUpperCase() + day.slice(1)));
    expect(weekdayName("monday", "de")).toBe("Montag");
  });

  it("are minutes, and times in fields; a field that is not filled in is none", () => {
    for (const minute of [0, 1, 59, 60, 719, 1439]) expect(minuteOf(timeOf(minute))).toBe(minute);
    expect(minuteOf("07:30:00")).toBe(450);
    for (const none of ["", "7:3", "24:00", "12:60", "x"]) expect(minuteOf(none)).toBeUndefined();
  });

  it("are set for one day, taken from it, and the same for all", () => {
    const monday = withDay({}, "monday", usualSpan);
    expect(monday).toEqual({ monday: usualSpan });
    expect(isSameEveryDay(monday)).toBe(false);
    expect(withDay(monday, "monday", undefined)).toEqual({});
    const all = everyDay(usualSpan);
    expect(Object.keys(all).toSorted()).toEqual(weekdays.toSorted());
    expect([isSameEveryDay(all), isSameEveryDay({})]).toEqual([true, true]);
    expect(isSameEveryDay(withDay(all, "sunday", { ...usualSpan, toMinute: 9 * 60 }))).toBe(false);
  });
});
