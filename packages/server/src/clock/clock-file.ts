import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Name of the file in the data folder: the last day on which a run of the server believed its clock, as "2026-11-28". */
export const clockFileName = "clock";

const dayMs = 86_400_000;

/** The start of the recorded day in milliseconds since 1970; `undefined` where none is, or none that can be read. */
export function readClockFile(dataDirectory: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(join(dataDirectory, clockFileName), "utf8").trim();
  } catch {
    return undefined;
  }
  const timeMs = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return Number.isFinite(timeMs) ? timeMs : undefined;
}

/** Records days as they come, each once. Where the disk refuses, the day before stays: a later start then doubts its clock sooner. */
export class ClockFile {
  readonly #path: string;
  #day: string | undefined;

  constructor(dataDirectory: string) {
    this.#path = join(dataDirectory, clockFileName);
  }

  /** Records the day of a believed time. Whole on disk or not at all. */
  record(timeMs: number): void {
    const day = new Date(Math.floor(timeMs / dayMs) * dayMs).toISOString().slice(0, 10);
    if (day === this.#day) return;
    try {
      const file = openSync(`${this.#path}.new`, "w", 0o600);
      try {
        writeSync(file, `${day}\n`);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(`${this.#path}.new`, this.#path);
      this.#day = day;
    } catch {
      // Tried again with the next hour.
    }
  }
}
