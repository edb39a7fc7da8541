import { equalBytes } from "@latchkey/codec";
import { decodeEntryBundle, directoryOrigin, tileWidth } from "@latchkey/transparency";
import type { Logger } from "pino";
import { errorCode } from "../files.ts";
import { ServerError, StoreError } from "../errors.ts";
import type { DirectoryLogStore } from "../store/directory-store.ts";
import { Journal } from "./journal.ts";
import { journaled } from "./journaled-store.ts";
import type { JournaledStore } from "./journaled-store.ts";

/**
 * Opens the journal of a server and puts it before its store, after comparing the two: a data folder that is behind its journal is an old
 * copy, and one that goes on otherwise is another record. What waits for the journal is in it when this resolves.
 * @throws ServerError `journal_unusable` or `data_unusable`; StoreError
 */
export async function openJournaled(params: {
  store: DirectoryLogStore;
  folder: string;
  host: string;
  log: Pick<Logger, "warn" | "error">;
}): Promise<{ readonly store: JournaledStore; readonly journal: Journal }> {
  const { store, folder, host, log } = params;
  const journal = await Journal.open(folder, directoryOrigin(host));
  let isFailing = false;
  try {
    const { size } = await store.directoryStatus();
    await compare(store, journal, size);
    const waiting = await store.unjournaled();
    const isBehind = (journal.end?.size ?? 0) < size - waiting.length;
    if (isBehind) {
      log.warn("the journal begins after what was published without it: make a backup now, an older one cannot go on with this journal");
    }
    const onChange = (failure: unknown): void => {
      isFailing = failure !== undefined;
      if (failure === undefined) log.warn("the journal of the public record is written again");
      else
        log.error(
          { code: errorCode(failure) ?? "unknown" },
          "the journal of the public record cannot be written: nothing is published until it can",
        );
    };
    const guarded = journaled(store, { journal, shownSize: size - waiting.length, onChange });
    await guarded.newestCheckpoint();
    return { store: guarded, journal };
  } catch (error) {
    await journal.close();
    if (isFailing && error instanceof StoreError) {
      const message = `The journal in ${folder} cannot be written: check the path, its permissions and the disk.`;
      throw new ServerError("journal_unusable", message, { cause: error });
    }
    throw error;
  }
}

async function compare(store: DirectoryLogStore, journal: Journal, size: number): Promise<void> {
  const { end } = journal;
  if (end === undefined) return;
  if (end.size > size) {
    throw new ServerError(
      "data_unusable",
      `The journal has ${String(end.size)} entries of the public record, the data folder ${String(size)}: it is an old copy. Make it again with latchkey restore and the journal.`,
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
}
