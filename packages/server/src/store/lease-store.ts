/** What of several processes on one store only one does at a time. */
export type LeaseName =
  | "publisher" // it publishes, has its head cosigned and serves it
  | "house" // it removes from the store what has expired
  | "bucket" // it says in the bucket of the blobs whose that is
  | "desk"; // it says whose the desk is

/** What became of asking for a lease: it is the asker's, or somebody else's for about so long, unless that one gives it back or asks again. */
export type LeaseOutcome = { readonly kind: "taken"; readonly term: number } | { readonly kind: "held"; readonly leftMs: number };

/**
 * Leases by name. A term is never given twice: who was stopped past its time comes back with one that is over, and what asks for its term
 * (`Publication.term`) is refused it. Time is the store's own clock: where it jumps, a lease ends early or late, and terms hold all the same.
 * One process alone is always granted what it asks for.
 */
export interface LeaseStore {
  /**
   * Takes a lease for `forMs` milliseconds. Its holder, while it has it, keeps its term and has it for so long from now; everybody else, and
   * who had it, gets a further term. @param params.holder random, of one process @throws StoreError
   */
  takeLease(params: { name: LeaseName; holder: string; forMs: number }): Promise<LeaseOutcome>;
  /** Ends a lease whose term is this one; of any other nothing is changed. Answers whether somebody asked for it meanwhile. @throws StoreError */
  giveBackLease(params: { name: LeaseName; term: number }): Promise<{ readonly isWanted: boolean }>;
}
