import { equalBytes } from "@latchkey/codec";
import { departedBy } from "./departed.ts";
import type { Turn } from "./turn.ts";
import type { AwayAccount, Roster, RosterLeaf } from "./types.ts";

/** Accounts remembered as away in one conversation: the newest. */
const maxAway = 64;

/**
 * The accounts that `after` lacks because none of their devices in the group is in its account any more, as after a recovery: their
 * people were not thrown out (spec E-64). By what is known here, and by the records that came with the commit.
 */
export async function accountsGone(turn: Turn, after: Roster, proofs: Uint8Array): Promise<readonly string[]> {
  const { context, state } = turn;
  const removed = [...(state.roster?.accounts ?? [])].filter(([account]) => !after.accounts.has(account));
  if (removed.length === 0) return [];
  const isKnown = (leaf: RosterLeaf): boolean =>
    context.departed(leaf) ||
    state.departed.some((gone) => gone.leafIndex === leaf.leafIndex && equalBytes(gone.accountId, leaf.accountId));
  const unknown = removed.flatMap(([, leaves]) => leaves.filter((leaf) => !isKnown(leaf)));
  const proven = await departedBy(proofs, unknown, after.settings, context.signatures);
  return removed.filter(([, leaves]) => leaves.every((leaf) => isKnown(leaf) || proven.includes(leaf))).map(([account]) => account);
}

/** `known` with an account that went away at `from`. */
export function withAway(known: readonly AwayAccount[], accountId: Uint8Array, from: number): readonly AwayAccount[] {
  return [...known, { accountId, from, until: 0 }].slice(-maxAway);
}

/** Whether somebody lets the account back: it is away. */
export function isAway(known: readonly AwayAccount[], accountId: Uint8Array): boolean {
  return known.some((away) => away.until === 0 && equalBytes(away.accountId, accountId));
}

/** `known` with an account that is in the group again from `until` on. */
export function withReturn(known: readonly AwayAccount[], accountId: Uint8Array, until: number): readonly AwayAccount[] {
  return known.map((away) => (away.until === 0 && equalBytes(away.accountId, accountId) ? { ...away, until } : away));
}

/** The accounts of which no device could read what was said at `order`. */
export function awayAt(known: readonly AwayAccount[], order: number): readonly Uint8Array[] {
  return known.filter(({ from, until }) => from <= order && (until === 0 || order < until)).map(({ accountId }) => accountId);
}
