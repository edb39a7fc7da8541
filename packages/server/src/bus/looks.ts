import { StoreError } from "../errors.ts";
import type { SetTimer } from "../start/parts.ts";
import type { GrownEnd, KnownEnd } from "../store/store.ts";

/** Asked in one query. */
const askedAtOnce = 10_000;
/** The least time between two queries, in milliseconds: a flood of hints costs fifty of them a second. */
const pauseMs = 20;

/** Something that has come up to this number. */
export interface Grown {
  readonly key: string;
  readonly lastSeq: number;
}

/** What looks need of those who watch. */
export interface LookParts {
  /** The end that is known of what has this key; `undefined` where nobody watches it any more. */
  known(key: string): KnownEnd | undefined;
  /** Which of them have grown in the store. @throws StoreError */
  grown(known: readonly KnownEnd[]): Promise<readonly GrownEnd[]>;
  /** Hands out what has come; answers those of which some is left for another look. @throws StoreError */
  onGrown(grown: readonly Grown[]): Promise<readonly string[]>;
  readonly setTimer: SetTimer;
  reportBug(error: unknown): void;
}

/** Looks whether somebody else has stored more than is known here: of all that is due in one query, one after the other. */
export class Looks {
  readonly #parts: LookParts;
  /** What somebody was told of, which comes first, and the rest of everything. */
  readonly #told = new Set<string>();
  readonly #rest = new Set<string>();
  #isLooking = false;

  constructor(parts: LookParts) {
    this.#parts = parts;
  }

  /** Has it looked at, soon and once, however often this is called. */
  look(key: string): void {
    this.#told.add(key);
    this.#begin();
  }

  /** Has all of these looked at, after what somebody is told of meanwhile. */
  lookAll(keys: Iterable<string>): void {
    for (const key of keys) this.#rest.add(key);
    this.#begin();
  }

  #begin(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    const { setTimer, reportBug } = this.#parts;
    while (this.#told.size + this.#rest.size > 0) {
      try {
        await this.#look();
      } catch (error) {
        // Without the database nothing is new; the next gap has everything looked at.
        if (!(error instanceof StoreError)) reportBug(error);
      }
      await new Promise<void>((resolve) => {
        setTimer(pauseMs, resolve);
      });
    }
    this.#isLooking = false;
  }

  async #look(): Promise<void> {
    const { known, grown, onGrown } = this.#parts;
    const asked: { readonly key: string; readonly end: KnownEnd }[] = [];
    for (const due of [this.#told, this.#rest]) {
      for (const key of due) {
        if (asked.length === askedAtOnce) break;
        due.delete(key);
        const end = known(key);
        if (end !== undefined) asked.push({ key, end });
      }
    }
    if (asked.length === 0) return;
    const found = await grown(asked.map(({ end }) => end));
    const come = found.flatMap(({ at, lastSeq }) => asked.slice(at, at + 1).map(({ key }) => ({ key, lastSeq })));
    if (come.length > 0) for (const key of await onGrown(come)) this.#told.add(key);
  }
}
