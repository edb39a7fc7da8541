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
   * Time that passed since it was looked at last, in this run of the server: whole milliseconds, of which none is lost.
   * @param passedMs a clock that never jumps, and may tell parts of milliseconds
   */
  passed(passedMs: number): number {
    const [last, now] = [this.#lastPassedMs, Math.floor(passedMs)];
    this.#lastPassedMs = last === undefined ? now : Math.max(last, now);
    return last === undefined ? 0 : Math.max(0, now - last);
  }
}

/** A wait after so much more time. @param nowMs by the guarded clock */
export function waitedOn({ waitedMs, seenMs }: WaitMark, passedMs: number, nowMs: number): WaitMark {
  const gained = Math.max(0, Math.min(passedMs, nowMs - seenMs));
  return { waitedMs: waitedMs + gained, seenMs: Math.max(seenMs, nowMs) };
}
