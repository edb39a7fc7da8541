import { eraseState } from "@latchkey/mls";
import type { GroupState } from "@latchkey/mls";
import type { ConversationState } from "./types.ts";

/**
 * Overwrites the group secrets that no longer count. Called once `current` is stored, with every state of the group that came before it
 * since something was stored last; none of them is used afterwards.
 */
export function eraseLeftBehind(passed: Iterable<GroupState>, current: ConversationState): void {
  const kept = groupsOf(current);
  for (const group of new Set(passed)) if (!kept.includes(group)) eraseState(group, kept);
}

/** The group's states that a conversation holds: the current one, and the one that a commit waits to begin. */
export function groupsOf(state: Partial<Pick<ConversationState, "group" | "staged">>): GroupState[] {
  return [state.group, state.staged?.next].filter((group) => group !== undefined);
}
