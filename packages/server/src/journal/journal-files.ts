import { decode } from "@latchkey/codec";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode, namesIn } from "../files.ts";
import { ServerError } from "../errors.ts";
import { journalRecordCodec } from "./record.ts";
import type { JournalRecord } from "./record.ts";
import { isFormerSegment, readHeader, readSegment } from "./segments.ts";
import type { Segment, SegmentHeader } from "./segments.ts";

const namePattern = /^record-(\d{15})\.journal$/;

/** A segment that lies in the folder of a journal: the size with its first record. */
export interface PlacedSegment {
  readonly first: number;
  readonly path: string;
}

/** The name of the segment that begins with this size. */
export function segmentName(first: number): string {
  return `record-${String(first).padStart(15, "0")}.journal`;
}

/** The segments in a folder, in order; none where there is no folder. @throws ServerError `journal_unusable` */
export async function placedIn(folder: string): Promise<PlacedSegment[]> {
  try {
    const placed: PlacedSegment[] = [];
    for (const name of await namesIn(folder)) {
      const [, first] = namePattern.exec(name) ?? [];
      if (first !== undefined) placed.push({ first: Number(first), path: join(folder, name) });
    }
    return placed.toSorted((a, b) => a.first - b.first);
  } catch (cause) {
    throw unusable(folder, cause);
  }
}

/** Reads a segment of this public record; `unfinished` has no record. @throws ServerError `journal_unusable` where it is none, or of another */
export function readPlaced(
  { path, first }: PlacedSegment,
  origin: string,
): { readonly header: SegmentHeader; readonly segment: Segment } | "unfinished" {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(readFileSync(path));
  } catch (cause) {
    throw unusable(path, cause);
  }
  const header = readHeader(bytes);
  if (header === "unfinished") return header;
  if (header === undefined && isFormerSegment(bytes)) {
    const message = `${path} is of a version before the first release: keep it, name a new folder with --journal, and make a backup.`;
    throw new ServerError("journal_unusable", message);
  }
  if (header === undefined || header.first !== first) throw damaged(path);
  if (header.origin !== origin) {
    throw new ServerError("journal_unusable", `${path} is of another server's journal: name this server's own folder with --journal.`);
  }
  return { header, segment: readSegment(bytes, header) };
}

/** @throws ServerError `journal_unusable` */
export function decodeRecord(bytes: Uint8Array, path: string): JournalRecord {
  try {
    return decode(journalRecordCodec, bytes);
  } catch (cause) {
    throw damaged(path, cause);
  }
}

/** What is told of a segment that does not hold what it did. */
export function damaged(path: string, cause?: unknown): ServerError {
  const message = `${path} is damaged, or of a later version: keep it, name a new folder with --journal, and make a backup.`;
  return new ServerError("journal_unusable", message, { cause });
}

/** What is told of a path that cannot be read or written. */
export function unusable(path: string, cause: unknown): ServerError {
  const code = errorCode(cause);
  const reason = code === undefined ? "" : ` (${code})`;
  return new ServerError(
    "journal_unusable",
    `The journal in ${path} cannot be read or written${reason}: check the path, its permissions and the disk.`,
    { cause },
  );
}
