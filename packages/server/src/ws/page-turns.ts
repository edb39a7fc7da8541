/** Pages of one connection that are read at a time. */
const pagesAtOnce = 2;

/** Reads the pages of a connection's streams a few at a time, whoever asked first: together they could hold very much. */
export class PageTurns {
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** Reads when it is its turn. */
  async run<T>(read: () => Promise<T>): Promise<T> {
    if (this.#running >= pagesAtOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      return await read();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
