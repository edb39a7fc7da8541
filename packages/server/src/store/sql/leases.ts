import type { LeaseName, LeaseOutcome, LeaseStore } from "../lease-store.ts";
import type { Steps } from "./steps.ts";

/** The leases of a store, inside the caller's transaction: where they lie is the engine's business. */
export interface Leases {
  take(params: Parameters<LeaseStore["takeLease"]>[0]): Steps<LeaseOutcome>;
  giveBack(params: Parameters<LeaseStore["giveBackLease"]>[0]): Steps<{ readonly isWanted: boolean }>;
  /** Whether nobody was given a later term of this lease. */
  isNewest(name: LeaseName, term: number): Steps<boolean>;
}
