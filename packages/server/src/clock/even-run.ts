/** How long a clock has gone evenly, as one run tells the next: what it said last, and for how long, in milliseconds. */
export interface EvenMark {
  readonly wallMs: number;
  readonly evenMs: number;
}

/** For how long a clock that may be wrong has gone as time does, which speaks for it. Times in milliseconds. */
export class EvenRun {
  readonly #toleranceMs: number;
  #since: { readonly wallMs: number; readonly passedMs: number } | undefined;

  /** @param params.toleranceMs the step of the clock that begins the run anew */
  constructor(params: { toleranceMs: number }) {
    this.#toleranceMs = params.toleranceMs;
  }

  /** Goes on from what an earlier run of the server saw, if the clock did: who is switched off every night comes to an end of it, too. */
  resume(before: EvenMark, params: { wallMs: number; passedMs: number; maxGapMs: number }): void {
    const { wallMs, passedMs, maxGapMs } = params;
    const gapMs = wallMs - before.wallMs;
    if (gapMs >= 0 && gapMs <= maxGapMs) this.#since = { wallMs: wallMs - before.evenMs, passedMs: passedMs - before.evenMs };
  }

  /** Takes a reading of both clocks. Answers for how long the first one has gone evenly up to it: 0 where that begins now. */
  measure(wallMs: number, passedMs: number): number {
    const since = this.#since;
    if (since === undefined || Math.abs(wallMs - since.wallMs - (passedMs - since.passedMs)) > this.#toleranceMs) {
      this.#since = { wallMs, passedMs };
      return 0;
    }
    return passedMs - since.passedMs;
  }

  /** For how long it has gone evenly up to the last reading's `passedMs`; 0 where no run is under way. */
  lengthMs(passedMs: number): number {
    return this.#since === undefined ? 0 : passedMs - this.#since.passedMs;
  }

  /** Something speaks against it, or nothing is left to show. */
  end(): void {
    this.#since = undefined;
  }
}
