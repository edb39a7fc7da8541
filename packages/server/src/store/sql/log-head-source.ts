import type { Steps } from "./steps.ts";

/** A log with entries since its head was last taken for publication, and its place in the map of heads. */
export interface ActiveLog {
  /** SHA-256 of the log's id. */
  readonly place: Uint8Array;
  readonly log: number;
}

/** Where an active log stands. */
export interface ActiveHead extends ActiveLog {
  readonly seq: number;
  readonly head: Uint8Array;
}

/** What the publication of heads needs of the logs (spec L-11). Every method runs inside the caller's transaction. */
export interface LogHeadSource {
  /**
   * Takes logs with entries since their heads were last taken, and where they stand now, in the order of their places in the map of heads,
   * behind one of them. `taken` counts those without a head, too.
   */
  takeActive(behind: Uint8Array, maxItems: number): Steps<{ readonly heads: readonly ActiveHead[]; readonly taken: number }>;
  /** Whether any log has entries since its head was taken. */
  hasActive(): Steps<boolean>;
  /** Has the head of a log published once more, if it has entries still. */
  markActive(active: ActiveLog): Steps<void>;
}
