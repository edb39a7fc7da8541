/**
 * Does what waits, in rounds, one at a time: who asks for one while another is under way gets one after it. A round that fails, as on a full
 * disk, is reported, and what it left waits for the next.
 */
export class Rounds {
  readonly #round: () => Promise<void>;
  readonly #reportBug: (error: unknown) => void;
  #running: Promise<void> | undefined;
  #isWoken = false;
  #isStopped = false;

  /** @param round looks for all that there is to do and does it; asks `isStopped` between one and the next */
  constructor(round: () => Promise<void>, reportBug: (error: unknown) => void) {
    this.#round = round;
    this.#reportBug = reportBug;
  }

  /** There may be something to do. */
  wake(): void {
    this.#isWoken = true;
    if (!this.#isStopped) this.#running ??= this.#run();
  }

  /** Resolves when nothing is being done. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Begins nothing more; what is under way is begun again by the next run. */
  stop(): void {
    this.#isStopped = true;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  async #run(): Promise<void> {
    while (this.#isWoken && !this.#isStopped) {
      this.#isWoken = false;
      try {
        await this.#round();
      } catch (error) {
        // What was under way when it ended is nobody's fault.
        if (!this.#isStopped) this.#reportBug(error);
      }
    }
    this.#running = undefined;
  }
}
