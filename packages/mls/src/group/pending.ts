import { encode, equalBytes } from "@latchkey/codec";
import { proposalReference } from "../crypto/labeled.ts";
import type { CipherSuite } from "../crypto/suite.ts";
import { MlsError } from "../errors.ts";
import { authenticatedContent } from "../messages/framing.ts";
import type { AuthenticatedContent } from "../messages/framing.ts";
import { applyProposals } from "./proposal-list.ts";
import type { ProposedChange } from "./proposal-list.ts";
import type { GroupState, PendingProposal } from "./state.ts";

/** A signed proposal as a commit may refer to it. */
export function pendingOf(suite: CipherSuite, content: AuthenticatedContent): PendingProposal {
  const { body, sender } = content.content;
  if (body.kind !== "proposal") throw new MlsError("usage", "not a proposal");
  return {
    reference: proposalReference(suite, encode(authenticatedContent, content)),
    sender: sender.kind === "member" ? sender.leafIndex : undefined,
    proposal: body.proposal,
    updateSecretKey: undefined,
  };
}

/** The state with one more proposal to refer to; as it was when it has it already. */
export function withPending(state: GroupState, pending: PendingProposal): GroupState {
  if (findPending(state, pending.reference) !== undefined) return state;
  return { ...state, proposals: [...state.proposals, pending] };
}

/** The proposal of that reference that was sent in this epoch. */
export function findPending(state: GroupState, reference: Uint8Array): PendingProposal | undefined {
  return state.proposals.find((pending) => equalBytes(pending.reference, reference));
}

/**
 * Checks that somebody's commit could hold this one proposal. Part of the public check: it comes out the same for every member.
 * @throws MlsError `invalid-proposal`, `invalid-leaf` or `malformed`.
 */
export async function requireProposable(state: GroupState, change: ProposedChange): Promise<void> {
  const { suite, tree, context } = state;
  await applyProposals({ suite, groupId: context.groupId, tree, extensions: context.extensions, committer: undefined, changes: [change] });
}
