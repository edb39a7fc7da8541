import { batchDueMs, batchesIn, openingDueMs, periodOf, periodStartMs, periodText } from "@latchkey/counts";
import type { CountReceipt, Period } from "@latchkey/counts";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { dayMs } from "../days.ts";
import type { ServerOptions } from "../config.ts";
import { announcedDays } from "../desk/office/counting/batching.ts";
import { CountTable } from "../desk/office/counting/count-table.ts";
import { Counts, notSecret } from "../desk/office/counting/counts.ts";
import type { NewCount } from "../desk/office/counting/counts.ts";
import { ValueTable } from "../desk/office/counting/value-table.ts";
import { deskDatabaseFile } from "../desk/office/database.ts";
import { Statements } from "../store/sqlite/statements.ts";
import { startServerWith } from "../server.ts";
import type { RunningServer } from "../server.ts";
import { beginDesk } from "./desk-page.ts";
import type { DeskPage } from "./desk-page.ts";

/** Weekly, so that a half-year is made soon. */
const policy = { everyDays: 7, hour: 4, slots: 8, sealed: 2, openingDays: 30, delayPeriods: 0, smallNumber: 3, band: "none" } as const;

const minuteMs = 60_000;

/** A case of the half-year. */
export interface CaseOfPast {
  readonly ref: string;
  /** In which week it came. */
  readonly week: number;
  readonly count: NewCount;
}

/** A server that counted a half-year, which is opened, and the weeks since. */
export interface CountedServer {
  readonly server: RunningServer;
  readonly period: Period;
  readonly text: string;
  readonly dataDirectory: string;
  readonly page: DeskPage;
  /** Of each case, as it was given when the case came. */
  readonly receipts: readonly CountReceipt[];
  /** The time of the server, which goes on by itself no more. */
  nowMs(): number;
}

/** A request of an authority, as it comes in. */
export function arrivalOf(parts: Partial<Extract<NewCount, { kind: "arrival" }>> = {}): NewCount {
  return {
    kind: "arrival",
    of: "request",
    type: "eu-epoc",
    accounts: 1,
    categories: ["subscriber"],
    isEmergency: false,
    secrecy: notSecret,
    ...parts,
  };
}

/** What became of one. */
export function outcomeOf(parts: Partial<Extract<NewCount, { kind: "outcome" }>> = {}): NewCount {
  return {
    kind: "outcome",
    of: "request",
    result: "released",
    given: ["subscriber"],
    days: "4-10",
    notice: "by us",
    approvals: "two",
    secrecy: notSecret,
    ...parts,
  };
}

/**
 * Starts a server in the past and lets it count until now: the last half-year that is opened by now, with these cases.
 * @param params `untilMs` is now, by default that of the machine
 */
export async function startCountedServer(params: {
  readonly dataDirectory: string;
  readonly cases: readonly CaseOfPast[];
  readonly options?: Partial<ServerOptions>;
  readonly untilMs?: number;
}): Promise<CountedServer> {
  const { dataDirectory, cases, options = {}, untilMs = Date.now() } = params;
  let period = periodOf(untilMs) - 1;
  while (openingDueMs(policy, period) + dayMs > untilMs) period -= 1;
  let nowMs = periodStartMs(period) - 16 * dayMs;
  const server = await startServerWith(
    { port: 0, logLevel: "silent", ...options, dataDirectory, limits: { publicationIntervalMs: 0, tokensPerDay: 0, ...options.limits } },
    {
      nowMs: () => nowMs,
      // What the server does each minute it does all the time, and nothing else.
      setTimer(delayMs, run) {
        const timer = setTimeout(run, delayMs === minuteMs ? 40 : delayMs);
        timer.unref();
        return () => clearTimeout(timer);
      },
    },
  );

  const { page } = await beginDesk({ dataDirectory, url: server.url });
  await page.ask("counts-policy-set", { policy });
  const receipts: CountReceipt[] = [];
  await counted(dataDirectory, nowMs, () => (nowMs += 1));
  // Batches of the half-year before are missed, were it not for this.
  for (let atMs = nowMs; atMs < periodStartMs(period); atMs += dayMs) {
    nowMs = Math.max(nowMs, atMs);
    await counted(dataDirectory, nowMs, () => (nowMs += 1));
  }

  for (let week = 0; ; week++) {
    const due = nextDue(period, week);
    if (due.atMs > untilMs) break;
    for (const one of week < weeksIn(period) ? cases.filter((of) => of.week === week) : []) {
      receipts.push(record(dataDirectory, server.host, one, nowMs));
    }
    // Openings have days of their own between two batches.
    const openedMs = [period - 1, period, period + 1]
      .map((one) => openingDueMs(policy, one))
      .find((atMs) => atMs > nowMs && atMs < due.atMs);
    if (openedMs !== undefined) {
      nowMs = openedMs;
      await counted(dataDirectory, nowMs, () => (nowMs += 1));
    }
    nowMs = Math.max(nowMs, due.atMs + 1000);
    await counted(dataDirectory, nowMs, () => (nowMs += 1));
  }
  nowMs = Math.max(nowMs, untilMs);
  await counted(dataDirectory, nowMs, () => (nowMs += 1));
  return { server, period, text: periodText(period), dataDirectory, page, receipts, nowMs: () => nowMs };
}

function weeksIn(period: Period): number {
  return batchesIn(policy, period);
}

/** The batches of a half-year and those after it, counted through. */
function nextDue(period: Period, week: number): { atMs: number } {
  const weeks = weeksIn(period);
  return week < weeks ? { atMs: batchDueMs(policy, period, week) } : nextDue(period + 1, week - weeks);
}

function record(dataDirectory: string, host: string, { ref, count }: CaseOfPast, nowMs: number): CountReceipt {
  // The desk writes too, for moments.
  const database = new DatabaseSync(join(dataDirectory, deskDatabaseFile), { timeout: 10_000 });
  const sql = new Statements(database);
  try {
    return new Counts({ table: new CountTable(sql), values: new ValueTable(sql), host }).record(ref, count, nowMs);
  } finally {
    database.close();
  }
}

/** Waits until everything that was due by a time is made and published. */
async function counted(dataDirectory: string, untilMs: number, goOn: () => void): Promise<void> {
  const database = new DatabaseSync(join(dataDirectory, deskDatabaseFile), { readOnly: true });
  const sql = new Statements(database);
  const [table, values] = [new CountTable(sql), new ValueTable(sql)];
  try {
    for (;;) {
      const [periods, last] = [table.periods(), table.lastBatch()];
      const [first] = periods;
      const isAnnounced = (periods.at(-1) ?? 0) >= periodOf(untilMs + announcedDays * dayMs);
      const isOpened = periods.every((period) => openingDueMs(policy, period) > untilMs || table.openings(period).length > 0);
      const next = last ?? { period: first ?? 0, batch: (table.policy(first ?? 0)?.firstBatch ?? 0) - 1 };
      // The half-year in which the desk began may have another policy.
      const own = table.policy(next.period) ?? policy;
      const isOver = next.batch + 1 >= batchesIn(own, next.period);
      const nextMs = isOver ? batchDueMs(policy, next.period + 1, 0) : batchDueMs(own, next.period, next.batch + 1);
      if (first !== undefined && isAnnounced && isOpened && nextMs > untilMs && values.outbox().length === 0) return;
      goOn();
      await sleep(20);
    }
  } finally {
    database.close();
  }
}
