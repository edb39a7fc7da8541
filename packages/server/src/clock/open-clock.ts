import { uptime } from "node:os";
import { readRestoreMark } from "../backup/restore-mark.ts";
import type { Store } from "../store/store.ts";
import type { ClockFile } from "./clock-file.ts";
import { readClockFile } from "./clock-file.ts";
import { ClockGuard, describeDoubt } from "./clock-guard.ts";
import type { ClockDoubt } from "./clock-guard.ts";

const dayMs = 86_400_000;
/** No machine ran this program before: a clock that says so was never set. */
const earliestMs = Date.UTC(2026, 0, 1);

/** Where a test puts its own clocks. */
export interface Clocks {
  readonly nowMs?: () => number;
  readonly passedMs?: () => number;
}

/**
 * The server's clock, held against the day that the last run recorded, or in a folder without one against what is stored.
 * @throws StoreError
 */
export async function openClock(params: {
  store: Store;
  dataDirectory: string;
  clockFile: ClockFile;
  /** The operator says that it is right: `--i-know clock`. */
  isKnown: boolean;
  clocks: Clocks;
  warn: (message: string) => void;
  /** Told when a clock that was doubted is believed. */
  onBelieved: () => void;
}): Promise<ClockGuard> {
  const { store, dataDirectory, clockFile, isKnown, clocks, warn, onBelieved } = params;
  const wallMs = clocks.nowMs ?? Date.now;
  // A clock of a test's own is never far from itself.
  const passedMs = clocks.passedMs ?? clocks.nowMs ?? ((): number => uptime() * 1000);
  // Whoever restores a backup looks at the clock: the copy itself is as old as it is.
  const recordedMs = readClockFile(dataDirectory) ?? readRestoreMark(dataDirectory)?.restoredMs;
  const storedMs = recordedMs ?? (await newestStoredMs(store));
  const unset = clocks.nowMs === undefined && wallMs() < earliestMs ? earliestMs : undefined;
  const onChange = (doubt: ClockDoubt | undefined): void => {
    warn(doubt === undefined ? "the clock is believed again: things expire as before" : describeDoubt(doubt));
    if (doubt === undefined) onBelieved();
    else if (clockFile.trial === undefined) clockFile.recordDoubt({ wallMs: doubt.wallMs, evenMs: 0 });
  };
  const clock = new ClockGuard({ wallMs, passedMs, knownMs: isKnown ? undefined : (storedMs ?? unset), trial: clockFile.trial, onChange });
  if (isKnown && storedMs !== undefined && Math.abs(wallMs() - storedMs) < 2 * dayMs) {
    warn("--i-know clock is not needed: take it out of the start, so that a wrong clock is noticed");
  }
  return clock;
}

async function newestStoredMs(store: Store): Promise<number | undefined> {
  const [newestDay, { timestampMs }] = await Promise.all([store.newestDay(), store.directoryStatus()]);
  const newestMs = Math.max(newestDay * dayMs, timestampMs);
  return newestMs === 0 ? undefined : newestMs;
}
