/** Steps after which somebody who did nothing more is forgotten. */
const memorySteps = 65_536;

/**
 * Whether anybody else was there lately. Who is alone gets all there is in large portions, which costs least; in company the portions
 * are small, so that nobody waits long for another's. Pure: time is counted in steps.
 */
export class Company<T> {
  #last: T | undefined;
  #left = 0;

  /** `who` does something. */
  note(who: T, steps: number = 1): void {
    if (this.#last === who) {
      if (this.#left > 0) this.#left -= steps;
      return;
    }
    if (this.#last !== undefined) this.#left = memorySteps;
    this.#last = who;
  }

  get isShared(): boolean {
    return this.#left > 0;
  }
}
