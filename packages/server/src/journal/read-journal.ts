import { ServerError } from "../errors.ts";
import { decodeRecord, placedIn, readPlaced } from "./journal-files.ts";
import type { JournalRecord } from "./record.ts";

/** What a journal says of the public record from one size on. */
export interface JournalContents {
  /** By what the journal is known. */
  readonly id: string;
  /** Entries that the public record has with its newest record. */
  readonly end: number;
  /** In order and without a gap. The first is the one that the reader has already, where the journal has it. */
  readonly records: readonly JournalRecord[];
}

/**
 * Reads a journal from the record with this size on, which the reader has already; `upTo`: no further than there, whatever comes after.
 * @throws ServerError `journal_unusable` when there is none, it is another server's, or it does not hold what comes next; it says how far it does
 */
export async function readJournal(params: {
  folder: string;
  origin: string;
  fromSize: number;
  upTo: number | undefined;
}): Promise<JournalContents> {
  const { folder, origin, fromSize, upTo = Number.MAX_SAFE_INTEGER } = params;
  const segments = await placedIn(folder);
  if (segments.length === 0)
    throw new ServerError("journal_unusable", `There is no journal in ${folder}: name the folder that the server had as --journal.`);
  const records: JournalRecord[] = [];
  let [id, end] = ["", 0];
  for (const [at, placed] of segments.entries()) {
    const next = segments[at + 1];
    if (next !== undefined && next.first <= fromSize) continue;
    let read: ReturnType<typeof readPlaced>;
    try {
      read = readPlaced(placed, origin);
    } catch (error) {
      throw records.length === 0 ? error : holdsUpTo(folder, end, error);
    }
    if (read === "unfinished") continue;
    const { header, segment } = read;
    if (id !== "" && header.journal !== id) throw holdsUpTo(folder, end);
    id = header.journal;
    for (const bytes of segment.records) {
      const record = decodeRecord(bytes, placed.path);
      const isFirst = records.length === 0;
      if (isFirst && record.size > fromSize + 1) throw lacks(folder, fromSize + 1);
      if (!isFirst && record.size !== end + 1) throw holdsUpTo(folder, end);
      end = record.size;
      if (end >= fromSize) records.push(record);
      if (end === upTo) return { id, end, records };
    }
    if (segment.rest === "damaged") throw holdsUpTo(folder, end);
  }
  return { id, end, records };
}

function lacks(folder: string, size: number): ServerError {
  const message = `The journal in ${folder} lacks entry ${String(size)} of the public record, which came before it was begun: use a backup that is newer.`;
  return new ServerError("journal_unusable", message);
}

function holdsUpTo(folder: string, end: number, cause?: unknown): ServerError {
  const message =
    end === 0
      ? `The journal in ${folder} is damaged before its first record: look at its disk, or use a backup that is newer.`
      : `The journal in ${folder} is whole up to entry ${String(end)} of the public record, and lacks something or is damaged after it: look for an undamaged copy. With --up-to ${String(end)} the record comes back as far as that, and whoever has seen more refuses it.`;
  return new ServerError("journal_unusable", message, { cause });
}
