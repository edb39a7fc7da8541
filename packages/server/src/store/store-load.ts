import type { StoreFault } from "../errors.ts";

/** How much the store has to do, and what it fails at, for whoever watches the server: numbers, names of operations and causes alone. Shared by the store, which writes it, and its reader. */
export class StoreLoad {
  /** Operations that wait for the next batch, as of now. The store puts its own in place of this. */
  waiting: () => number = () => 0;
  /** Told how long each batch took until it was on disk, in seconds. */
  onBatch: (seconds: number) => void = () => {};
  /** Told of each operation that failed although the disk works and has room. */
  onFault: (operation: string, fault: StoreFault) => void = () => {};
  /** Told of each operation that was done and not refused. */
  onSuccess: (operation: string) => void = () => {};
  /** Told that it closed on a full disk: something stays in the write-ahead logs for the next start. */
  onClosedFull: () => void = () => {};
}
