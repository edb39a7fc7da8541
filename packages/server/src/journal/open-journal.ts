import { equalBytes } from "@latchkey/codec";
import { decodeEntryBundle, directoryOrigin, tileWidth } from "@latchkey/transparency";
import type { Logger } from "pino";
import { errorCode } from "../files.ts";
import { ServerError, StoreError } from "../errors.ts";
import type { DirectoryLogStore, JournalNote } from "../store/directory-store.ts";
import { Journal, JournalGone } from "./journal.ts";
import type { JournalEnd } from "./journal.ts";
import { journaled } from "./journaled-store.ts";
import type { JournaledStore } from "./journaled-store.ts";

/** A server's journal, and the store behind it. */
export interface OpenedJournal {
  readonly store: JournaledStore;
  readonly journal: Journal;
  /** Entries of the public record that a backup must have, so that a restore can go on from it with this journal. */
  readonly coveredSize: () => number;
}

/**
 * Opens the journal of a server and puts it before its store, after comparing the two: a data folder that is behind its journal is an old
 * copy, one that goes on otherwise is another record, and a journal that is not the one that this store was written with, or has lost
 * something, is not gone on with unless the operator knows. What waits for the journal is in it when this resolves.
 * @throws ServerError `journal_unusable` or `data_unusable`; StoreError
 */
export async function openJournaled(params: {
  store: DirectoryLogStore;
  folder: string;
  host: string;
  /** The operator gives up the journal that there was. */
  isNewKnown: boolean;
  log: Pick<Logger, "warn" | "error">;
}): Promise<OpenedJournal> {
  const { store, folder, host, isNewKnown, log } = params;
  const journal = await Journal.open(folder, directoryOrigin(host));
  let isFailing = false;
  try {
    const { size } = await store.directoryStatus();
    const shownSize = size - (await store.unjournaled()).length;
    if (!isNewKnown) checkNote(await store.journalNote(), journal, folder);
    if (journal.end !== undefined) await compare(store, journal.end, { size, shownSize, folder });
    if (journal.end === undefined && shownSize > 0)
      log.warn("the journal begins after what was published without it: make a backup now, an older one cannot go on with this journal");
    // From here on it is this one.
    await store.dropJournaled({ size: journal.end?.size ?? 0, journal: journal.end === undefined ? undefined : journal.id });
    const onChange = (failure: unknown): void => {
      isFailing = failure !== undefined;
      if (failure === undefined) log.warn("the journal of the public record is written again");
      else if (failure instanceof JournalGone) log.error(goneMessage);
      else
        log.error(
          { code: errorCode(failure) ?? "unknown" },
          "the journal of the public record cannot be written: nothing is published until it can",
        );
    };
    const guarded = journaled(store, { journal, shownSize, onChange });
    await guarded.newestCheckpoint();
    return { store: guarded, journal, coveredSize: () => (journal.first ?? shownSize + 1) - 1 };
  } catch (error) {
    await journal.close();
    if (isFailing && error instanceof StoreError) {
      const message = `The journal in ${folder} cannot be written: check the path, its permissions and the disk.`;
      throw new ServerError("journal_unusable", message, { cause: error });
    }
    throw error;
  }
}

/** For a server without a journal: refuses to publish beside one that there was. @throws ServerError `journal_unusable`; StoreError */
export async function goOnWithoutJournal(store: DirectoryLogStore, isNewKnown: boolean): Promise<void> {
  const note = await store.journalNote();
  if (note !== undefined && !isNewKnown) {
    throw new ServerError(
      "journal_unusable",
      `The public record has a journal, which must not miss an entry: name its folder with --journal. ${giveUp}`,
    );
  }
  await store.dropJournaled({ size: Number.MAX_SAFE_INTEGER, journal: undefined });
}

const giveUp =
  "If it is lost, or not wanted any more, start once with --i-know new-journal, and make a backup: older ones lack what comes in between.";
const goneMessage =
  "the journal of the public record is not where it was: nothing is published until its disk is back, or the server starts once with --i-know new-journal";

function checkNote(note: JournalNote | undefined, { id, end }: Journal, folder: string): void {
  if (note === undefined) return;
  const refuse = (what: string): ServerError => new ServerError("journal_unusable", `${what} ${giveUp}`);
  if (end === undefined)
    throw refuse(`The journal is not in ${folder}, which has none: mount its disk, or name the folder that has it with --journal.`);
  if (id !== note.journal)
    throw refuse(`The journal in ${folder} is another one than this server wrote: name the right folder with --journal.`);
  if (end.size < note.size) {
    throw refuse(
      `The journal in ${folder} ends at entry ${String(end.size)}, and had ${String(note.size)}: it is an old copy, or its disk has lost something.`,
    );
  }
}

async function compare(
  store: DirectoryLogStore,
  end: JournalEnd,
  { size, shownSize, folder }: { size: number; shownSize: number; folder: string },
): Promise<void> {
  if (end.size > size) {
    const what = size === 0 ? "none: its disk is not there, or it was emptied" : `${String(size)}: it is an old copy`;
    throw new ServerError(
      "data_unusable",
      `The journal has ${String(end.size)} entries of the public record, the data folder ${what}. Put the right one in its place, or make it again with latchkey restore and the journal.`,
    );
  }
  const index = Math.floor((end.size - 1) / tileWidth);
  const width = end.size - index * tileWidth;
  const bundle = await store.entryTile({ index, width });
  const own = bundle === undefined ? undefined : decodeEntryBundle(bundle, width).at(-1);
  if (own === undefined || !equalBytes(own, end.entry)) {
    throw new ServerError(
      "journal_unusable",
      "The journal goes on from another public record than the data folder has: keep it, and name a new folder with --journal.",
    );
  }
  if (end.size < shownSize) {
    throw new ServerError(
      "journal_unusable",
      `The journal in ${folder} ends at entry ${String(end.size)}, and the public record went on without it: keep it, name an empty folder with --journal, and make a backup.`,
    );
  }
}
