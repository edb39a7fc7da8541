import type { Restriction } from "@latchkey/protocol/desk";

/** Days since 1970-01-01 (UTC): the only times that the store keeps of its own. */
export type Day = number;

/** Why the store did not do what was asked: an expected outcome, nothing was changed. */
export interface Refused<Code extends string> {
  readonly kind: "refused";
  readonly code: Code;
}

/** A change of the name that an account holds. */
export interface NameChange {
  /** Name to bind, with its SignedUsernameBinding. */
  readonly bind: { readonly username: string; readonly binding: Uint8Array } | undefined;
  /** Name to release, held for its former owner until `reservedUntilDay`. */
  readonly release: { readonly username: string; readonly binding: Uint8Array; readonly reservedUntilDay: Day } | undefined;
}

export interface NewState {
  readonly accountId: Uint8Array;
  readonly version: number;
  readonly state: Uint8Array;
  readonly pops: readonly Uint8Array[];
  /** The devices of the account from this state on; what the store keeps for others of it is erased. */
  readonly deviceIds: readonly Uint8Array[];
  readonly names: NameChange;
  readonly day: Day;
  readonly maxUpdatesPerDay: number;
  readonly maxHistoryBytes: number;
}

export type PublishRefusal = "account_conflict" | "username_taken" | "too_many_updates" | "registration_closed" | "clock_off";

/** What is taken from an account: by the operator until they give it back, by a decision of the desk until a day. */
export interface StoredRestriction {
  readonly what: Restriction | "suspended";
  readonly by: "operator" | "desk";
  readonly sinceDay: Day;
  /** First day on which it does not hold any more; `undefined` until it is taken back. */
  readonly untilDay: Day | undefined;
}
