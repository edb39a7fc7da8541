import type { StoreFault } from "../errors.ts";

/** What a store takes on disk, in bytes. */
export interface StoreSize {
  readonly databaseBytes: number;
  /** What is not yet in them; absent where it is not the store's alone. */
  readonly journalBytes?: number;
}

/** How much the store has to do and holds, and what it fails at, for whoever watches the server: numbers, names of operations and causes alone. Shared by the store, which writes it, and its reader. */
export class StoreLoad {
  /** Operations that wait for the next batch, as of now. The store puts its own in place of this. */
  waiting: () => number = () => 0;
  /** What it takes on disk; `undefined` while nobody knows. The store, or who opens it, puts its own in place of this. */
  size: () => Promise<StoreSize | undefined> = () => Promise.resolve(undefined);
  /** Why it does nothing now, in a sentence that says what to do; `undefined` while it works. The store puts its own in place of this. */
  away: () => string | undefined = () => undefined;
  /** Told that sentence, once a minute at most, and `undefined` once it works again. */
  onAway: (why: string | undefined) => void = () => {};
  /** Told how long each batch took until it was on disk, in seconds. */
  onBatch: (seconds: number) => void = () => {};
  /** Told of each operation that failed although the disk works and has room. */
  onFault: (operation: string, fault: StoreFault) => void = () => {};
  /** Told of each operation that was done and not refused. */
  onSuccess: (operation: string) => void = () => {};
  /** Told that it closed on a full disk: something stays in the write-ahead logs for the next start. */
  onClosedFull: () => void = () => {};
}
