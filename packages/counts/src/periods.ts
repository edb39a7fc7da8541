import type { CountPolicy, Period } from "./policy.ts";

const dayMs = 86_400_000;

/** The half-year of a time, in milliseconds since 1970. */
export function periodOf(timeMs: number): Period {
  const date = new Date(timeMs);
  return date.getUTCFullYear() * 2 + (date.getUTCMonth() < 6 ? 0 : 1);
}

/** When a half-year begins, in milliseconds since 1970. It ends where the next begins. */
export function periodStartMs(period: Period): number {
  return Date.UTC(Math.floor(period / 2), period % 2 === 0 ? 0 : 6);
}

/** `2026-2` of a half-year. */
export function periodText(period: Period): string {
  return `${Math.floor(period / 2)}-${(period % 2) + 1}`;
}

/** The half-year that `periodText` writes so; `undefined` for anything else. */
export function parsePeriod(text: string): Period | undefined {
  const found = /^(20\d\d)-([12])$/.exec(text);
  return found === null ? undefined : Number(found[1]) * 2 + Number(found[2]) - 1;
}

/** When a batch is due: the hour at which it is published, whatever there is to count. @param batch from 0 in each period */
export function batchDueMs(policy: Pick<CountPolicy, "everyDays" | "hour">, period: Period, batch: number): number {
  return periodStartMs(period) + batch * policy.everyDays * dayMs + policy.hour * 3_600_000;
}

/** How many batches a whole period has under a policy. */
export function batchesIn(policy: Pick<CountPolicy, "everyDays" | "hour">, period: Period): number {
  const days = Math.round((periodStartMs(period + 1) - periodStartMs(period)) / dayMs);
  return Math.ceil(days / policy.everyDays);
}

/** The number of the first batch of a period that is due after a time. */
export function nextBatch(policy: Pick<CountPolicy, "everyDays" | "hour">, period: Period, afterMs: number): number {
  const passed = afterMs - batchDueMs(policy, period, 0);
  return passed < 0 ? 0 : Math.floor(passed / (policy.everyDays * dayMs)) + 1;
}

/**
 * When what was counted in a period is opened for the `number`th time: the first so many days after the end of the period that the policy
 * says, and again, with what was cleared until then, each half-year after that.
 */
export function openingDueMs(policy: Pick<CountPolicy, "openingDays" | "delayPeriods">, period: Period, number: number = 1): number {
  return periodStartMs(period + policy.delayPeriods + number) + policy.openingDays * dayMs;
}
