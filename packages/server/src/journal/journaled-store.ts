import { tileWidth } from "@latchkey/transparency";
import { StoreError } from "../errors.ts";
import type { DirectoryLogStore, PublicationResult } from "../store/directory-store.ts";
import { JournalGone } from "./journal.ts";
import type { Journal } from "./journal.ts";

/** Why a journal takes nothing: it cannot be written, or is not where it was. */
export type JournalFailure = "unwritable" | "gone";

/** A store whose public log is in a journal before anybody sees it. */
export interface JournaledStore extends DirectoryLogStore {
  /** What was wrong with the journal the last time; `undefined` where nothing was. */
  readonly failure: JournalFailure | undefined;
  /** Looks after the journal though nothing is published: it is where it was, and has what waits for it. @throws StoreError `unjournaled` */
  lookAfterJournal(): Promise<void>;
}

/** Which of a store's methods the journal comes before. */
type Guarded = "publishDirectory" | "newestCheckpoint" | "serveHead" | "hashTile" | "entryTile" | "transition";

/**
 * Puts a journal before a store. What is published waits in the store until the journal has it; until then it is neither told to witnesses,
 * nor served, nor followed by another publication: whoever asks for it fails with StoreError `unjournaled`, and the next try goes on from
 * there. `onChange` is told when the journal begins to fail, and of `undefined` when it works again.
 */
export function journaled(
  store: DirectoryLogStore,
  params: {
    readonly journal: Pick<Journal, "id" | "append" | "end" | "look">;
    /** Entries that were shown before, journaled or not. */
    readonly shownSize: number;
    readonly onChange: (failure: unknown) => void;
  },
): JournaledStore {
  const { journal, shownSize, onChange } = params;
  let failure: JournalFailure | undefined;
  let last: Promise<void> = Promise.resolve();

  /** One at a time, in the order in which they are asked for. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  }

  const flush = (): Promise<void> =>
    inTurn(async () => {
      const waiting = await store.unjournaled();
      if (waiting.length > 0) {
        await withJournal(async () => {
          for (const record of waiting) await journal.append(record);
        });
        await store.dropJournaled({ size: journal.end?.size ?? 0, journal: journal.id });
      } else if (failure !== undefined) {
        await withJournal(() => journal.look());
      }
      if (failure !== undefined) onChange(undefined);
      failure = undefined;
    });

  async function withJournal(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      const found = cause instanceof JournalGone ? "gone" : "unwritable";
      if (failure !== found) onChange(cause);
      failure = found;
      throw new StoreError("unjournaled", { cause });
    }
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
    lookupOperator: (query) => store.lookupOperator(query),
    newestOperatorValue: (params) => store.newestOperatorValue(params),
    proveAbsence: (params) => store.proveAbsence(params),
    proveAccounts: (params) => store.proveAccounts(params),
    proveLogHead: (params) => store.proveLogHead(params),
    proveConsistency: (params) => store.proveConsistency(params),
    configChange: (params) => store.configChange(params),
    unjournaled: () => store.unjournaled(),
    dropJournaled: (params) => store.dropJournaled(params),
    journalNote: () => store.journalNote(),
    acceptLogsBehind: () => store.acceptLogsBehind(),
    areLogsBehind: () => store.areLogsBehind(),
  };
  return {
    ...rest,
    ...guarded,
    get failure() {
      return failure;
    },
    async lookAfterJournal() {
      await inTurn(() => withJournal(() => journal.look()));
      await flush();
    },
  };
}
