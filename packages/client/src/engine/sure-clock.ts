import { clockAheadMs, lastingToleranceMs } from "../account/clock.ts";
import type { Greeting } from "../account/clock.ts";

/** So much of its time may pass unheard of: whatever looks at this clock does so each hour. */
const unheardMs = 2 * 3_600_000;

/**
 * Whether this device's clock may decide what is erased for good (spec E-142): once one's own server has said about the same time, and as long
 * as the clock has gone on from there hour by hour. The server can thereby put an erasure off, and bring none about; a clock that jumps, or a
 * device that slept, waits for the next hello.
 */
export class SureClock {
  #atMs: number | undefined;
  #onSure: () => void = () => undefined;

  /** Called each time the server has said about the same time. */
  onSure(run: () => void): void {
    this.#onSure = run;
  }

  /** A connection to one's own server began. */
  heard(greeting: Greeting): void {
    this.#atMs = Math.abs(clockAheadMs(greeting)) <= lastingToleranceMs ? greeting.helloAtMs : undefined;
    if (this.#atMs !== undefined) this.#onSure();
  }

  /** Whether it is sure that it is now `nowMs`, milliseconds since 1970. */
  isSure(nowMs: number): boolean {
    const passedMs = this.#atMs === undefined ? -1 : nowMs - this.#atMs;
    this.#atMs = passedMs >= 0 && passedMs <= unheardMs ? nowMs : undefined;
    return this.#atMs !== undefined;
  }
}
