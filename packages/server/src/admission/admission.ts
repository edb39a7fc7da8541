import { Refusal } from "../errors.ts";
import type { Rate, ServerLimits } from "../config.ts";

/** What costs a token (spec T-1, L-5). */
export type CostedOperation = keyof ServerLimits["rates"];

/** Who asks, as far as a limit needs to know; kept in memory only. */
export interface Source {
  /** The peer's network address. */
  readonly address: string;
}

/**
 * Decides on operations that cost something. Anonymous tokens will be spent here (spec T-1): `token` is what the
 * request carried, `binding` the log or inbox that it is bound to.
 */
export interface Admission {
  /** @throws Refusal `rate_limited` with the time to wait. */
  admit(operation: CostedOperation, source: Source, token: Uint8Array): void;
}

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

const sweepAtBuckets = 20_000;

/** Limits for each address and operation by token buckets in memory. */
export function createRateAdmission(rates: ServerLimits["rates"], nowMs: () => number): Admission {
  const buckets = new Map<string, Bucket>();
  const sweep = (now: number): void => {
    for (const [key, bucket] of buckets) {
      const rate = rates[operationOf(key)];
      if (refilled(bucket, rate, now) >= rate.burst) buckets.delete(key);
    }
    // Still many: under a flood from many addresses the oldest are forgotten, which only helps their owners. Down to half,
    // so that the next sweep is far away.
    for (const key of buckets.keys()) {
      if (buckets.size <= sweepAtBuckets / 2) break;
      buckets.delete(key);
    }
  };
  return {
    admit(operation, source) {
      const rate = rates[operation];
      const now = nowMs();
      const key = `${operation} ${source.address}`;
      let bucket = buckets.get(key);
      if (bucket === undefined) {
        if (buckets.size >= sweepAtBuckets) sweep(now);
        bucket = { tokens: rate.burst, filledAtMs: now };
        buckets.set(key, bucket);
      }
      const wait = take(bucket, rate, now);
      if (wait > 0) throw new Refusal("rate_limited", wait);
    },
  };
}

/** A limit for one asker, who is known otherwise. */
export interface RateLimit {
  /** Takes one, or `count`, where there is one at least; gives 0, or how long to wait, in milliseconds, where there is none. */
  take(nowMs: number, count?: number): number;
}

/** A limit for one asker by one token bucket, full at first. */
export function createRateLimit(rate: Rate): RateLimit {
  let bucket: Bucket | undefined;
  return {
    take(nowMs, count = 1) {
      bucket ??= { tokens: rate.burst, filledAtMs: nowMs };
      return take(bucket, rate, nowMs, count);
    },
  };
}

function take(bucket: Bucket, rate: Rate, now: number, count = 1): number {
  bucket.tokens = refilled(bucket, rate, now);
  bucket.filledAtMs = now;
  if (bucket.tokens < 1) return waitMs(bucket, rate);
  bucket.tokens -= count;
  return 0;
}

function refilled(bucket: Bucket, rate: Rate, now: number): number {
  const elapsedMs = Math.max(0, now - bucket.filledAtMs);
  return Math.min(rate.burst, bucket.tokens + (elapsedMs / 1000) * rate.perSecond);
}

function waitMs(bucket: Bucket, rate: Rate): number {
  if (rate.perSecond <= 0) return 86_400_000;
  return Math.min(86_400_000, Math.ceil(((1 - bucket.tokens) / rate.perSecond) * 1000));
}

function operationOf(key: string): CostedOperation {
  // Keys are made above: operation, space, address.
  return key.slice(0, key.indexOf(" ")) as CostedOperation;
}
