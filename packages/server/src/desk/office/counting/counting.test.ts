import { decode } from "@latchkey/codec";
import {
  batchDueMs,
  checkReceipt,
  countValueCodec,
  openingDueMs,
  parsePeriod,
  periodStartMs,
  summarize,
  verifyCountLog,
  verifyPeriod,
} from "@latchkey/counts";
import type { CountReceipt, CountValue, Period, PeriodReport } from "@latchkey/counts";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dayMs } from "../../../days.ts";
import { temporaryDirectory } from "../../../testing/fixtures.ts";
import { deskDatabaseFile, openDeskDatabase } from "../database.ts";
import { dismissal, host, newReport, person, TestDesk } from "../office.testing.ts";
import type { Colleague } from "../office.testing.ts";
import { CountTable } from "./count-table.ts";
import { Counts, notSecret } from "./counts.ts";
import type { NewCount } from "./counts.ts";
import { ValueTable } from "./value-table.ts";

const weekly = { everyDays: 7, hour: 4, slots: 4, sealed: 1, openingDays: 30, delayPeriods: 0, smallNumber: 2, band: "none" } as const;
const arrival: NewCount = {
  kind: "arrival",
  of: "request",
  type: "eu-epoc",
  country: "DE",
  accounts: 1,
  categories: ["subscriber"],
  isEmergency: false,
  secrecy: notSecret,
};

/** Lets the desk's clock go on, and waits until what that brings is done. */
async function tickAt(desk: TestDesk, nowMs: number): Promise<void> {
  desk.nowMs = nowMs;
  desk.world.counted.nowMs = nowMs;
  desk.office.tick({ nowMs, isDoubted: false, passedMs: 1000 });
  await desk.idle();
}

/** A desk that counts weekly from the beginning of a half-year on. */
async function begin(period: Period, choice: Partial<typeof weekly> | object = {}): Promise<{ desk: TestDesk; administrator: Colleague }> {
  const desk = await TestDesk.begin();
  desk.nowMs = periodStartMs(period) - 20 * dayMs;
  const administrator = await desk.colleague("Ada", ["administrator", "moderator"]);
  await administrator.ask("counts-policy-set", { policy: { ...weekly, ...choice } });
  await tickAt(desk, desk.nowMs);
  await tickAt(desk, periodStartMs(period) - 4 * dayMs);
  await tickAt(desk, batchDueMs(weekly, period, 0) + 1000);
  return { desk, administrator };
}

/** Counts something as what happens at the desk does, beside the running one. */
function record(desk: TestDesk, ref: string, count: NewCount, nowMs: number): CountReceipt {
  return withCounts(desk, (counts) => counts.record(ref, count, nowMs));
}

function withCounts<Result>(desk: TestDesk, use: (counts: Counts) => Result): Result {
  const { sql, close } = openDeskDatabase(desk.directory);
  try {
    return use(new Counts({ table: new CountTable(sql), values: new ValueTable(sql), host }));
  } finally {
    close();
  }
}

async function weeksOf(desk: TestDesk, period: Period): Promise<void> {
  for (let week = 0; week < 26; week++) await tickAt(desk, batchDueMs(weekly, period, week) + 60_000);
}

async function look(desk: TestDesk, period: Period, number = 0): Promise<PeriodReport> {
  const log = desk.office.counts({ kind: "log", period });
  if (log === undefined) throw new Error("there is a log");
  const values = await verifyCountLog(log, await desk.world.counted.tree());
  const opening = number === 0 ? undefined : desk.office.counts({ kind: "opening", period, number });
  const before = number < 2 ? undefined : desk.office.counts({ kind: "opening", period, number: number - 1 });
  return verifyPeriod({ host, period, values, opening, before, nowMs: desk.nowMs });
}

const valuesOf = (desk: TestDesk): readonly CountValue[] => desk.world.counted.values.map(({ value }) => decode(countValueCodec, value));
const period = parsePeriod("2027-1") ?? 0;

