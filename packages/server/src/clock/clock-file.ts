import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { dayMs, dayOf, dayText, parseDay } from "../days.ts";
import { replaceFile } from "../files.ts";
import { maxDatedBack } from "./dated-back.ts";
import type { DatedBack } from "./dated-back.ts";
import type { EvenMark } from "./even-run.ts";
import type { RecordedTime } from "./record-clock.ts";

/**
 * Name of the file in the data folder. Its first line is the last day on which a run of the server believed its clock, as "2026-11-28".
 * Where the clock is doubted, a line "doubted TIME MILLISECONDS" follows: what the machine's clock said last, and how long it has gone
 * evenly. "dated back DAY DAY" is of a doubt that is over (`DatedBack`). "public record TIME MILLISECONDS" is what the public
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
  readonly datedBack: readonly DatedBack[];
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

  /** Doubts that are over, and what came in them not yet. */
  get datedBack(): readonly DatedBack[] {
    return this.#recorded.datedBack;
  }

  /** Nothing bears out the day that is recorded: it is as if it were not. */
  ignoreDay(): void {
    this.#recorded = { ...this.#recorded, dayMs: undefined };
  }

  /** Records the day of a believed time, and what the public record is dated by. Whole on disk or not at all. */
  record(timeMs: number, publicRecord: RecordedTime): void {
    this.#write({ ...this.#recorded, dayMs: dayOf(timeMs) * dayMs, publicRecord });
  }

  /** Records that the clock is doubted, before anything is dated by the time that is gone by instead, which is `timeMs`. */
  beginDoubt(timeMs: number, trial: EvenMark): void {
    this.#write({ ...this.#recorded, dayMs: dayOf(timeMs) * dayMs, trial });
  }

  /** Records how the doubt goes on. */
  recordDoubt(trial: EvenMark, publicRecord: RecordedTime): void {
    this.#write({ ...this.#recorded, trial, publicRecord });
  }

  /** Records that the clock is believed, and what doubts have left. */
  settle(datedBack: readonly DatedBack[]): void {
    this.#write({ ...this.#recorded, trial: undefined, datedBack });
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

function format({ dayMs: recordedMs, trial, datedBack, publicRecord }: Recorded): string {
  const mark = (name: string, timeMs: number, ms: number): string => `${name} ${new Date(timeMs).toISOString()} ${String(Math.floor(ms))}`;
  const lines = [recordedMs === undefined ? "" : dayText(dayOf(recordedMs))];
  if (trial !== undefined) lines.push(mark("doubted", trial.wallMs, trial.evenMs));
  for (const { fromDay, untilDay } of datedBack) lines.push(`dated back ${dayText(fromDay)} ${dayText(untilDay)}`);
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
    return { dayMs: undefined, trial: undefined, datedBack: [], publicRecord: undefined };
  }
  const lines = text.split("\n");
  const publicRecord = readMark(lines, "public record");
  return {
    dayMs: timeOf(lines[0] ?? ""),
    trial: readMark(lines, "doubted"),
    datedBack: lines.flatMap(readDatedBack).slice(0, maxDatedBack),
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

/** A line "dated back DAY DAY". */
function readDatedBack(line: string): DatedBack[] {
  const [, from = "", until = ""] = /^dated back (\S+) (\S+)$/.exec(line) ?? [];
  const [fromDay, untilDay] = [parseDay(from), parseDay(until)];
  return fromDay === undefined || untilDay === undefined ? [] : [{ fromDay, untilDay }];
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
