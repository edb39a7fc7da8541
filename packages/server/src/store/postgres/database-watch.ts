import { StoreError } from "../../errors.ts";
import type { StoreLoad } from "../store-load.ts";
import { reasonOf } from "./fault.ts";

/** What is asked of a database. */
export type DatabaseWork = "read" | "write";

/** How often one that nobody asks for anything is looked at, and one that is away. */
const probeMs = 5000;
const awayProbeMs = 1000;
/** One that is away has a line in so long at most. */
const tellMs = 60_000;

/** What is wrong, and what to do: `reason` is a code or fixed words. */
const sentences: Readonly<Record<DatabaseWork, (reason: string) => string>> = {
  read: (reason) =>
    `The database does not answer (${reason}): nothing is read or sent. See that PostgreSQL runs as a primary and that this machine reaches it; the server goes on by itself then.`,
  write: (reason) =>
    `The database writes nothing (${reason}): nothing is sent. See that it is the primary, that its synchronous standby follows and that its disk has room; the server goes on by itself then.`,
};

/**
 * Whether the database is there: whoever asks it for something says what became of it, and where nobody asks it is looked at. That it
 * answers does not say that it writes: each is known by itself.
 */
export class DatabaseWatch {
  readonly #probes: Readonly<Record<DatabaseWork, () => Promise<unknown>>>;
  readonly #load: StoreLoad;
  readonly #failing = new Map<DatabaseWork, string>();
  #isHeard = false;
  #toldMs = -Infinity;
  #isTold = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param probes ask the database for next to nothing, and have it write next to nothing @param load is told when it is away */
  constructor(probes: Readonly<Record<DatabaseWork, () => Promise<unknown>>>, load: StoreLoad) {
    this.#probes = probes;
    this.#load = load;
    load.away = () => [...this.#failing.values()][0];
    this.#plan();
  }

  /** It did something, or refused it. */
  well(work: DatabaseWork): void {
    this.#isHeard = true;
    if (!this.#failing.delete(work) || this.#failing.size > 0 || !this.#isTold) return;
    this.#isTold = false;
    this.#load.onAway(undefined);
  }

  /** It did not do something: whether it is away says the error. */
  failed(work: DatabaseWork, error: unknown): void {
    if (this.#isClosed) return;
    if (error instanceof StoreError && error.code !== "unavailable") {
      this.well(work);
      return;
    }
    const sentence = sentences[work](reasonOf(error));
    this.#failing.set(work, sentence);
    if (performance.now() - this.#toldMs >= tellMs) {
      this.#toldMs = performance.now();
      this.#isTold = true;
      this.#load.onAway(sentence);
    }
  }

  /** Looks no more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #plan(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#look(), this.#failing.size > 0 ? awayProbeMs : probeMs);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    // Nothing is written only to see whether it can be: but where it could not be before.
    const works: DatabaseWork[] = this.#failing.size > 0 ? [...this.#failing.keys()] : this.#isHeard ? [] : ["read"];
    this.#isHeard = false;
    for (const work of works) {
      await this.#probes[work]().then(
        () => this.well(work),
        (error: unknown) => this.failed(work, error),
      );
    }
    this.#plan();
  }
}
