import { StoreError } from "../../errors.ts";

/** Something that somebody waits for. */
export interface Write {
  /** For whoever watches the server. */
  readonly name: string;
  /** About how much it sends. */
  readonly sizeBytes: number;
}

interface Waiting<W extends Write> {
  readonly write: W;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Most writes, and about the most bytes, of one transaction. */
const maxWrites = 1024;
const maxBytes = 4_194_304;

/** What becomes of writes, for whoever watches the server. */
export interface WriteWatch {
  onBatch(seconds: number): void;
  onDone(name: string, value: unknown): void;
  onFailed(name: string, error: StoreError): void;
}

/**
 * Writes to one database: what is called until a transaction's turn has come goes into it, so that many cost one (group commit), and the more
 * processes there are whose turns it waits for, the more. Where a transaction fails its halves are tried in one each, so that no write fails for another's sake and one that fails costs the others little;
 * not where the database is away, nobody knows then what of it was stored.
 */
export class WriteQueue<W extends Write> {
  readonly #transact: (take: () => readonly W[]) => Promise<readonly unknown[]>;
  readonly #watch: WriteWatch;
  #waiting: Waiting<W>[] = [];
  #isWorking = false;
  #last: Promise<unknown> = Promise.resolve();

  /** `transact` takes writes once it is its turn, the same each time, does them in their order, all or none, and answers as many results. @throws StoreError as it does */
  constructor(transact: (take: () => readonly W[]) => Promise<readonly unknown[]>, watch: WriteWatch) {
    this.#transact = transact;
    this.#watch = watch;
  }

  /** How many wait for the next transaction. */
  get length(): number {
    return this.#waiting.length;
  }

  /** What this write comes to, once it is on disk. @throws StoreError */
  add(write: W): Promise<unknown> {
    const done = new Promise((resolve, reject) => {
      this.#waiting.push({ write, resolve, reject });
    });
    // They come to something in their order.
    this.#last = done.catch(() => undefined);
    if (!this.#isWorking) {
      this.#isWorking = true;
      // What else is called in this turn goes along.
      setImmediate(() => void this.#work());
    }
    return done;
  }

  /** When all that was added so far has come to something. */
  async settled(): Promise<void> {
    await this.#last;
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      let batch: readonly Waiting<W>[] | undefined;
      await this.#commit(() => (batch ??= this.#take()));
    }
    this.#isWorking = false;
  }

  #take(): Waiting<W>[] {
    let bytes = 0;
    const end = this.#waiting.findIndex(({ write }, count) => {
      bytes += write.sizeBytes;
      return count === maxWrites || (count > 0 && bytes > maxBytes);
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
  }

  async #commit(take: () => readonly Waiting<W>[]): Promise<void> {
    const sinceMs = performance.now();
    try {
      const values = await this.#transact(() => take().map(({ write }) => write));
      const batch = take();
      this.#watch.onBatch((performance.now() - sinceMs) / 1000);
      for (const [at, { write, resolve }] of batch.entries()) {
        this.#watch.onDone(write.name, values[at]);
        resolve(values[at]);
      }
    } catch (error) {
      const failure = error instanceof StoreError ? error : new StoreError("failed", { cause: error });
      const batch = take();
      if (batch.length > 1 && failure.code !== "unavailable") {
        const half = batch.length >> 1;
        await this.#commit(() => batch.slice(0, half));
        await this.#commit(() => batch.slice(half));
        return;
      }
      for (const { write, reject } of batch) {
        this.#watch.onFailed(write.name, failure);
        reject(failure);
      }
    }
  }
}