describe("counting at the desk", () => {
  test("[K-1] counting begins once the desk is in the public record, with the next hour, and each half-year is announced ahead", async () => {
    const desk = await TestDesk.begin();
    await tickAt(desk, Date.UTC(2026, 9, 5, 12));
    expect(valuesOf(desk)).toEqual([]);
    await desk.colleague("Ada", ["administrator"]);
    await tickAt(desk, Date.UTC(2026, 9, 5, 12));
    const [first] = valuesOf(desk);
    expect(first).toMatchObject({
      kind: "policy",
      policy: { period: parsePeriod("2026-2"), firstBatch: 97, everyDays: 1, slots: 8, sealed: 2 },
    });
    await tickAt(desk, Date.UTC(2026, 9, 6, 3, 59));
    expect(valuesOf(desk)).toHaveLength(1);
    await tickAt(desk, Date.UTC(2026, 9, 6, 4));
    expect(valuesOf(desk).at(-1)).toMatchObject({ kind: "batch", batch: 97 });
    // Many at once are made in several rounds.
    for (let round = 0; round < 3; round++) await tickAt(desk, Date.UTC(2026, 11, 18, 1));
    expect(valuesOf(desk).findLast(({ kind }) => kind === "policy")).toMatchObject({ policy: { period, firstBatch: 0 } });
    expect((await look(desk, parsePeriod("2026-2") ?? 0)).findings.every(({ kind }) => kind === "batch_late")).toBe(true);
  });

  test("[F-9] what happens at the desk stands in the public count half a year later, and nothing before", async () => {
    const { desk, administrator } = await begin(period);
    const accused = person();
    desk.nowMs += dayMs;
    const number = desk.office.report(newReport(accused), desk.nowMs);
    const found = await administrator.ask("case-get", { number });
    await administrator.ask("case-decide", { cases: [{ number, revision: found.case.revision }], decision: dismissal });
    const receipts = ["DE", "DE", "FR"].map((country, at) => record(desk, `request:${at}`, { ...arrival, country }, desk.nowMs));
    const secret = record(desk, "request:9", { ...arrival, country: "DE", secrecy: { kind: "open" } }, desk.nowMs);
    await weeksOf(desk, period);
    const before = await look(desk, period);
    expect(before).toMatchObject({ batches: 26, due: 26, opening: 0, findings: [] });
    expect(desk.office.counts({ kind: "opening", period, number: 1 })).toBeUndefined();
    expect(receipts.map((one) => checkReceipt(one, before))).toEqual(["waiting", "waiting", "waiting"]);
    const placed = withCounts(desk, (counts) => ["request:0", "request:9"].flatMap((ref) => counts.receipts(ref)));
    expect(placed.map((one) => checkReceipt(one, before))).toEqual(["counted", "counted"]);

    await tickAt(desk, openingDueMs(weekly, period) + 60_000);
    const report = await look(desk, period, 1);
    expect(report.findings).toEqual([]);
    expect(report.sealed).toBe(26);
    const [requests, notices] = summarize(report);
    expect(requests).toMatchObject({ arrivals: { least: 3, most: 3 }, countries: [{ name: "DE" }, { name: "" }] });
    expect(notices).toMatchObject({ types: [{ name: "harassment" }], results: [{ name: "dismiss" }], median: "0-1" });
    expect(receipts.map((one) => checkReceipt(one, report))).toEqual(["open", "open", "open"]);
    expect(placed.map((one) => checkReceipt(one, report))).toEqual(["open", "sealed"]);
    expect(checkReceipt(secret, report)).toBe("sealed");
    // Of what stays sealed for now the salt is there, of dummies nothing: their seed is gone.
    const { sql, close } = openDeskDatabase(desk.directory);
    expect(new CountTable(sql).seed(period)).toBeUndefined();
    close();
    expect(desk.bugs).toEqual([]);
  });

  test("[K-2] more than a batch takes waits for the next, secret and other apart, and a receipt says by when", async () => {
    const { desk } = await begin(period);
    const atMs = desk.nowMs;
    const others = Array.from({ length: 5 }, (_, at) => record(desk, `request:${at}`, arrival, atMs));
    const secret = Array.from({ length: 2 }, (_, at) => record(desk, `request:s${at}`, { ...arrival, secrecy: { kind: "open" } }, atMs));
    // One slot of two is a report's, where one waits: a request is promised the other, and comes sooner.
    expect([...others, ...secret].map(({ batch }) => batch)).toEqual([1, 2, 3, 4, 5, 1, 2]);
    await weeksOf(desk, period);
    await tickAt(desk, openingDueMs(weekly, period) + 60_000);
    const report = await look(desk, period, 1);
    expect(report.findings).toEqual([]);
    expect(others.map((one) => checkReceipt(one, report))).toEqual(others.map(() => "open"));
    expect(secret.map((one) => checkReceipt(one, report))).toEqual(["sealed", "sealed"]);
    expect(report.arrivals.map(({ batch }) => batch)).toEqual([1, 1, 2, 2, 3]);
  });

  test("[K-2] reports without end push no request into a later batch, and requests without end no report for ever; each comes by when its receipt says", async () => {
    const { desk } = await begin(period);
    const atMs = desk.nowMs;
    const of = (kind: "request" | "notice", count: number): readonly CountReceipt[] =>
      Array.from({ length: count }, (_, at) =>
        record(desk, `${kind === "request" ? "request" : "case"}:${at}`, { ...arrival, of: kind }, atMs),
      );
    const reports = of("notice", 30);
    const requests = of("request", 4);
    expect(reports.map(({ period: by, batch }) => [by - period, batch]).slice(23, 26)).toEqual([
      [0, 24],
      [0, 25],
      // There are 26 batches: what no batch is sure to have room for comes in the half-year after.
      [1, expect.any(Number)],
    ]);
    expect(requests.map(({ batch }) => batch)).toEqual([1, 2, 3, 4]);
    await weeksOf(desk, period);
    await tickAt(desk, openingDueMs(weekly, period) + 60_000);
    const report = await look(desk, period, 1);
    expect(report.findings).toEqual([]);
    expect(requests.map((one) => checkReceipt(one, report))).toEqual(requests.map(() => "open"));
    expect(report.arrivals.filter(({ record: { of: kind } }) => kind === "request").map(({ batch }) => batch)).toEqual([1, 2, 3, 4]);
    expect(reports.filter(({ period: by }) => by === period).map((one) => checkReceipt(one, report))).toEqual(
      reports.slice(0, 25).map(() => "open"),
    );
  });

  test("[K-2] batches that a server missed come when it is back, one after the other, and the log says how late", async () => {
    const { desk } = await begin(period);
    await desk.restart();
    await tickAt(desk, batchDueMs(weekly, period, 5) + 3_600_000);
    const report = await look(desk, period);
    expect(report).toMatchObject({ batches: 6, due: 6 });
    expect(report.findings.map(({ kind, batch }) => `${kind} ${batch}`)).toEqual([1, 2, 3, 4, 5].map((batch) => `batch_late ${batch}`));
    expect(desk.bugs).toEqual([]);
  });

  test("[K-2] what could not be published, or was and nobody heard of it, is published once", async () => {
    const { desk } = await begin(period);
    desk.world.counted.failure = new Error("no room");
    await tickAt(desk, batchDueMs(weekly, period, 1));
    expect(desk.bugs).toHaveLength(1);
    desk.world.counted.failure = undefined;
    const { counts } = desk.world;
    // Published, and the answer was lost with the server.
    desk.world.counts = async (params): Promise<never> => {
      if (params.value !== undefined) await counts(params);
      throw new Error("the server ended");
    };
    await tickAt(desk, batchDueMs(weekly, period, 1));
    desk.world.counts = counts;
    await desk.restart();
    await tickAt(desk, batchDueMs(weekly, period, 2));
    const batches = valuesOf(desk).flatMap((value) => (value.kind === "batch" && value.period === period ? [value.batch] : []));
    expect(batches).toEqual([0, 1, 2]);
    expect((await look(desk, period)).findings).toEqual([]);
  });

  test("[K-2] a database that was put back passes over the batches that the record has already, and everybody sees which it lost", async () => {
    const { desk } = await begin(period);
    await tickAt(desk, batchDueMs(weekly, period, 1));
    desk.close();
    const copy = join(temporaryDirectory(), "copy");
    copyFileSync(join(desk.directory, deskDatabaseFile), copy);
    await desk.restart();
    record(desk, "request:1", arrival, desk.nowMs);
    for (const week of [2, 3, 4]) await tickAt(desk, batchDueMs(weekly, period, week));
    desk.close();
    copyFileSync(copy, join(desk.directory, deskDatabaseFile));
    await desk.restart();
    for (let week = 5; week < 26; week++) await tickAt(desk, batchDueMs(weekly, period, week) + 1000);
    await tickAt(desk, openingDueMs(weekly, period) + 1000);
    const report = await look(desk, period, 1);
    const found = report.findings.map(({ kind, batch }) => `${kind} ${batch}`);
    expect(found.filter((one) => one.startsWith("batch_lost"))).toEqual(["batch_lost 4"]);
    expect(found.some((one) => one.startsWith("batch_doubled"))).toBe(false);
    const { entries } = await (await desk.again("Ada")).ask("trail-list", { after: 0 }).catch(() => ({ entries: [] }));
    expect(entries.some(({ act }) => act === "counts lost")).toBe(true);
  });

  test("[K-2] a database that was put back to before a policy goes on counting in the half-year that it is for", async () => {
    const { desk } = await begin(period);
    for (let week = 0; week < 22; week++) await tickAt(desk, batchDueMs(weekly, period, week) + 1000);
    desk.close();
    const copy = join(temporaryDirectory(), "copy");
    copyFileSync(join(desk.directory, deskDatabaseFile), copy);
    await desk.restart();
    for (const week of [22, 23]) await tickAt(desk, batchDueMs(weekly, period, week) + 1000);
    // The newest value is the policy.
    await tickAt(desk, periodStartMs(period + 1) - 14 * dayMs + 1000);
    expect(valuesOf(desk).at(-1)?.kind).toBe("policy");
    desk.close();
    copyFileSync(copy, join(desk.directory, deskDatabaseFile));
    await desk.restart();
    for (const week of [0, 1]) await tickAt(desk, batchDueMs(weekly, period + 1, week) + 1000);
    const batchesOf = (of: Period): readonly number[] =>
      valuesOf(desk).flatMap((value) => (value.kind === "batch" && value.period === of ? [value.batch] : []));
    expect(batchesOf(period + 1)).toEqual([0, 1]);
    // Those that came before the policy were lost with it, and none comes twice.
    expect(batchesOf(period)).toEqual(Array.from({ length: 26 }, (_, at) => at));
  });

  test("[K-4] [E-252] a secrecy that ended is cleared by an administrator and opened half a year later; one that never ends stays sealed, and nothing of it is kept", async () => {
    const { desk, administrator } = await begin(period);
    const atMs = desk.nowMs;
    record(desk, "request:1", { ...arrival, secrecy: { kind: "until", period: period + 1 } }, atMs);
    record(desk, "request:2", { ...arrival, secrecy: { kind: "open" } }, atMs);
    const { sealed } = await administrator.ask("counts-list", { after: 0 });
    expect(sealed).toMatchObject([{ of: "request:1", what: "arrival", isNever: false }, { of: "request:2" }]);
    await weeksOf(desk, period);
    const [first, second] = sealed;
    await administrator.ask("counts-clear", { id: first?.id ?? 0, document: "order 7/27 of 1 June" });
    await administrator.ask("counts-clear", { id: second?.id ?? 0, isNever: true });
    await tickAt(desk, openingDueMs(weekly, period) + 1000);
    expect((await look(desk, period, 1)).arrivals).toEqual([]);
    expect(await administrator.refusal("counts-clear", { id: second?.id ?? 0, document: "x" })).toBe("not_found");
    for (let week = 0; week < 26; week++) await tickAt(desk, batchDueMs(weekly, period + 1, week) + 1000);
    await tickAt(desk, openingDueMs(weekly, period, 2) + 1000);
    const report = await look(desk, period, 2);
    expect(report.findings).toEqual([]);
    expect(report.arrivals).toHaveLength(1);
    expect(report.sealed).toBe(25);
    expect(await administrator.refusal("counts-clear", { id: first?.id ?? 0, document: "again" })).toBe("changed");
    expect((await look(desk, period + 1, 1)).findings.filter(({ kind }) => kind !== "batch_late")).toEqual([]);
  });

  test("[K-1] a policy is an administrator's to choose, for half-years that are not announced yet", async () => {
    const { desk, administrator } = await begin(period);
    const auditor = await desk.colleague("Bo", ["auditor"]);
    expect(await auditor.refusal("counts-policy-get", {})).toBe("not_allowed");
    expect(await administrator.ask("counts-policy-get", {})).toMatchObject({ next: weekly, nextPeriod: "2027-2" });
    for (const wrong of [{ slots: 5 }, { sealed: 3 }, { band: "250-499" }, { everyDays: 3 }, { openingDays: 0 }, { hour: 24 }])
      expect(await administrator.refusal("counts-policy-set", { policy: { ...weekly, ...wrong } as never })).toBe("malformed");
    await administrator.ask("counts-policy-set", { policy: { ...weekly, sealed: 2, band: "0-249 a half-year" } });
    const after = await administrator.ask("counts-policy-get", {});
    expect(after).toMatchObject({ next: { sealed: 2, band: "0-249 a half-year" }, nextPeriod: "2027-2" });
    expect(valuesOf(desk)).toContainEqual(expect.objectContaining({ policy: expect.objectContaining({ period, sealed: 1 }) as unknown }));
    await tickAt(desk, periodStartMs(period + 1) - dayMs);
    expect(valuesOf(desk).findLast(({ kind }) => kind === "policy")).toMatchObject({
      policy: { period: period + 1, sealed: 2, band: "0-249 a half-year" },
    });
  });

  test("[K-4] what is to be secret after it was counted is sealed while its batch has room, and refused where it cannot be hidden", async () => {
    const { desk } = await begin(period);
    const atMs = desk.nowMs;
    const [one, two] = [1, 2].map((at) => record(desk, `request:${at}`, arrival, atMs));
    await weeksOf(desk, period);
    withCounts(desk, (counts) => {
      expect(counts.seal("request:1")).toBe(true);
      expect(counts.seal("request:2")).toBe(false);
    });
    await tickAt(desk, openingDueMs(weekly, period) + 1000);
    const report = await look(desk, period, 1);
    expect(report.findings).toEqual([]);
    expect([one, two].map((receipt) => (receipt === undefined ? "" : checkReceipt(receipt, report)))).toEqual(["sealed", "open"]);
    withCounts(desk, (counts) => expect(counts.seal("request:2")).toBe(false));
  });

  test("[K-1] while the clock is doubted nothing is counted, published or erased", async () => {
    const { desk } = await begin(period);
    const published = desk.world.counted.values.length;
    desk.office.tick({ nowMs: openingDueMs(weekly, period), isDoubted: true, passedMs: 1000 });
    await desk.idle();
    expect(desk.world.counted.values).toHaveLength(published);
  });
});
