import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { dayMs, dayOf, dayText, parseDay } from "../days.ts";
import { replaceFile } from "../files.ts";
import type { EvenMark } from "./even-run.ts";
import type { RecordedTime } from "./record-clock.ts";

/**
 * Name of the file in the data folder. Its first line is the last day on which a run of the server believed its clock, as "2026-11-28".
 * Where the clock is doubted, a line "doubted TIME MILLISECONDS" follows: what the machine's clock said last, and how long it has gone
 * evenly. Where things are kept longer since a doubt, a line "kept until DAY". "public record TIME MILLISECONDS" is what the public
 * record was dated by last, and the reading of the clock that never jumps then; "ahead TIME MILLISECONDS" as "doubted", of a clock that
 * the record is not dated by yet. A line of another form is as if it were not there.
 */
export const clockFileName = "clock";

/** No machine ran this program before: a clock, or a file, that says so is wrong. In milliseconds since 1970. */
export const earliestMs: number = Date.UTC(2026, 0, 1);
/** More is in no file of this kind: one that a disk or a hand made larger is not read to its end. */
const maxFileBytes = 4096;

/** What one run tells the next. Times in milliseconds since 1970. */
interface Recorded {
  readonly dayMs: number | undefined;
  readonly trial: EvenMark | undefined;
  readonly keptUntilMs: number | undefined;
  readonly publicRecord: RecordedTime | undefined;
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
  get trial(): EvenMark | undefined {
    return this.#recorded.trial;
  }

  /** What the public record was dated by. */
  get publicRecord(): RecordedTime | undefined {
    return this.#recorded.publicRecord;
  }

  /** Until when nothing expires, in milliseconds since 1970, 0 for no such time. */
  get keptUntilMs(): number {
    return this.#recorded.keptUntilMs ?? 0;
  }

  /** Nothing bears out the day that is recorded: it is as if it were not. */
  ignoreDay(): void {
    this.#recorded = { ...this.#recorded, dayMs: undefined };
  }

  /** Records the day of a believed time, and what the public record is dated by. Whole on disk or not at all. */
  record(timeMs: number, publicRecord: RecordedTime): void {
    this.#write({ ...this.#recorded, dayMs: dayOf(timeMs) * dayMs, publicRecord });
  }

  /** Records that the clock is doubted, before anything is dated by the time that is gone by instead. */
  recordDoubt(trial: EvenMark, publicRecord?: RecordedTime): void {
    this.#write({ ...this.#recorded, trial, ...(publicRecord && { publicRecord }) });
  }

  /** Records that a clock which was doubted is believed, and until when nothing expires now. */
  settle(keptUntilMs: number): void {
    this.#write({ ...this.#recorded, trial: undefined, keptUntilMs: keptUntilMs === 0 ? undefined : dayOf(keptUntilMs) * dayMs });
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

function format({ dayMs: recordedMs, trial, keptUntilMs, publicRecord }: Recorded): string {
  const mark = (name: string, timeMs: number, ms: number): string => `${name} ${new Date(timeMs).toISOString()} ${String(Math.floor(ms))}`;
  const lines = [recordedMs === undefined ? "" : dayText(dayOf(recordedMs))];
  if (trial !== undefined) lines.push(mark("doubted", trial.wallMs, trial.evenMs));
  if (keptUntilMs !== undefined) lines.push(`kept until ${dayText(dayOf(keptUntilMs))}`);
  if (publicRecord !== undefined) {
    const { datedMs, passedMs, ahead } = publicRecord;
    lines.push(mark("public record", datedMs, passedMs));
    if (ahead !== undefined) lines.push(mark("ahead", ahead.wallMs, ahead.evenMs));
  }
  return `${lines.join("\n")}\n`;
}

function read(path: string): Recorded {
  let text: string;
  try {
    text = readStart(path);
  } catch {
    return { dayMs: undefined, trial: undefined, keptUntilMs: undefined, publicRecord: undefined };
  }
  const lines = text.split("\n");
  const publicRecord = readMark(lines, "public record");
  return {
    dayMs: timeOf(lines[0] ?? ""),
    trial: readMark(lines, "doubted"),
    keptUntilMs: timeOf(/^kept until (\S+)$/m.exec(text)?.[1] ?? ""),
    publicRecord: publicRecord && { datedMs: publicRecord.wallMs, passedMs: publicRecord.evenMs, ahead: readMark(lines, "ahead") },
  };
}

/** A line "NAME TIME MILLISECONDS". */
function readMark(lines: readonly string[], name: string): EvenMark | undefined {
  const line = lines.find((each) => each.startsWith(`${name} `)) ?? "";
  const [, time = "", ms = ""] = /^(\S+) (\d{1,15})$/.exec(line.slice(name.length + 1)) ?? [];
  const wallMs = Date.parse(time);
  return wallMs >= 0 ? { wallMs, evenMs: Number(ms) } : undefined;
}

function timeOf(text: string): number | undefined {
  const day = parseDay(text);
  return day === undefined || day * dayMs < earliestMs ? undefined : day * dayMs;
}

function readStart(path: string): string {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(maxFileBytes);
    return bytes.toString("utf8", 0, readSync(file, bytes, 0, maxFileBytes, 0));
  } finally {
    closeSync(file);
  }
}
