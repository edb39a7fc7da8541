/** Of what is asked for one thing, one request after the other is dealt with, and the newest ends the one that is under way. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #end: (() => void) | undefined;
  #arrivals = 0;

  /**
   * Runs `work` after all that was asked before. `end` ends it, at once, when something else is asked meanwhile; `work` is told whether
   * that has happened already.
   */
  async run<T>(work: (isNewest: boolean) => Promise<T>, end?: () => void): Promise<T> {
    this.#end?.();
    this.#arrivals += 1;
    const arrival = this.#arrivals;
    const now = this.#last.then(async () => {
      this.#end = end;
      try {
        return await work(arrival === this.#arrivals);
      } finally {
        this.#end = undefined;
      }
    });
    this.#last = now.catch(() => undefined);
    return await now;
  }
}
