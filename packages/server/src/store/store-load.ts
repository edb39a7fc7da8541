/** How much the store has to do, for whoever watches the server: numbers alone. Shared by the store, which writes it, and its reader. */
export class StoreLoad {
  /** Operations that wait for the next batch, as of now. The store puts its own in place of this. */
  waiting: () => number = () => 0;
  /** Told how long each batch took until it was on disk, in seconds. */
  onBatch: (seconds: number) => void = () => {};
}
