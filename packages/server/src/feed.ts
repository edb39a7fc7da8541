/** Something numbered that a feed hands out. */
export interface Numbered {
  readonly seq: number;
}

/** Where a feed's items go. */
export interface Sink {
  /** Whether it takes more now; when it does again, it calls the feed's `wake`. */
  readonly isWritable: boolean;
  /** Reads a page when it is this reader's turn. */
  page<T>(read: () => Promise<T>): Promise<T>;
  /** The feed cannot go on from its cursor, because of `error` or since items are gone: the reader must open again. */
  lost(error?: unknown): void;
}

/** Items of a page that are handed out in one turn of the event loop. */
const itemsAtOnce = 64;

/**
 * Hands out numbered items in order, each once, from a cursor on: what is stored first, then what comes in.
 *
 *   reading --caught up--> live --item out of turn, or sink full--> reading
 *      |                     |
 *      +---- sink full, or `isPaused` ----> waiting --wake--> reading        any --close--> closed
 *
 * Invariant: everything up to the cursor was handed out (or withheld by `deliver`), nothing after it. Memory is bounded:
 * at most one page beyond what the sink holds.
 */
export abstract class Feed<Item extends Numbered> {
  protected cursor: number;
  readonly #sink: Sink;
  #state: "reading" | "live" | "waiting" | "closed" = "waiting";

  constructor(cursor: number, sink: Sink) {
    this.cursor = cursor;
    this.#sink = sink;
  }

  /** Items after the cursor in store, ascending; empty when there are none. */
  protected abstract readPage(afterSeq: number): Promise<readonly Item[]>;
  /** The number of the last item there is. */
  protected abstract lastSeq(): number;
  /** Hands one item to the reader. */
  protected abstract deliver(item: Item): void;
  /** Whether the reader must do something before the next item. */
  protected abstract get isPaused(): boolean;
  /** Whether items may be missing between two others: erased ones. */
  protected abstract readonly allowsGaps: boolean;

  /** A new item. Called in order of the numbers. */
  offer(item: Item): void {
    if (this.#state !== "live") return;
    // What is between, somebody else may have stored: it is read.
    if (item.seq === this.cursor + 1 && this.#sink.isWritable) {
      this.cursor = item.seq;
      this.deliver(item);
      if (this.isPaused) this.#state = "waiting";
    } else if (item.seq > this.cursor) {
      this.#state = "waiting";
      this.wake();
    }
  }

  /** Something changed that the feed may have waited for. */
  wake(): void {
    if (this.#state === "waiting") void this.#read();
  }

  /** Whether what is new is handed out as it comes. */
  get isLive(): boolean {
    return this.#state === "live";
  }

  /** There are more items, which nobody offers. */
  kick(): void {
    if (this.#state !== "live" || this.cursor >= this.lastSeq()) return;
    this.#state = "waiting";
    this.wake();
  }

  /** Nothing is handed out from now on. */
  close(): void {
    this.#state = "closed";
  }

  async #read(): Promise<void> {
    this.#state = "reading";
    try {
      while (this.#isReading()) {
        if (this.isPaused || !this.#sink.isWritable) {
          this.#state = "waiting";
        } else if (this.cursor >= this.lastSeq()) {
          this.#state = "live";
        } else {
          await this.#sink.page(async () => {
            // Others' pages may have filled the sink before it is this one's turn, which ends when all of it is handed out.
            if (this.#isReading() && this.#sink.isWritable) await this.#deliverPage(await this.readPage(this.cursor));
          });
        }
      }
    } catch (error) {
      if (!this.#isReading()) return;
      this.#state = "closed";
      this.#sink.lost(error);
    }
  }

  async #deliverPage(page: readonly Item[]): Promise<void> {
    if (!this.#isReading()) return;
    const first = page[0];
    if (first === undefined || (!this.allowsGaps && first.seq !== this.cursor + 1)) {
      if (first === undefined && this.allowsGaps) {
        // All of it was erased meanwhile.
        this.cursor = Math.max(this.cursor, this.lastSeq());
        return;
      }
      this.#state = "closed";
      this.#sink.lost();
      return;
    }
    for (const [index, item] of page.entries()) {
      if (index > 0 && index % itemsAtOnce === 0) {
        await turnOfLoop();
        if (!this.#isReading()) return;
      }
      // The rest is read again when there is room for it.
      if (!this.#sink.isWritable) return;
      this.cursor = item.seq;
      this.deliver(item);
      if (this.isPaused || this.#state === "closed") return;
    }
  }

  // A function, so that the state is seen to change across `await`.
  #isReading(): boolean {
    return this.#state === "reading";
  }
}

function turnOfLoop(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
