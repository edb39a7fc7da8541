import { buckets } from "@latchkey/protocol";
import type { TargetRates } from "../config.ts";
import { Refusal } from "../errors.ts";
import { keyOf } from "../keys.ts";
import type { Source } from "./admission.ts";
import { RateTable, allOf, createRateLimit } from "./rates.ts";
import type { RateLimit } from "./rates.ts";

/** Entries of one connection that its neighbours cannot use up: so few that opening connections for them does not pay. */
const neighbourRate = { burst: 2, perSecond: 0.2 };

/** What is larger is a file. */
const largestBucket = Math.max(...buckets);

/**
 * What may be done to one log, inbox, device or account: by one address, and by all of them together. Each address has a little that the others
 * cannot use up, so that nobody is kept out by a flood.
 */
export class TargetLimits {
  readonly #tables: { readonly [Name in keyof TargetRates]: RateTable };
  readonly #nowMs: () => number;

  constructor(rates: TargetRates, nowMs: () => number) {
    this.#tables = {
      append: new RateTable(rates.append),
      appendInAll: new RateTable(rates.appendInAll),
      appendLeast: new RateTable(rates.appendLeast),
      blobBytes: new RateTable(rates.blobBytes),
      fileBytes: new RateTable(rates.fileBytes),
      strangerPost: new RateTable(rates.strangerPost),
      strangerPostInAll: new RateTable(rates.strangerPostInAll),
      strangerPostLeast: new RateTable(rates.strangerPostLeast),
      contactPost: new RateTable(rates.contactPost),
      takeKeyPackage: new RateTable(rates.takeKeyPackage),
      takeKeyPackageInAll: new RateTable(rates.takeKeyPackageInAll),
      wake: new RateTable(rates.wake),
      historyBytes: new RateTable(rates.historyBytes),
    };
    this.#nowMs = nowMs;
  }

  /** Messages and complaints of a connection in a log: those of its address count together, but for a few of its own. */
  appends(logKey: string, { address }: Source): RateLimit {
    const nowMs = this.#nowMs();
    const { append, appendInAll, appendLeast } = this.#tables;
    // Behind one address may be a whole town: who floods from there must not silence the others.
    const own = withLeast(append.limitOf(`${logKey} `, address, nowMs), createRateLimit(neighbourRate));
    const shared = withLeast(appendInAll.limit(logKey, nowMs), appendLeast.limitOf(`${logKey} `, address, nowMs));
    return allOf([own, shared]);
  }

  /**
   * Sizes of blobs that an entry of a log names: how long to wait, in milliseconds. Files have a budget of their own, so that no picture
   * holds up a commit whose content lies in a blob.
   */
  blobsWaitMs(logKey: string, sizes: readonly number[]): number {
    const nowMs = this.#nowMs();
    const [small, large] = [sumOf(sizes.filter((size) => size <= largestBucket)), sumOf(sizes.filter((size) => size > largestBucket))];
    const waitMs = large === 0 ? 0 : this.#tables.fileBytes.take(logKey, nowMs, large);
    return waitMs > 0 || small === 0 ? waitMs : this.#tables.blobBytes.take(logKey, nowMs, small);
  }

  /** An item for an inbox. @throws Refusal `rate_limited` */
  post(part: "contacts" | "strangers", inboxId: Uint8Array, { address }: Source): void {
    const nowMs = this.#nowMs();
    const key = keyOf(inboxId);
    const { contactPost, strangerPost, strangerPostInAll, strangerPostLeast } = this.#tables;
    if (part === "contacts") refuseFor(contactPost.takeOf(`${key} `, address, nowMs));
    else {
      refuseFor(strangerPost.takeOf(`${key} `, address, nowMs));
      if (strangerPostLeast.takeOf(`${key} `, address, nowMs) > 0) refuseFor(strangerPostInAll.take(key, nowMs));
    }
  }

  /** Whether one more wake by this token is too many. */
  isWokenTooOften(tokenId: Uint8Array): boolean {
    return this.#tables.wake.take(keyOf(tokenId), this.#nowMs()) > 0;
  }

  /** Bytes of an account's history backup. @throws Refusal `rate_limited` */
  history(accountId: Uint8Array, sizeBytes: number): void {
    refuseFor(this.#tables.historyBytes.take(keyOf(accountId), this.#nowMs(), sizeBytes));
  }

  /** How long a device's one-time key packages are spared, in milliseconds: 0 where one may be given out. */
  sparedMs(deviceId: Uint8Array, { address }: Source): number {
    const nowMs = this.#nowMs();
    const key = keyOf(deviceId);
    const ownMs = this.#tables.takeKeyPackage.takeOf(`${key} `, address, nowMs);
    return ownMs > 0 ? ownMs : this.#tables.takeKeyPackageInAll.take(key, nowMs);
  }
}

function sumOf(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** `shared`, but for a little that is its owner's alone. */
function withLeast(shared: RateLimit, least: RateLimit): RateLimit {
  return { take: (nowMs, count) => (least.take(nowMs, count) === 0 ? 0 : shared.take(nowMs, count)) };
}

function refuseFor(waitMs: number): void {
  if (waitMs > 0) throw new Refusal("rate_limited", waitMs);
}
