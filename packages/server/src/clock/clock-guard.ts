import { dayMs, dayOf, dayText } from "../days.ts";
import { EvenRun } from "./even-run.ts";
import type { EvenMark } from "./even-run.ts";

/** How far the clock may be from what is known before it is doubted, either way, in milliseconds. */
export const clockBoundMs: number = 3 * dayMs;
/** How long a doubted clock has to go evenly, with nothing against it, until it is believed. */
export const clockTrialMs: number = dayMs;
/** How far a witness's time may be from the clock that it confirms. */
const confirmationMs = dayMs;
/** How long a witness's contradiction holds: two rounds of cosignatures. */
const contradictionMs: number = dayMs / 2;
/** A step of the clock within a trial that begins it again. */
const unevenMs = 3_600_000;
/** Readings less than this apart are taken without asking the second clock. */
const nearMs = 60_000;

/** Why a clock is not believed. */
export interface ClockDoubt {
  /** `witnesses`: most of those that answered say another time. */
  readonly kind: "ahead" | "behind" | "witnesses";
  /** What the machine's clock says, in milliseconds since 1970. */
  readonly wallMs: number;
  /** The time that is gone by meanwhile. */
  readonly believedMs: number;
}

/** A time that somebody else says. */
export interface HeardTime {
  readonly timeMs: number;
  /** Whether it was said of something that they were not asked about before. */
  readonly isNew: boolean;
}

/** Where times come from; all in milliseconds. */
export interface ClockGuardParts {
  /** The machine's clock, which may be wrong and may jump. */
  readonly wallMs: () => number;
  /** Time that has passed since some moment: never jumps, goes on while the machine sleeps where the system has such a clock. */
  readonly passedMs: () => number;
  /** A time of which it is known that it was, such as the last day that a run recorded; `undefined` where nothing is. */
  readonly knownMs: number | undefined;
  /** No earlier time can be: a machine whose clock says one was never set. Only asked where nothing is known. */
  readonly earliestMs?: number;
  /** A doubt that a run before left. */
  readonly trial?: EvenMark | undefined;
  /** Told when the clock becomes doubtful, or is believed again. */
  onChange(doubt: ClockDoubt | undefined): void;
}

/**
 * The server's clock: the machine's, unless it is further from what is known than a bound. Then time goes on from what is known, so that
 * nothing of a wrong day is stored or published, until the clock is corrected, a witness confirms it, or it has gone evenly for a day.
 *
 *     believed --jump beyond the bound, or witnesses against it--> doubted --near again | confirmed | a day evenly--> believed
 */
export class ClockGuard {
  readonly #parts: ClockGuardParts;
  /** A moment on both clocks: of the last time that the machine's clock was believed. */
  #anchor: { readonly wallMs: number; readonly passedMs: number };
  #lastMs: number;
  #doubt: ClockDoubt | undefined;
  /** Nothing is known yet but when this program was made. */
  #isUnset: boolean;
  readonly #even = new EvenRun({ toleranceMs: unevenMs });
  #contradictedAt: number | undefined;

  constructor(parts: ClockGuardParts) {
    this.#parts = parts;
    const passedMs = parts.passedMs();
    this.#lastMs = parts.wallMs();
    this.#isUnset = parts.knownMs === undefined && this.#lastMs < (parts.earliestMs ?? 0);
    this.#anchor = { wallMs: parts.knownMs ?? Math.max(this.#lastMs, parts.earliestMs ?? 0), passedMs };
    if (parts.trial !== undefined) this.#even.resume(parts.trial, { wallMs: this.#lastMs, passedMs, maxGapMs: clockBoundMs });
    this.#judge(this.#lastMs);
  }

  /** The time to go by, in milliseconds since 1970. Called for every entry: the second clock is read only after a step. */
  nowMs(): number {
    const wallMs = this.#parts.wallMs();
    const step = wallMs - this.#lastMs;
    if (this.#doubt === undefined && step >= 0 && step < nearMs) {
      this.#lastMs = wallMs;
      return wallMs;
    }
    return this.#judge(wallMs);
  }

