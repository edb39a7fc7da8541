/** What hostile connections do: messages that never end, reading nothing, going on after a breach that ended them, small appends, asking for proofs, tokens that do not hold, uploads whole and broken off. */
export const hostileKinds = ["fragments", "slow", "breaches", "appends", "proofs", "tokens", "uploads"] as const;

/** One of them. */
export type HostileKind = (typeof hostileKinds)[number];

/** Forty addresses of this machine, none of which is the honest one's. */
export function crowdAddress(at: number): string {
  return `127.0.1.${1 + (at % 40)}`;
}
