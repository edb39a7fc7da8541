/** Where a wait stands: time that has gone by, and what the clocks said when it was measured last. Milliseconds. */
export interface WaitMark {
  readonly waitedMs: number;
  readonly seenMs: number;
}

/**
 * Measures a wait: what counts is the time that passed while the server ran and looked, and never more than its guarded clock went on
 * meanwhile. A clock that is set ahead, or back, or doubted, does not shorten it; a server that is off makes it longer.
 */
export class WaitMeter {
  #lastPassedMs: number | undefined;

  /**
   * Time that passed since it was looked at last, in this run of the server.
   * @param passedMs a clock that never jumps
   */
  passed(passedMs: number): number {
    const last = this.#lastPassedMs;
    this.#lastPassedMs = last === undefined ? passedMs : Math.max(last, passedMs);
    return last === undefined ? 0 : Math.max(0, passedMs - last);
  }
}

/** A wait after so much more time. @param nowMs by the guarded clock */
export function waitedOn({ waitedMs, seenMs }: WaitMark, passedMs: number, nowMs: number): WaitMark {
  const gained = Math.max(0, Math.min(passedMs, nowMs - seenMs));
  return { waitedMs: waitedMs + gained, seenMs: Math.max(seenMs, nowMs) };
}
