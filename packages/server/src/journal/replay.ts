import { decode, equalBytes } from "@latchkey/codec";
import { decodeEntryBundle, directoryConfigCodec, logEntryCodec, tileWidth } from "@latchkey/transparency";
import { ServerError, StoreError } from "../errors.ts";
import type { DirectoryLogStore, Publication } from "../store/directory-store.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { readJournal } from "./read-journal.ts";
import type { JournalContents } from "./read-journal.ts";
import type { JournalRecord } from "./record.ts";

/** What a journal brought back. */
export interface Replayed {
  /** Entries of the public record now. */
  readonly recordSize: number;
  /** Publications that the copy did not have. */
  readonly replayed: number;
  /** What the public record goes by: its configs, encoded, and its newest checkpoint, a C2SP signed note. */
  readonly record: { readonly firstConfig: Uint8Array; readonly config: Uint8Array; readonly note: string };
}

/** Publications that are with the store at once: of a batch all are one transaction. */
const atOnce = 64;

/**
 * Brings the databases in a folder, which nobody else uses, to the end of a journal, or to the size `upTo`: the same entries, byte for byte,
 * and the accounts that made them. Without a journal they stay as they are, and belong to none.
 * @throws ServerError `journal_unusable` when the journal is damaged, lacks an entry, ends before the copy, or is of another record
 */
export async function replayJournal(params: {
  databases: string;
  journal: string | undefined;
  upTo: number | undefined;
}): Promise<Replayed> {
  const { databases, journal, upTo } = params;
  const store = await openSqliteStore({ directory: databases });
  try {
    const { size } = await store.directoryStatus();
    if (journal !== undefined) await bringUp(store, { journal, upTo, size });
    // One that goes on from here would be another record than the rest of the journal.
    if (journal === undefined || upTo !== undefined) await store.dropJournaled({ size: Number.MAX_SAFE_INTEGER, journal: undefined });
    const { size: recordSize, firstConfig, config } = await store.directoryStatus();
    const { note = "" } = (await store.newestCheckpoint()) ?? {};
    return { recordSize, replayed: recordSize - size, record: { firstConfig, config, note } };
  } catch (error) {
    if (error instanceof StoreError)
      throw new ServerError("restore_failed", "The copy cannot be read or written: look at the disk.", { cause: error });
    throw error;
  } finally {
    await store.close();
  }
}

async function bringUp(
  store: DirectoryLogStore,
  { journal, upTo, size }: { journal: string; upTo: number | undefined; size: number },
): Promise<void> {
  if (size === 0) throw new ServerError("journal_unusable", "The backup has no public record yet: restore it without the journal.");
  if (upTo !== undefined && upTo < size) {
    const message = `The backup has ${String(size)} entries of the public record already: use an older one, or leave --up-to away.`;
    throw new ServerError("journal_unusable", message);
  }
  const { origin } = decode(directoryConfigCodec, (await store.directoryStatus()).firstConfig);
  // What waited for the journal when the copy was made may be in it, or come to it when the server starts.
  const written = size - (await store.unjournaled()).length;
  const contents = await readJournal({ folder: journal, origin, fromSize: Math.max(1, written), upTo });
  if (contents.end < written) {
    throw new ServerError(
      "journal_unusable",
      `The journal in ${journal} ends at entry ${String(contents.end)} of the public record, and the backup has ${String(size)}: it is an old copy, or was not written since. Name the one that the server wrote last; if there is none, --without-journal.`,
    );
  }
  if (upTo !== undefined && contents.end < upTo) {
    throw new ServerError("journal_unusable", `The journal in ${journal} ends at entry ${String(contents.end)}: leave --up-to away.`);
  }
  await checkOverlap(store, contents, size);
  const missing = contents.records.filter((record) => record.size > size);
  for (let at = 0; at < missing.length; at += atOnce) {
    const part = missing.slice(at, at + atOnce).map((record) => store.publishDirectory(publicationOf(record, origin)));
    const settled = await Promise.allSettled(part);
    if (settled.some(({ status }) => status === "rejected")) throw otherRecord();
  }
  await store.dropJournaled({ size: contents.end, journal: contents.id });
  await store.acceptLogsBehind();
}

/** What both have must be the same. */
async function checkOverlap(store: DirectoryLogStore, { records }: JournalContents, size: number): Promise<void> {
  for (const record of records.filter((each) => each.size <= size)) {
    const index = Math.floor((record.size - 1) / tileWidth);
    const width = record.size - index * tileWidth;
    const bundle = await store.entryTile({ index, width });
    const own = bundle === undefined ? undefined : decodeEntryBundle(bundle, width).at(-1);
    if (own === undefined || !equalBytes(own, record.entry)) throw otherRecord();
  }
}

function publicationOf({ entry, note, changes, operator, openings }: JournalRecord, origin: string): Publication {
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
    operator,
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
