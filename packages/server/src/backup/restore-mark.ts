import { readFileSync } from "node:fs";
import { join } from "node:path";

/** In a data folder that was restored: when, and from a copy of when. */
export const restoreMarkFile = "restored.json";
const format = "latchkey restored 1";

/** A data folder was made again from a backup. Times in milliseconds since 1970. */
export interface RestoreMark {
  readonly restoredMs: number;
  /** When the backup was made: what came later is lost, or came back from the journal. */
  readonly copiedMs: number;
  /** Entries of the public record then, and whether the journal brought it to its end. */
  readonly recordSize: number;
  readonly isRecordWhole: boolean;
}

export function encodeRestoreMark(mark: RestoreMark): string {
  return `${JSON.stringify({ format, ...mark })}\n`;
}

/** The mark of a data folder; `undefined` where it was never restored, or has one that this version cannot read. */
export function readRestoreMark(dataDirectory: string): RestoreMark | undefined {
  try {
    const value = JSON.parse(readFileSync(join(dataDirectory, restoreMarkFile), "utf8")) as Record<string, unknown>;
    const { restoredMs, copiedMs, recordSize, isRecordWhole } = value;
    if (value["format"] !== format || !isCount(restoredMs) || !isCount(copiedMs) || !isCount(recordSize)) return undefined;
    return typeof isRecordWhole === "boolean" ? { restoredMs, copiedMs, recordSize, isRecordWhole } : undefined;
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
