import type { RequestCalendar, RequestClock, RequestIntake, RequestType } from "@latchkey/protocol/desk";
import { describe, expect, test } from "vitest";
import { clocksOf, nextDue } from "./clocks.ts";
import { endOfPeriod, isPeriod, isZone, localOf, timeOfLocal } from "./periods.ts";
import type { Reading } from "./periods.ts";
import { intakeOf } from "./requests.testing.ts";
import { requestTypes } from "./type-rows.ts";

const berlin: RequestCalendar = { zone: "Europe/Berlin", holidays: ["2026-12-25"] };
const at = (local: string, zone = "Europe/Berlin"): number => timeOfLocal(local, zone) ?? Number.NaN;

function end(from: string, period: string, reading: Reading, calendar: RequestCalendar = berlin): string {
  return localOf(endOfPeriod({ fromMs: at(from, calendar.zone), period, calendar, reading }).atMs, calendar.zone);
}

function row(id: string): RequestType {
  const found = requestTypes.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no row ${id}`);
  return found;
}

function clocks(
  type: string,
  parts: Partial<RequestIntake>,
  preservation?: { fromMs: number; extensions: number },
): readonly RequestClock[] {
  const intake = intakeOf({ type, receivedAtMs: at("2026-10-20T14:30"), ...parts });
  return clocksOf({ type: row(type), intake, calendar: berlin, ...(preservation === undefined ? {} : { preservation }) });
}

const local = (found: readonly RequestClock[], kind: RequestClock["kind"]): string | undefined =>
  found.find((one) => one.kind === kind)?.local;

describe("periods", () => {
  test("[F-6] ten days are not 240 hours where clocks change between", () => {
    // Summer time ends on 25 October 2026.
    expect(end("2026-10-20T14:30", "P10D", "earliest")).toBe("2026-10-30T14:30");
    expect(end("2026-10-20T14:30", "PT240H", "earliest")).toBe("2026-10-30T13:30");
    // And begins on 29 March 2026.
    expect(end("2026-03-25T14:30", "P10D", "earliest")).toBe("2026-04-04T14:30");
    expect(end("2026-03-25T14:30", "PT240H", "earliest")).toBe("2026-04-04T15:30");
  });

  test("[F-6] eight hours pass as hours, in the night when clocks change too", () => {
    expect(end("2026-10-25T00:30", "PT8H", "earliest")).toBe("2026-10-25T07:30");
    expect(end("2026-03-29T00:30", "PT8H", "earliest")).toBe("2026-03-29T09:30");
    expect(end("2026-11-02T23:00", "PT8H", "earliest")).toBe("2026-11-03T07:00");
    // The hour of receipt is not counted where it must not be before.
    expect(end("2026-11-02T23:10", "PT8H", "latest")).toBe("2026-11-03T08:00");
  });

  test("[F-6] a time of day that there is not, or that there is twice, is read as is stricter", () => {
    // 02:30 does not exist on 29 March; on 25 October it is twice.
    const gap = (reading: Reading): number =>
      endOfPeriod({ fromMs: at("2026-03-19T02:30"), period: "P10D", calendar: berlin, reading }).atMs;
    expect(localOf(gap("earliest"), "Europe/Berlin")).toBe("2026-03-29T01:30");
    const twice = endOfPeriod({ fromMs: at("2026-10-15T02:30"), period: "P10D", calendar: berlin, reading: "earliest" }).atMs;
    expect(new Date(twice).toISOString()).toBe("2026-10-25T00:30:00.000Z");
    expect(gap("latest")).toBeGreaterThan(gap("earliest"));
  });

  test("[F-6] the end of a month, and of a year, is a day that there is", () => {
    expect(end("2026-01-31T09:00", "P1M", "earliest")).toBe("2026-02-28T09:00");
    expect(end("2028-02-29T09:00", "P1Y", "earliest")).toBe("2029-02-28T09:00");
  });

  test("[F-6] what must not be before waits for the end of the last day, and on a free day for the next working day", () => {
    expect(end("2026-11-03T10:00", "P10D", "latest")).toBe("2026-11-13T23:59");
    // 14 November 2026 is a Saturday; 25 December a holiday of this calendar, and a Friday.
    expect(end("2026-11-04T10:00", "P10D", "latest")).toBe("2026-11-16T23:59");
    expect(end("2026-12-15T10:00", "P10D", "latest")).toBe("2026-12-28T23:59");
    expect(end("2026-12-15T10:00", "P10D", "latest", { ...berlin, holidays: [] })).toBe("2026-12-25T23:59");
    // What must be done is not put off by any of that.
    expect(end("2026-12-15T10:00", "P10D", "earliest")).toBe("2026-12-25T10:00");
  });

  test("[F-6] the same moment in another zone is another day", () => {
    const fromMs = Date.parse("2026-11-02T22:30:00Z");
    const ends = ["Europe/Berlin", "Asia/Tokyo", "America/New_York"].map((zone) => {
      const { atMs } = endOfPeriod({ fromMs, period: "P10D", calendar: { zone, holidays: [] }, reading: "latest" });
      return localOf(atMs, zone);
    });
    expect(ends).toEqual(["2026-11-12T23:59", "2026-11-13T23:59", "2026-11-12T23:59"]);
    expect(["UTC", "Pacific/Kiritimati", "Mars/Olympus", "", "../etc"].map(isZone)).toEqual([true, true, false, false, false]);
  });

  test("[F-6] a period is one that ends, and not in the past", () => {
    expect(["P10D", "PT8H", "P1M", "PT48H"].every(isPeriod)).toBe(true);
    const bad = ["P0D", "-P1D", "P1.5D", "PT0H", "P99Y", "PT", "P", "10", "P1DT1H", "PT99999H999"];
    expect(bad.filter(isPeriod)).toEqual([]);
  });
});

describe("clocks of a request", () => {
  test("[F-6] a European order without a notified authority: by the tenth day, nothing to wait for", () => {
    const found = clocks("eu-production-order", {});
    expect(local(found, "deadline")).toBe("2026-10-30T14:30");
    expect(local(found, "not-before")).toBeUndefined();
    expect(found.find(({ kind }) => kind === "deadline")).toMatchObject({ isChecked: true, zone: "Europe/Berlin" });
  });

  test("[F-6] with one that was notified data go out at the end of the tenth day: not before, not after; or when it has confirmed", () => {
    const notified = { name: "Parquet de Paris", country: "FR" };
    const waiting = clocks("eu-production-order", { notified });
    expect([local(waiting, "not-before"), local(waiting, "deadline")]).toEqual(["2026-10-30T23:59", "2026-10-30T23:59"]);
    const confirmedAtMs = at("2026-10-24T09:00");
    const confirmed = clocks("eu-production-order", { notified: { ...notified, confirmedAtMs } });
    expect([local(confirmed, "not-before"), local(confirmed, "deadline")]).toEqual(["2026-10-24T09:00", "2026-10-30T14:30"]);
  });

  test("[F-6] [F-13] an emergency: eight hours, nothing to wait for, validation and a follow-up after 48 hours", () => {
    const found = clocks("eu-production-order", { isEmergency: true, notified: { name: "Parquet", country: "FR" } });
    expect(found.map(({ kind, local: time }) => [kind, time])).toEqual([
      ["deadline", "2026-10-20T22:30"],
      ["validation", "2026-10-22T14:30"],
      ["follow-up", "2026-10-22T14:30"],
      ["secrecy-end", "2027-01-31T23:59"],
    ]);
  });

  test("[F-6] of the law's time and the authority's the stricter counts, and both are shown", () => {
    const sooner = clocks("eu-production-order", { deadlineAsked: "2026-10-27T12:00" });
    expect(local(sooner, "deadline")).toBe("2026-10-27T12:00");
    expect(sooner.find(({ kind }) => kind === "deadline")?.rule).toContain("P10D");
    expect(local(clocks("eu-production-order", { deadlineAsked: "2026-11-27T12:00" }), "deadline")).toBe("2026-10-30T14:30");
    // A law that states none.
    expect(local(clocks("us-subpoena", {}), "deadline")).toBeUndefined();
    expect(local(clocks("us-subpoena", { deadlineAsked: "2026-11-05T17:00" }), "deadline")).toBe("2026-11-05T17:00");
  });

  test("[F-6] a copy is kept as long as the law has it, extended as often as it may be", () => {
    const fromMs = at("2026-10-20T14:30");
    expect(local(clocks("eu-preservation-order", {}, { fromMs, extensions: 0 }), "preservation")).toBe("2026-12-19T14:30");
    expect(local(clocks("eu-preservation-order", {}, { fromMs, extensions: 1 }), "preservation")).toBe("2027-01-18T14:30");
    expect(local(clocks("us-preservation", {}, { fromMs, extensions: 1 }), "preservation")).toBe("2027-04-18T14:30");
  });

  test("[F-6] secrecy has an end or a day on which somebody looks again", () => {
    const open = clocks("us-subpoena", { secrecy: { kind: "open", reviewDay: "2027-01-18", basis: "2705(b)" } });
    expect(local(open, "secrecy-review")).toBe("2027-01-18T23:59");
    expect(nextDue(open)?.kind).toBe("secrecy-review");
    expect(clocks("us-subpoena", { secrecy: { kind: "none" } })).toEqual([]);
  });

  test("[F-6] what was not read in the law says so of every date counted by it", () => {
    const type = { ...row("national-order"), times: { deadline: "P5D" } };
    const [found] = clocksOf({ type, intake: intakeOf({ secrecy: { kind: "none" } }), calendar: berlin });
    expect(found).toMatchObject({ kind: "deadline", isChecked: false });
  });
});

describe("the table of types", () => {
  test("[F-6] each row has a source; what was checked says when; no id comes twice", () => {
    expect(new Set(requestTypes.map(({ id }) => id)).size).toBe(requestTypes.length);
    for (const { id, source, isChecked, checkedOn, times, preservation, secrecy } of requestTypes) {
      expect([id, source.length > 0, isChecked === (checkedOn !== undefined)]).toEqual([id, true, true]);
      const { isNotBeforeIfNotified: _, ...periods } = times;
      const all = [...Object.values(periods), ...(preservation === undefined ? [] : [preservation.period])];
      expect([id, all.filter((period) => !isPeriod(period))]).toEqual([id, []]);
      expect(secrecy.reviewDays).toBeLessThanOrEqual(90);
    }
  });

  test("[F-6] what the server cannot do has a row that says so", () => {
    const answers = Object.fromEntries(requestTypes.map(({ id, answer }) => [id, answer]));
    expect(answers).toMatchObject({
      "us-pen-register": "no-such-function",
      interception: "no-such-function",
      "us-warrant": "not-held",
      "dsa-order-to-act": "no-public-content",
      takedown: "no-public-content",
      "uk-capability-notice": "hold",
      "au-capability-notice": "hold",
      "gdpr-access": "rights-of-person",
    });
  });
});
