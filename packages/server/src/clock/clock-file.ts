import { readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../files.ts";

/**
 * Name of the file in the data folder. Its first line is the last day on which a run of the server believed its clock, as "2026-11-28".
 * Where the clock is doubted, a line "doubted TIME MILLISECONDS" follows: what the machine's clock said last, and how long it has gone
 * evenly. Where things are kept longer since a doubt, a line "kept until DAY".
 */
export const clockFileName = "clock";

const dayMs = 86_400_000;

/** A doubt that a run left: what the machine's clock said last, and how long it had gone evenly, in milliseconds. */
export interface RecordedTrial {
  readonly wallMs: number;
  readonly evenMs: number;
}

interface Recorded {
  readonly dayMs: number | undefined;
  readonly trial: RecordedTrial | undefined;
  readonly keptUntilMs: number | undefined;
}

/** The start of the recorded day in milliseconds since 1970; `undefined` where none is, or none that can be read. */
export function readClockFile(dataDirectory: string): number | undefined {
  return read(join(dataDirectory, clockFileName)).dayMs;
}

/** What one run tells the next of time. Where the disk refuses, what was recorded before stays: a later start then doubts its clock sooner. */
export class ClockFile {
  readonly #path: string;
  #recorded: Recorded;

  constructor(dataDirectory: string) {
    this.#path = join(dataDirectory, clockFileName);
    this.#recorded = read(this.#path);
  }

  /** The start of the last day on which a run believed its clock, in milliseconds since 1970. */
  get recordedMs(): number | undefined {
    return this.#recorded.dayMs;
  }

  /** The doubt that is recorded, and with it that what came meanwhile may have the day of long ago. */
  get trial(): RecordedTrial | undefined {
    return this.#recorded.trial;
  }

  /** Until when nothing expires, in milliseconds since 1970, 0 for no such time. */
  get keptUntilMs(): number {
    return this.#recorded.keptUntilMs ?? 0;
  }

  /** Records the day of a believed time. Whole on disk or not at all. */
  record(timeMs: number): void {
    this.#write({ ...this.#recorded, dayMs: startOf(timeMs) });
  }

  /** Records that the clock is doubted, before anything is dated by the time that is gone by instead. */
  recordDoubt(trial: RecordedTrial): void {
    this.#write({ ...this.#recorded, trial });
  }

  /** Records that a clock which was doubted is believed, and until when nothing expires now. */
  settle(keptUntilMs: number): void {
    this.#write({ ...this.#recorded, trial: undefined, keptUntilMs: keptUntilMs === 0 ? undefined : startOf(keptUntilMs) });
  }

  #write(next: Recorded): void {
    const text = format(next);
    if (text === format(this.#recorded)) return;
    try {
      replaceFile(this.#path, text);
      this.#recorded = next;
    } catch {
      // Tried again with the next hour.
    }
  }
}

function startOf(timeMs: number): number {
  return Math.floor(timeMs / dayMs) * dayMs;
}

function format({ dayMs: recordedMs, trial, keptUntilMs }: Recorded): string {
  const lines = [recordedMs === undefined ? "" : dayText(recordedMs)];
  if (trial !== undefined) lines.push(`doubted ${new Date(trial.wallMs).toISOString()} ${String(Math.floor(trial.evenMs))}`);
  if (keptUntilMs !== undefined) lines.push(`kept until ${dayText(keptUntilMs)}`);
  return `${lines.join("\n")}\n`;
}

function dayText(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}

function read(path: string): Recorded {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return { dayMs: undefined, trial: undefined, keptUntilMs: undefined };
  }
  const doubted = /^doubted (\S+) (\d{1,15})$/m.exec(text);
  const wallMs = Date.parse(doubted?.[1] ?? "");
  return {
    dayMs: dayOf(/^\d{4}-\d{2}-\d{2}$/m.exec(text.split("\n")[0] ?? "")?.[0]),
    trial: doubted === null || !Number.isFinite(wallMs) ? undefined : { wallMs, evenMs: Number(doubted[2]) },
    keptUntilMs: dayOf(/^kept until (\d{4}-\d{2}-\d{2})$/m.exec(text)?.[1]),
  };
}

function dayOf(day: string | undefined): number | undefined {
  const timeMs = Date.parse(`${day ?? ""}T00:00:00Z`);
  return Number.isFinite(timeMs) ? timeMs : undefined;
}
