import type { ConversationState, Phase } from "./types.ts";

/** Whether the log is followed in this phase. */
export function isReading(phase: Phase): boolean {
  return phase.kind === "creating" || phase.kind === "active" || phase.kind === "leaving" || phase.kind === "superseded";
}

/**
 * Whether its log ever spoke for the group that it was joined with: the two heads were the same, an entry was read, an epoch followed. Until then
 * the group is the word of whoever signed the Welcome, and nothing was read or sent in it (spec M-9).
 */
export function isConfirmed({ base, chain, joinedSeq, continuity }: ConversationState): boolean {
  return base === undefined || chain.seq > joinedSeq || continuity.length > 1;
}

/** Whether something can still be written here. */
export function isWritable({ phase }: Pick<ConversationState, "phase">): boolean {
  return phase.kind === "creating" || phase.kind === "active";
}

/** Whether it is over for this device: no member any more, by its own will or another's, or gone on with elsewhere. */
export function hasEnded(phase: Phase): boolean {
  return phase.kind === "removed" || phase.kind === "left" || phase.kind === "continued";
}
