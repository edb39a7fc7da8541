import { tileWidth } from "@latchkey/transparency";
import { StoreError } from "../errors.ts";
import type { DirectoryLogStore, PublicationResult } from "../store/directory-store.ts";
import type { Journal } from "./journal.ts";

/** A store whose public log is in a journal before anybody sees it. */
export interface JournaledStore extends DirectoryLogStore {
  /** Whether the journal could not be written the last time. */
  readonly isFailing: boolean;
}

/** Which of a store's methods the journal comes before. */
type Guarded = "publishDirectory" | "newestCheckpoint" | "serveHead" | "hashTile" | "entryTile" | "transition";

/**
 * Puts a journal before a store. What is published waits in the store until the journal has it; until then it is neither told to witnesses,
 * nor served, nor followed by another publication: whoever asks for it fails with StoreError `failed`, and the next try goes on from there.
 * `onChange` is told when the journal begins to fail, and of `undefined` when it works again.
 */
export function journaled(
  store: DirectoryLogStore,
  params: {
    readonly journal: Pick<Journal, "append" | "end">;
    /** Entries that were shown before, journaled or not. */
    readonly shownSize: number;
    readonly onChange: (failure: unknown) => void;
  },
): JournaledStore {
  const { journal, shownSize, onChange } = params;
  let isFailing = false;
  let last: Promise<void> = Promise.resolve();

  /** One at a time, in the order in which they are asked for. */
  function flush(): Promise<void> {
    const next = last.then(write);
    last = next.catch(() => undefined);
    return next;
  }

  async function write(): Promise<void> {
    const waiting = await store.unjournaled();
    if (waiting.length > 0) {
      try {
        for (const record of waiting) await journal.append(record);
      } catch (cause) {
        if (!isFailing) onChange(cause);
        isFailing = true;
        throw new StoreError("failed", { cause });
      }
      await store.dropJournaled({ size: journal.end?.size ?? 0 });
    }
    if (isFailing) onChange(undefined);
    isFailing = false;
  }

  const journaledSize = (): number => Math.max(shownSize, journal.end?.size ?? 0);
  const guarded: Pick<DirectoryLogStore, Guarded> = {
    async publishDirectory(publication): Promise<PublicationResult> {
      // One that waits for the journal comes first: never are there two that nobody has seen.
      await flush();
      const result = await store.publishDirectory({ ...publication, isServed: false, isJournaled: true });
      await flush();
      if (publication.isServed && result.head !== undefined) await store.serveHead({ size: result.head.size });
      return result;
    },
    async newestCheckpoint() {
      await flush();
      return store.newestCheckpoint();
    },
    async serveHead(params) {
      await flush();
      return store.serveHead(params);
    },
    async hashTile(tile) {
      const leaves = (tile.index * tileWidth + tile.width) * tileWidth ** tile.level;
      return leaves > journaledSize() ? undefined : store.hashTile(tile);
    },
    async entryTile(tile) {
      return tile.index * tileWidth + tile.width > journaledSize() ? undefined : store.entryTile(tile);
    },
    async transition(params) {
      return params.index >= journaledSize() ? undefined : store.transition(params);
    },
  };
  const rest: Omit<DirectoryLogStore, Guarded> = {
    directoryStatus: () => store.directoryStatus(),
    collectHeads: (params) => store.collectHeads(params),
    addCosignatures: (params) => store.addCosignatures(params),
    resignCheckpoint: (params) => store.resignCheckpoint(params),
    servedCheckpoint: () => store.servedCheckpoint(),
    lookup: (query) => store.lookup(query),
    proveAbsence: (params) => store.proveAbsence(params),
    proveAccounts: (params) => store.proveAccounts(params),
    proveLogHead: (params) => store.proveLogHead(params),
    proveConsistency: (params) => store.proveConsistency(params),
    configChange: (params) => store.configChange(params),
    unjournaled: () => store.unjournaled(),
    dropJournaled: (params) => store.dropJournaled(params),
    acceptLogsBehind: () => store.acceptLogsBehind(),
    areLogsBehind: () => store.areLogsBehind(),
    unlistedAccounts: (params) => store.unlistedAccounts(params),
  };
  return {
    ...rest,
    ...guarded,
    get isFailing() {
      return isFailing;
    },
  };
}
