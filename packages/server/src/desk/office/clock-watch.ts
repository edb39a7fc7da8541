import type { Trail } from "./trail.ts";

/** What a clock may go back without a word: it is set right by so much now and then. */
const toleratedMs = 60_000;

/**
 * Notices a clock that was set back, by the trail, whose times never go back: it stands there once, until the clock has caught up. What is
 * counted from then on is by the clock as it is.
 */
export class ClockWatch {
  readonly #trail: Trail;
  #isBack = false;

  constructor(trail: Trail) {
    this.#trail = trail;
  }

  /** Called with each time that is acted on, outside of a transaction. */
  see(nowMs: number, transaction: (work: () => void) => void): void {
    const behindMs = this.#trail.lastMs() - nowMs;
    if (behindMs <= toleratedMs) this.#isBack = false;
    else if (!this.#isBack) {
      this.#isBack = true;
      const details = { seconds: Math.round(behindMs / 1000) };
      transaction(() => this.#trail.append({ actor: "desk", act: "clock set back", details }, nowMs));
    }
  }
}
