import type { ClaimVerdict } from "@latchkey/protocol/desk";

/**
 * What a report claims of each of its messages, and gets a verdict on (spec V-6):
 * - `signed`: the holder of the key signed these words for this epoch of this group;
 * - `author`: the key is that of the named device in the account's history, in the version that the message itself names;
 * - `conversation`: it is of the same group as the first signed message that is complained of;
 * - `order`: it stands where its number and what it had seen put it;
 * - `role`: it changes the message that it is said to change, and may.
 */
export type ItemClaim = "signed" | "author" | "conversation" | "order" | "role";
/**
 * What the report as a whole claims:
 * - `reporter`: who it is from;
 * - `accused`: what is complained of is by the named account;
 * - `time`: nothing is dated after its arrival; never proved.
 */
export type ReportClaim = "reporter" | "accused" | "time";

/** Of the product's own claims, so that a misspelt one does not compile. */
export interface Verdict<C extends string = ItemClaim | ReportClaim> extends ClaimVerdict {
  readonly claim: C;
}

/** The verdict on a claim, with a few words where it is not `proved`. They hold no ids and nothing that anybody wrote. */
export function verdictOn<C extends string>(claim: C, verdict: ClaimVerdict["verdict"], why?: string): Verdict<C> {
  return why === undefined ? { claim, verdict } : { claim, verdict, why };
}
