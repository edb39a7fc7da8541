import { uptime } from "node:os";
import type { Logger } from "pino";
import { readRestoreMark } from "../backup/restore-mark.ts";
import { dayMs, minuteText, spanText } from "../days.ts";
import type { Store } from "../store/store.ts";
import { ClockFile, earliestMs } from "./clock-file.ts";
import { ClockGuard, clockBoundMs, describeDoubt } from "./clock-guard.ts";
import type { ClockDoubt } from "./clock-guard.ts";
import { RecordClock } from "./record-clock.ts";

/** Where a test puts its own clocks. */
export interface Clocks {
  readonly nowMs?: () => number;
  readonly passedMs?: () => number;
}

/** The two clocks that a server goes by, and what is recorded of them. */
export interface ServerClocks {
  /** What is kept, and for how long, goes by this one. */
  readonly clock: ClockGuard;
  /** What is published is dated by this one. */
  readonly recordClock: RecordClock;
  readonly clockFile: ClockFile;
  /** What the machine's clock says, in milliseconds since 1970: nothing is published that is dated ahead of it (spec D-2). */
  readonly wallMs: () => number;
}

/**
 * The server's clocks, held against what the last run recorded and what is stored.
 * @throws StoreError
 */
export async function openClocks(params: {
  store: Store;
  dataDirectory: string;
  /** The operator says that it is right: `--i-know clock`. */
  isKnown: boolean;
  clocks: Clocks;
  log: Pick<Logger, "info" | "warn">;
  /** Told when a clock that was doubted is believed. */
  onBelieved: () => void;
}): Promise<ServerClocks> {
  const { store, dataDirectory, isKnown, clocks, log, onBelieved } = params;
  const warn = (message: string): void => log.warn(message);
  const clockFile = new ClockFile(dataDirectory);
  const wallMs = clocks.nowMs ?? Date.now;
  // A clock of a test's own is never far from itself, and may say anything.
  const passedMs = clocks.passedMs ?? clocks.nowMs ?? ((): number => uptime() * 1000);
  const leastMs = clocks.nowMs === undefined ? earliestMs : 0;
  const [newestDay, { timestampMs }] = await Promise.all([store.newestDay(), store.directoryStatus()]);
  const storedMs = [newestDay * dayMs, timestampMs].filter((timeMs) => timeMs > 0);
  const knownMs = knownTime({ storedMs, wallMs: wallMs(), clockFile, restoredMs: readRestoreMark(dataDirectory)?.restoredMs, warn });
  const onChange = (doubt: ClockDoubt | undefined): void => {
    warn(doubt === undefined ? "the clock is believed again: things expire as before" : describeDoubt(doubt));
    if (doubt === undefined) onBelieved();
    else if (clockFile.trial === undefined) clockFile.beginDoubt(doubt.believedMs, { wallMs: doubt.wallMs, evenMs: 0 });
  };
  const clock = new ClockGuard({
    wallMs,
    passedMs,
    knownMs: isKnown ? undefined : knownMs,
    earliestMs: leastMs,
    trial: clockFile.trial,
    onChange,
  });
  if (isKnown && knownMs !== undefined && Math.abs(wallMs() - knownMs) < 2 * dayMs) {
    warn("--i-know clock is not needed: take it out of the start, so that a wrong clock is noticed");
  }
  const setMs = (): number => Math.max(wallMs(), leastMs);
  const recordClock = new RecordClock({
    wallMs: setMs,
    passedMs,
    knownMs: isKnown || timestampMs === 0 ? undefined : Math.min(timestampMs, setMs()),
    before: isKnown ? undefined : clockFile.publicRecord,
    onChange: (ahead) =>
      warn(
        ahead === undefined
          ? "the public record is dated by this machine's clock again"
          : `this machine's clock says ${minuteText(ahead.wallMs)}, ${spanText(ahead.wallMs - ahead.datedMs)} after where time would have brought it, as when the machine was off or the clock is wrong: the public record is dated from ${minuteText(ahead.datedMs)} on until witnesses say the same time or it has gone evenly for a day, which hurts nobody`,
      ),
  });
  if (timestampMs === 0) {
    log.info(
      `the public record begins with what this machine's clock says, ${minuteText(setMs())}, and nothing confirms it: look whether that is right now`,
    );
  }
  return { clock, recordClock, clockFile, wallMs: setMs };
}

/** The latest time of which it is known that it was; `undefined` where nothing is. */
function knownTime(params: {
  /** Of what is stored. */
  storedMs: readonly number[];
  wallMs: number;
  clockFile: ClockFile;
  /** When the folder was restored: whoever does that looks at the clock, and the copy itself is as old as it is. */
  restoredMs: number | undefined;
  warn: (message: string) => void;
}): number | undefined {
  const { storedMs, wallMs, clockFile, restoredMs, warn } = params;
  // One digit may be wrong: a day that neither the clock nor anything that came bears out is none.
  const isBorneOut = (timeMs: number | undefined): timeMs is number =>
    timeMs !== undefined && timeMs <= Math.max(wallMs, ...storedMs) + clockBoundMs;
  if (clockFile.recordedMs !== undefined && !isBorneOut(clockFile.recordedMs)) {
    warn("the file clock in the data folder has a day that is long after everything stored and after this machine's clock: it is ignored");
    clockFile.ignoreDay();
  }
  const recordedMs = [clockFile.recordedMs, restoredMs].find(isBorneOut);
  const past = storedMs.filter((timeMs) => timeMs <= wallMs + clockBoundMs);
  const times = recordedMs !== undefined ? [recordedMs, ...past] : past.length > 0 ? past : storedMs;
  return times.length === 0 ? undefined : Math.max(...times);
}
