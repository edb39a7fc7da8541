/** A complaint that waits to be answered (spec G-5). */
export interface Ask {
  readonly leafIndex: number;
  readonly signed: Uint8Array;
}

/** That a member's commit was skipped, as it was last told. */
export interface SkipTold {
  /** Zeros for somebody whom nobody can name. */
  readonly accountId: Uint8Array;
  readonly atMs: number;
}
