import { clockAheadMs, lastingToleranceMs } from "../account/clock.ts";
import type { Greeting } from "../account/clock.ts";

/** So much of its time may pass unheard of: whatever looks at this clock does so each hour. */
const unheardMs = 2 * 3_600_000;
/** Who asks may have looked at the clock a moment ago; and a clock is set a little now and then. */
const stepBackMs = 60_000;

/**
 * Whether this device's clock may decide what is erased for good (spec E-142): once one's own server has said about the same time, and as long
 * as the clock has gone on from there hour by hour. The server can thereby put an erasure off, and bring none about; a clock that jumps, or a
 * device that slept, waits for the next hello.
 */
export class SureClock {
  #atMs: number | undefined;
  readonly #heard: (() => void)[] = [];
  /** So far this device's clock is behind what its server said, where that is too much to be sure of anything. */
  #behindMs = 0;
  #latestAtMs = Number.NEGATIVE_INFINITY;

  /** Called each time the server has said what time it is, whether or not that is about the same. */
  onHeard(run: () => void): void {
    this.#heard.push(run);
  }

  /** A connection to one's own server began. */
  heard(greeting: Greeting): void {
    const aheadMs = clockAheadMs(greeting);
    this.#atMs = Math.abs(aheadMs) <= lastingToleranceMs ? greeting.helloAtMs : undefined;
    this.#behindMs = aheadMs < -lastingToleranceMs ? -aheadMs : 0;
    this.#latestAtMs = greeting.helloAtMs;
    for (const run of this.#heard) run();
  }

  /** The later of what this device and its server say: nothing is erased by it, and what is over by it is not shown (spec X-7). */
  latest(nowMs: number): number {
    const passedMs = nowMs - this.#latestAtMs;
    // Somebody set the clock, or the device slept: how far it is behind now the next hello says.
    if (passedMs < -stepBackMs || passedMs > unheardMs) this.#behindMs = 0;
    this.#latestAtMs = Math.max(nowMs, passedMs < -stepBackMs ? nowMs : this.#latestAtMs);
    return nowMs + this.#behindMs;
  }

  /** Whether it is sure that it is now `nowMs`, milliseconds since 1970. */
  isSure(nowMs: number): boolean {
    const atMs = this.#atMs ?? Number.NEGATIVE_INFINITY;
    const passedMs = nowMs - atMs;
    this.#atMs = passedMs >= -stepBackMs && passedMs <= unheardMs ? Math.max(nowMs, atMs) : undefined;
    return this.#atMs !== undefined;
  }
}
