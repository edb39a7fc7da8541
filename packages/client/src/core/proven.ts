import { mayRemove } from "./permitted.ts";
import type { Turn } from "./turn.ts";
import type { ConversationState, RosterLeaf, UnverifiedLeaf } from "./types.ts";

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

/** Look-ups of a leaf that told nothing until it stops the conversation: more than seven minutes of asking (spec E-69). */
const triesUntilStop = 5;

/** A leaf that the directory is to be asked about (spec G-8). */
export function unjudged(leaf: RosterLeaf): UnverifiedLeaf {
  return { ...leaf, refused: false, tries: 0, askedAtMs: 0 };
}

/** Asks whether the accounts have these leaves; `proofs` came along with them. */
export function verify(turn: Turn, leaves: readonly UnverifiedLeaf[], proofs: Uint8Array = new Uint8Array(0)): void {
  if (leaves.length > 0) turn.effects.push({ kind: "verify", leaves, proofs });
}

/** Whether nothing could be found out of a leaf for so long that the person is told, and may go on without it. */
export function isLeftOpen({ refused, tries }: UnverifiedLeaf): boolean {
  return !refused && tries >= triesUntilStop;
}

/** Leaves that their accounts do not have, or are not known to have after minutes of asking, and that this one may take out (spec G-8, E-69). */
export function removableLeaves({ roster, unverified }: ConversationState): readonly RosterLeaf[] {
  if (roster?.own === undefined) return [];
  const { account } = roster.own;
  const unproven = unverified.filter((leaf) => leaf.refused || isLeftOpen(leaf));
  const leaves = unproven.flatMap(({ leafIndex }) => roster.leaves.get(leafIndex) ?? []);
  return leaves.filter((leaf) => leaf.account === account || mayRemove(roster, account, leaf));
}
