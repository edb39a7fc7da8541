import { clockToleranceMs } from "@latchkey/transparency";
import { clockBoundMs, clockTrialMs, middleOf } from "./clock-guard.ts";
import type { HeardTime } from "./clock-guard.ts";
import { EvenRun } from "./even-run.ts";
import type { EvenMark } from "./even-run.ts";

/** What one run of the server tells the next of the public record's time. Times in milliseconds. */
export interface RecordedTime {
  /** The date that the record would have got then. */
  readonly datedMs: number;
  /** The reading of the clock that never jumps at that moment. It begins anew with the machine. */
  readonly passedMs: number;
  /** Where the machine's clock was ahead of that: what it said, and for how long it had gone evenly. */
  readonly ahead: EvenMark | undefined;
}

/** Where times come from; all in milliseconds. */
export interface RecordClockParts {
  /** The machine's clock, which may be wrong and may jump. */
  readonly wallMs: () => number;
  /** Time that has passed since some moment, which never jumps. */
  readonly passedMs: () => number;
  /** A time of which it is known that it was, such as the newest entry's; `undefined` where the record begins. */
  readonly knownMs: number | undefined;
  readonly before: RecordedTime | undefined;
  /** Told when the machine's clock is ahead of what the record is dated by (both times), and when it is followed again. */
  onChange(ahead: { readonly wallMs: number; readonly datedMs: number } | undefined): void;
}

/**
 * What the public record is dated by: never later than the machine's clock, and never later than time has shown to be. What is dated ahead
 * stays so for good, and every reader refuses it until then (spec D-2); what is dated late hurts nobody. So a clock that is set back is
 * followed at once, and one that is more than five minutes ahead of where time would have brought it, as after the machine was off, only
 * when witnesses bear it out or when it has gone evenly for a day.
 *
 *     followed --ahead by more than 5 minutes--> waiting --set back | borne out by witnesses | a day evenly--> followed
 */
export class RecordClock {
  readonly #parts: RecordClockParts;
  readonly #even = new EvenRun({ toleranceMs: clockToleranceMs });
  /** A moment on both clocks up to which the date is borne out. */
  #anchor: { readonly wallMs: number; readonly passedMs: number };
  #isAhead = false;

  constructor(parts: RecordClockParts) {
    this.#parts = parts;
    const { before, knownMs } = parts;
    const [wallMs, passedMs] = [parts.wallMs(), parts.passedMs()];
    // The machine may have been off for longer than it has been on: then this is early, which does no harm.
    const sinceMs = before === undefined ? 0 : Math.max(0, passedMs - before.passedMs);
    const latestMs = Math.max(knownMs ?? 0, before === undefined ? 0 : before.datedMs + sinceMs);
    this.#anchor = { wallMs: latestMs === 0 ? wallMs : latestMs, passedMs };
    if (before?.ahead !== undefined) this.#even.resume(before.ahead, { wallMs, passedMs, maxGapMs: clockBoundMs });
    this.nowMs();
  }

  /** The date of what is published now, in milliseconds since 1970. */
  nowMs(): number {
    const [wallMs, passedMs] = [this.#parts.wallMs(), this.#parts.passedMs()];
    const expectedMs = this.#expectedMs(passedMs);
    if (wallMs - expectedMs <= clockToleranceMs || this.#even.measure(wallMs, passedMs) >= clockTrialMs) {
      this.#follow(wallMs, passedMs);
      return wallMs;
    }
    if (!this.#isAhead) {
      this.#isAhead = true;
      this.#parts.onChange({ wallMs, datedMs: expectedMs });
    }
    return expectedMs;
  }

  /**
   * What witnesses say that the time is, just now: the middle one counts. They bear out a clock that is not ahead of them; of one that is,
   * the record is dated by what they say. Only what they said of something new makes a date that is ahead earlier: some answer what they
   * have said before as they did then.
   */
  hear(times: readonly HeardTime[]): void {
    const middleMs = middleOf(times);
    if (middleMs === undefined) return;
    const [wallMs, passedMs] = [this.#parts.wallMs(), this.#parts.passedMs()];
    if (wallMs - middleMs <= clockToleranceMs) {
      this.#follow(wallMs, passedMs);
      return;
    }
    const expectedMs = this.#expectedMs(passedMs);
    const againstMs = middleOf(times.filter(({ isNew }) => isNew));
    const isAgainst = againstMs !== undefined && Math.min(wallMs, expectedMs) - againstMs > clockToleranceMs;
    if (!isAgainst && middleMs <= expectedMs) return;
    this.#anchor = { wallMs: isAgainst ? againstMs : middleMs, passedMs };
    this.#even.end();
    this.nowMs();
  }

  /** What the next run is told. */
  recorded(): RecordedTime {
    const datedMs = this.nowMs();
    const passedMs = this.#parts.passedMs();
    const ahead = this.#isAhead ? { wallMs: this.#parts.wallMs(), evenMs: this.#even.lengthMs(passedMs) } : undefined;
    return { datedMs, passedMs, ahead };
  }

  #expectedMs(passedMs: number): number {
    return this.#anchor.wallMs + (passedMs - this.#anchor.passedMs);
  }

  #follow(wallMs: number, passedMs: number): void {
    this.#anchor = { wallMs, passedMs };
    this.#even.end();
    if (!this.#isAhead) return;
    this.#isAhead = false;
    this.#parts.onChange(undefined);
  }
}
