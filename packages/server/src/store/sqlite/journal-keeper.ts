/** How long nothing was asked of the store until its journals are emptied, and how long they may hold something at most under load, in ms. */
const quietMs = 2000;
const longestMs = 10_000;
const lookMs = 1000;

/** What has journals. */
export interface HasJournals {
  hasJournal(): boolean;
  /** A part of what is to be done before: answers whether there is more. */
  settleSome(): boolean;
  /** Never waits for a reader: answers whether all are empty. */
  emptyJournals(): boolean;
}

/**
 * Empties the write-ahead logs soon after something was written: they hold in what order that was, over all tables of a database, and
 * what was erased since. Looks once a second while there is something to do, and never otherwise.
 *
 *     empty --touched--> written --quiet for 2 s, or 10 s over--> settling, bit by bit --> emptying --done--> empty
 *                           ^---------------------------- somebody reads -----------------'  
 */
export class JournalKeeper {
  readonly #journals: HasJournals;
  readonly #nowMs: () => number;
  readonly #later: (delayMs: number, run: () => void) => void;
  #isLooking = false;
  #touchedAtMs = 0;
  #sinceMs = 0;

  constructor(parts: { journals: HasJournals; nowMs: () => number; later: (delayMs: number, run: () => void) => void }) {
    this.#journals = parts.journals;
    this.#nowMs = parts.nowMs;
    this.#later = parts.later;
  }

  /** After every batch. */
  touched(): void {
    this.#touchedAtMs = this.#nowMs();
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#sinceMs = this.#touchedAtMs;
    this.#later(lookMs, () => this.#look());
  }

  #look(): void {
    const nowMs = this.#nowMs();
    const isDue = nowMs - this.#touchedAtMs >= quietMs || nowMs - this.#sinceMs >= longestMs;
    if (isDue && this.#journals.hasJournal()) {
      this.#sinceMs = nowMs;
      this.#empty();
      return;
    }
    if (isDue) this.#isLooking = false;
    else this.#later(lookMs, () => this.#look());
  }

  /** Bit by bit, so that whoever comes meanwhile waits for one of them. */
  #empty(): void {
    try {
      if (this.#journals.settleSome()) {
        this.#later(0, () => this.#empty());
        return;
      }
      this.#journals.emptyJournals();
    } catch {
      // A full or failing disk: whoever writes next is told, and this is tried again.
    }
    if (this.#journals.hasJournal()) this.#later(lookMs, () => this.#look());
    else this.#isLooking = false;
  }
}
