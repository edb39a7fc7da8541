import { decode } from "@latchkey/codec";
import { directoryConfigCodec, logEntryCodec } from "@latchkey/transparency";
import { ServerError, StoreError } from "../errors.ts";
import type { Publication } from "../store/directory-store.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { readJournal } from "./journal.ts";
import type { JournalRecord } from "./record.ts";

/** What a journal brought back. */
export interface Replayed {
  /** Entries of the public record now. */
  readonly recordSize: number;
  /** Publications that the copy did not have. */
  readonly replayed: number;
}

/** Publications that are with the store at once: of a batch all are one transaction. */
const atOnce = 64;

/**
 * Brings the databases in a folder, which nobody else uses, to the end of a journal: the same entries, byte for byte, and the accounts that
 * made them. @throws ServerError `journal_unusable` when the journal is damaged, lacks an entry, or goes on from another record
 */
export async function replayJournal(params: { databases: string; journal: string }): Promise<Replayed> {
  const { databases, journal } = params;
  const store = await openSqliteStore({ directory: databases });
  try {
    const { size, firstConfig } = await store.directoryStatus();
    if (size === 0) throw new ServerError("journal_unusable", "The backup has no public record yet: restore it without the journal.");
    const { origin } = decode(directoryConfigCodec, firstConfig);
    const records = await readJournal(journal, origin, size + 1);
    const newest = records.at(-1);
    for (let at = 0; at < records.length; at += atOnce) {
      const part = records.slice(at, at + atOnce).map((record) => store.publishDirectory(publicationOf(record, origin)));
      const settled = await Promise.allSettled(part);
      if (settled.some(({ status }) => status === "rejected")) throw otherRecord();
    }
    const recordSize = newest?.size ?? size;
    // The copy may have been made while some waited for the journal.
    await store.dropJournaled({ size: recordSize });
    await store.acceptLogsBehind();
    return { recordSize, replayed: records.length };
  } catch (error) {
    if (error instanceof StoreError)
      throw new ServerError("restore_failed", "The copy cannot be read or written: look at the disk.", { cause: error });
    throw error;
  } finally {
    await store.close();
  }
}

function publicationOf({ entry, note, changes, adopt, openings }: JournalRecord, origin: string): Publication {
  const { config, timestampMs } = decode(logEntryCodec, entry);
  return {
    // They were within all bounds then.
    changes: changes.map((change) => ({
      ...change,
      invitation: undefined,
      maxAccounts: 0,
      maxUpdatesPerDay: Number.MAX_SAFE_INTEGER,
      maxHistoryBytes: Number.MAX_SAFE_INTEGER,
    })),
    adopt,
    config,
    withHeads: false,
    nowMs: timestampMs,
    signer: { origin, keys: [] },
    isServed: true,
    replay: { entry, note, openings },
  };
}

function otherRecord(): ServerError {
  return new ServerError(
    "journal_unusable",
    "The journal goes on from another public record than the backup has, or the disk is full: name the journal that the server wrote after this backup.",
  );
}
