import { networksOf } from "../addresses.ts";
import type { Rate } from "../config.ts";
import { dayMs } from "../days.ts";

/** A limit for one asker, who is known otherwise. */
export interface RateLimit {
  /** Takes one, or `count`, where there is one at least; gives 0, or how long to wait, in milliseconds, where there is none. */
  take(nowMs: number, count?: number): number;
}

interface Bucket {
  tokens: number;
  filledAtMs: number;
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

/** Several limits as one, the narrowest first: what one refuses takes nothing from those behind it. */
export function allOf(limits: readonly RateLimit[]): RateLimit {
  const [only, ...others] = limits;
  if (only !== undefined && others.length === 0) return only;
  return {
    take(nowMs, count) {
      for (const limit of limits) {
        const waitMs = limit.take(nowMs, count);
        if (waitMs > 0) return waitMs;
      }
      return 0;
    },
  };
}

const sweepAtBuckets = 20_000;

/** Token buckets by name, of a bounded number: the fullest are forgotten first, which helps their owners least. */
export class RateTable {
  readonly #rate: Rate;
  readonly #buckets = new Map<string, Bucket & { readonly factor: number }>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** Takes as RateLimit does, from the bucket of this name. */
  take(key: string, nowMs: number, count = 1, factor = 1): number {
    return take(this.#bucket(key, nowMs, factor), this.#rate, nowMs, count, factor);
  }

  /** Of an address and of each network around it, which have more. */
  takeOf(prefix: string, address: string, nowMs: number, count = 1): number {
    for (const { key, factor } of networksOf(address)) {
      const waitMs = this.take(prefix + key, nowMs, count, factor);
      if (waitMs > 0) return waitMs;
    }
    return 0;
  }

  /** The bucket of this name for somebody who asks often; it stays theirs when the table forgets it. */
  limit(key: string, nowMs: number, factor = 1): RateLimit {
    const bucket = this.#bucket(key, nowMs, factor);
    return { take: (now, count = 1) => take(bucket, this.#rate, now, count, factor) };
  }

  /** The same of an address and the networks around it. */
  limitOf(prefix: string, address: string, nowMs: number): RateLimit {
    return allOf(networksOf(address).map(({ key, factor }) => this.limit(prefix + key, nowMs, factor)));
  }

  #bucket(key: string, nowMs: number, factor: number): Bucket {
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      if (this.#buckets.size >= sweepAtBuckets) this.#sweep(nowMs);
      bucket = { tokens: this.#rate.burst * factor, filledAtMs: nowMs, factor };
      this.#buckets.set(key, bucket);
    }
    return bucket;
  }

  /**
   * Forgets the fullest, down to half, so that the next time is far away: who has used up the most is remembered longest, which are the
   * wide networks in a flood from one of them.
   */
  #sweep(nowMs: number): void {
    const { burst } = this.#rate;
    const fullest = [...this.#buckets]
      .map(([key, bucket]) => ({ key, part: refilled(bucket, this.#rate, nowMs, bucket.factor) / (burst * bucket.factor) }))
      .toSorted((a, b) => b.part - a.part);
    for (const { key, part } of fullest) {
      if (part < 1 && this.#buckets.size <= sweepAtBuckets / 2) return;
      this.#buckets.delete(key);
    }
  }
}

function take(bucket: Bucket, rate: Rate, now: number, count: number, factor = 1): number {
  bucket.tokens = refilled(bucket, rate, now, factor);
  bucket.filledAtMs = now;
  if (bucket.tokens < 1) return waitMs(bucket, rate, factor);
  bucket.tokens -= count;
  return 0;
}

function refilled(bucket: Bucket, rate: Rate, now: number, factor: number): number {
  const elapsedMs = Math.max(0, now - bucket.filledAtMs);
  return Math.min(rate.burst * factor, bucket.tokens + (elapsedMs / 1000) * rate.perSecond * factor);
}

function waitMs(bucket: Bucket, rate: Rate, factor: number): number {
  if (rate.perSecond <= 0) return dayMs;
  return Math.min(dayMs, Math.ceil(((1 - bucket.tokens) / (rate.perSecond * factor)) * 1000));
}
