import { StoreError } from "../../errors.ts";
import type { StoreLoad } from "../store-load.ts";
import { adviceOf, reasonOf, told } from "./fault.ts";
import type { DatabaseName } from "./statements.ts";

/** What is asked of the two databases, which may lie in two clusters. */
export type DatabaseWork = `${DatabaseName}.${"read" | "write"}`;

/** Next to nothing, asked of each. */
export type DatabaseProbes = Readonly<Record<DatabaseWork, () => Promise<unknown>>>;

/** How often one that nobody asks for anything is looked at, and one that is away. */
const probeMs = 5000;
const awayProbeMs = 1000;
/** One that has not answered by then counts as away, though whoever asked it waits on: it may be stopped, or its machine gone without a word. */
const lateMs = 5000;
/** One that is away has a line in so long at most. */
const tellMs = 60_000;

/** What is wrong, and what to do, with the reason as a code or fixed words. */
function sentenceOf(work: DatabaseWork, error: unknown): string {
  const advice = adviceOf(error);
  if (advice !== undefined) return advice;
  const reason = reasonOf(error);
  return work.endsWith("read")
    ? `The database does not answer (${reason}): nothing is read or sent. See that PostgreSQL runs as a primary and that this machine reaches it; the server goes on by itself then.`
    : `The database writes nothing (${reason}): nothing is sent. See that it is the primary, that its synchronous standby follows and that its disk has room; the server goes on by itself then.`;
}

/**
 * Whether the database is there: whoever asks it for something says what became of it, and where nobody asks it is looked at. That it
 * answers does not say that it writes: each is known by itself.
 */
export class DatabaseWatch {
  readonly #probes: DatabaseProbes;
  readonly #load: StoreLoad;
  readonly #failing = new Map<DatabaseWork, string>();
  readonly #heard = new Set<DatabaseWork>();
  #toldMs = -Infinity;
  #isTold = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param probes ask the database for next to nothing, and have it write next to nothing @param load is told when it is away */
  constructor(probes: DatabaseProbes, load: StoreLoad) {
    this.#probes = probes;
    this.#load = load;
    load.away = () => [...this.#failing.values()][0];
    this.#plan();
  }

  /** It did something, or refused it. */
  well(work: DatabaseWork): void {
    this.#heard.add(work);
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
    const sentence = sentenceOf(work, error);
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
    const works = new Set(this.#failing.keys());
    for (const name of ["logs", "accounts"] as const)
      if (!this.#heard.has(`${name}.read`) && !this.#heard.has(`${name}.write`)) works.add(`${name}.read`);
    this.#heard.clear();
    for (const work of works) {
      // What came while this process was busy is heard first.
      let isLate: NodeJS.Immediate | undefined;
      const late = setTimeout(() => {
        isLate = setImmediate(() => this.failed(work, told("unavailable", "no answer yet")));
      }, lateMs);
      await this.#probes[work]().then(
        () => this.well(work),
        (error: unknown) => this.failed(work, error),
      );
      clearTimeout(late);
      clearImmediate(isLate);
    }
    this.#plan();
  }
}
