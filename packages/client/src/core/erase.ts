import { eraseState } from "@latchkey/mls";
import type { GroupState } from "@latchkey/mls";
import { noRenewal } from "./renewal.ts";
import { accountIdsOf } from "./roster.ts";
import type { ConversationState } from "./types.ts";

/**
 * Overwrites the group secrets that no longer count. Called once `current` is stored, with every state of the group that came before it
 * since something was stored last; none of them is used afterwards.
 */
export function eraseLeftBehind(passed: Iterable<GroupState>, current: ConversationState): void {
  const kept = groupsOf(current);
  for (const group of new Set(passed)) if (!kept.includes(group)) eraseState(group, kept);
}

/** What a conversation holds once this device's part in it is over: nothing of the group but who was in it. */
export function withoutGroup({ roster, formerMembers }: ConversationState): Partial<ConversationState> {
  return {
    group: undefined,
    epoch: undefined,
    closedEpochs: [],
    unverified: [],
    leavers: [],
    departed: [],
    doubts: [],
    spoken: new Map(),
    awaited: undefined,
    recovered: [],
    stranded: undefined,
    arrival: undefined,
    barred: [],
    refused: [],
    asks: [],
    formerMembers: roster === undefined ? formerMembers : accountIdsOf(roster),
    lastCommitSeq: 0,
    renewal: noRenewal,
  };
}

/** The group's states that a conversation holds: the current one, and those that a commit of its own would begin. */
export function groupsOf({ group, staged, refused = [] }: Partial<Pick<ConversationState, "group" | "staged" | "refused">>): GroupState[] {
  return [group, staged?.next, ...refused.map(({ next }) => next)].filter((state) => state !== undefined);
}
