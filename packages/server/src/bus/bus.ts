import type { Hint } from "./hint.ts";

/**
 * How the processes that have one store tell each other at once that something has changed. Nothing depends on a hint: a false, late, doubled or
 * flooding one costs a look into the store, and one that is lost is made up for by the next gap. One that a process tells itself it does not hear.
 */
export interface Bus {
  /** Tells the others. Returns at once, never throws, and promises nothing. What the hint holds is read before it returns. */
  publish(hint: Hint): void;
  /** Hears hints until the result is called. What `listener` throws is a bug of its own, and reported as one. */
  listen(listener: (hint: Hint) => void): () => void;
  /** Hears that hints may have been lost, until the result is called: everything has to be looked at again. */
  onGap(listener: () => void): () => void;
  /** Tells what waits to be told, within a second, and hears nothing more. */
  close(): Promise<void>;
}

/** Who listens to a bus. */
export class Listeners<Heard extends readonly unknown[]> {
  readonly #all = new Set<(...heard: Heard) => void>();
  readonly #reportBug: (error: unknown) => void;

  constructor(reportBug: (error: unknown) => void) {
    this.#reportBug = reportBug;
  }

  /** Adds one; the result takes it off. */
  add(listener: (...heard: Heard) => void): () => void {
    this.#all.add(listener);
    return () => void this.#all.delete(listener);
  }

  /** Tells all; one that fails keeps it from none. */
  tell(...heard: Heard): void {
    for (const listener of this.#all) {
      try {
        listener(...heard);
      } catch (error) {
        this.#reportBug(error);
      }
    }
  }

  clear(): void {
    this.#all.clear();
  }
}