  /** Time that has passed since some moment, in milliseconds: no change of the machine's clock shortens or lengthens it. */
  passedMs(): number {
    return this.#parts.passedMs();
  }

  /** Why the machine's clock is not gone by, as of now; `undefined` where it is. */
  doubt(): ClockDoubt | undefined {
    this.nowMs();
    return this.#doubt;
  }

  /** Of a clock that is doubted: what it says, and how long it has gone evenly, in milliseconds. */
  trial(): EvenMark | undefined {
    this.nowMs();
    return this.#doubt === undefined ? undefined : { wallMs: this.#lastMs, evenMs: this.#even.lengthMs(this.#parts.passedMs()) };
  }

  /**
   * What others say that the time is, just now: the middle one counts, so that fewer than half can neither help nor hurt. A clock that is
   * believed is doubted only for what they said of something new: some witnesses answer what they have said before as they did then.
   */
  hear(times: readonly HeardTime[]): void {
    const middle = middleOf(times);
    if (middle === undefined) return;
    const wallMs = this.#parts.wallMs();
    const passedMs = this.#parts.passedMs();
    const against = this.#doubt === undefined ? middleOf(times.filter(({ isNew }) => isNew)) : middle;
    if (Math.abs(middle - wallMs) <= confirmationMs) {
      this.#contradictedAt = undefined;
      this.#believe(wallMs, passedMs);
    } else if (against !== undefined && Math.abs(against - wallMs) > clockBoundMs) {
      this.#contradictedAt = passedMs;
      this.#even.end();
      this.#judge(wallMs);
    }
  }

  #judge(wallMs: number): number {
    const passedMs = this.#parts.passedMs();
    this.#lastMs = wallMs;
    const expectedMs = this.#anchor.wallMs + (passedMs - this.#anchor.passedMs);
    const isContradicted = this.#contradictedAt !== undefined && passedMs - this.#contradictedAt < contradictionMs;
    const isSet = this.#isUnset && wallMs >= (this.#parts.earliestMs ?? 0);
    const isNear = isSet || Math.abs(wallMs - expectedMs) <= clockBoundMs;
    if (!isContradicted && (isNear || this.#even.measure(wallMs, passedMs) >= clockTrialMs)) {
      this.#believe(wallMs, passedMs);
      return wallMs;
    }
    const kind = isNear ? "witnesses" : wallMs > expectedMs ? "ahead" : "behind";
    const before = this.#doubt;
    this.#doubt = { kind, wallMs, believedMs: expectedMs };
    if (before?.kind !== kind) this.#parts.onChange(this.#doubt);
    return expectedMs;
  }

  #believe(wallMs: number, passedMs: number): void {
    this.#anchor = { wallMs, passedMs };
    this.#isUnset = false;
    this.#even.end();
    if (this.#doubt === undefined) return;
    this.#doubt = undefined;
    this.#parts.onChange(undefined);
  }
}

/** The middle one of some times, so that fewer than half can neither help nor hurt; `undefined` of none. */
export function middleOf(times: readonly HeardTime[]): number | undefined {
  return times.map(({ timeMs }) => timeMs).toSorted((a, b) => a - b)[Math.floor(times.length / 2)];
}

/** One sentence for the operator: what is wrong with the clock, what the server does meanwhile, and what to do. */
export function describeDoubt({ kind, wallMs, believedMs }: ClockDoubt): string {
  const day = (timeMs: number): string => dayText(dayOf(timeMs));
  const days = Math.round(Math.abs(wallMs - believedMs) / dayMs);
  const what =
    kind === "witnesses"
      ? `this machine's clock says ${day(wallMs)}, and most witnesses say another day`
      : `this machine's clock says ${day(wallMs)}, ${String(days)} days ${kind === "ahead" ? "after" : "before"} ${day(believedMs)}, where the server's own time stands`;
  const rest = kind === "behind" ? ", and nobody can register or change an account" : "";
  return `${what}: nothing expires, and what comes is dated ${day(believedMs)}${rest}. Correct the clock; if it is right, witnesses confirm it, it is believed after a day, and --i-know clock believes it at once`;
}
