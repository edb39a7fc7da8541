import { mayRemove } from "./roster.ts";
import type { Turn } from "./turn.ts";
import type { ConversationState, RosterLeaf } from "./types.ts";

/**
 * What is known of a leaf that speaks: that its account has it, nothing yet, that the account does not have it (spec G-8), or has it no
 * more (M-3). Who may add puts any leaf under any member's name.
 */
export type Standing = "proven" | "unverified" | "refused" | "departed";

export function standingOf(turn: Turn, leaf: RosterLeaf): Standing {
  if (turn.state.departed.some(({ leafIndex }) => leafIndex === leaf.leafIndex) || turn.context.departed(leaf)) return "departed";
  const open = turn.state.unverified.find(({ leafIndex }) => leafIndex === leaf.leafIndex);
  if (open === undefined) return "proven";
  return open.refused ? "refused" : "unverified";
}

/** Whether a leaf in the group waits for the directory, or was refused by it. */
export function isUnproven({ unverified }: Pick<ConversationState, "unverified">, leaf: Pick<RosterLeaf, "leafIndex">): boolean {
  return unverified.some(({ leafIndex }) => leafIndex === leaf.leafIndex);
}

/** Leaves that their accounts do not have and that this one may take out (spec G-8). */
export function removableLeaves({ roster, unverified }: ConversationState): readonly RosterLeaf[] {
  if (roster?.own === undefined) return [];
  const { account } = roster.own;
  const refused = unverified.flatMap(({ refused: isRefused, leafIndex }) => (isRefused ? (roster.leaves.get(leafIndex) ?? []) : []));
  return refused.filter((leaf) => leaf.account === account || mayRemove(roster, account, leaf));
}
