import type { ConversationState, Phase } from "./types.ts";

/** Whether the log is followed in this phase. */
export function isReading(phase: Phase): boolean {
  return phase.kind === "creating" || phase.kind === "active" || phase.kind === "leaving" || phase.kind === "superseded";
}

/** Whether something can still be written here. */
export function isWritable({ phase }: Pick<ConversationState, "phase">): boolean {
  return phase.kind === "creating" || phase.kind === "active";
}

/** Whether it is over for this device: no member any more, by its own will or another's, or gone on with elsewhere. */
export function hasEnded(phase: Phase): boolean {
  return phase.kind === "removed" || phase.kind === "left" || phase.kind === "continued";
}
