import type { CipherSuite } from "../crypto/suite.ts";
import { MlsError } from "../errors.ts";
import type { MlsCheck } from "../errors.ts";
import type { AuthenticatedContent } from "../messages/framing.ts";
import type { GroupContext } from "../messages/group-context.ts";
import type { Proposal, UpdatePath } from "../messages/proposals.ts";
import { requireCredentialSupport, requireUsableKey, verifyLeaf } from "../tree/leaf-validation.ts";
import type { RatchetTree } from "../tree/ratchet-tree.ts";
import { mergeUpdatePath } from "../tree/tree-kem.ts";
import type { LeafIndex } from "../tree/tree-math.ts";
import { findPending } from "./pending.ts";
import { applyProposals, requireValidPsk } from "./proposal-list.ts";
import type { AddedMember, AppliedProposals, ProposedChange } from "./proposal-list.ts";
import { toMember } from "./member.ts";
import type { GroupState } from "./state.ts";
import type { Member } from "./member.ts";

/** A commit that passed the public check, and what it makes of the group. */
export interface CheckedCommit extends AppliedProposals {
  readonly content: AuthenticatedContent;
  /** The types of its proposals, in their order. */
  readonly proposals: readonly Proposal["kind"][];
  /** The committer's leaf in the new tree. */
  readonly committer: LeafIndex;
  readonly path: UpdatePath | undefined;
  /** `tree` is after the proposals; this is after the path too. */
  readonly newTree: RatchetTree;
  /** The new epoch's context but for its confirmed transcript hash. */
  readonly provisional: GroupContext;
  /** Of an external commit. */
  readonly externalInit: Uint8Array | undefined;
}

/** Runs a step of judging a commit; its errors say which check they failed. */
export async function asCheck<T>(check: MlsCheck, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof MlsError) || error.check !== undefined) throw error;
    const { code, message, clause } = error;
    throw new MlsError(code, message, { ...(clause === undefined ? {} : { clause }), check, cause: error });
  }
}

/**
 * The public check of a commit: everything that depends on the epoch's state and the message alone, and so comes out the
 * same for every member. No clock, no secret of this member, no confirmation tag. The content was opened already.
 * @throws MlsError.
 */
export async function checkCommit(state: GroupState, content: AuthenticatedContent, allowExternal: boolean): Promise<CheckedCommit> {
  const { sender, body } = content.content;
  if (body.kind !== "commit") throw new MlsError("usage", "not a commit");
  if (sender.kind === "member") return await checkMemberCommit(state, content, sender.leafIndex);
  if (sender.kind !== "new-member-commit") throw new MlsError("invalid-commit", "a commit by somebody outside", { clause: "RFC 9420 §6" });
  if (!allowExternal) throw new MlsError("unsupported", "external commits are refused", { clause: "RFC 9420 §12.4.3.2" });
  return await checkExternalCommit(state, content);
}

async function checkMemberCommit(state: GroupState, content: AuthenticatedContent, committer: LeafIndex): Promise<CheckedCommit> {
  const { suite, context } = state;
  const { body } = content.content;
  if (body.kind !== "commit") throw new MlsError("usage", "not a commit");
  const { path, proposals } = body.commit;
  const changes = proposals.map((entry): ProposedChange => {
    if (entry.kind === "proposal") return { proposal: entry.proposal, sender: committer };
    const pending = findPending(state, entry.reference);
    if (pending === undefined) throw new MlsError("invalid-commit", "a reference to an unknown proposal", { clause: "RFC 9420 §12.4" });
    return pending;
  });
  const { groupId, extensions } = context;
  const applied = await applyProposals({ suite, groupId, tree: state.tree, extensions, committer, changes });
  if (path === undefined && applied.pathRequired) {
    throw new MlsError("invalid-commit", "a commit without the path that it needs", { clause: "RFC 9420 §12.4" });
  }
  const newTree = path === undefined ? applied.tree : await checkPath(state, { applied, committer, path });
  const kinds = changes.map(({ proposal }) => proposal.kind);
  return finish(state, { ...applied, content, proposals: kinds, committer, path, newTree, externalInit: undefined });
}

async function checkExternalCommit(state: GroupState, content: AuthenticatedContent): Promise<CheckedCommit> {
  const clause = "RFC 9420 §12.4.3.2";
  const { suite, context } = state;
  const { body } = content.content;
  if (body.kind !== "commit" || body.commit.path === undefined)
    throw new MlsError("invalid-commit", "an external commit without path", { clause });
  const { path } = body.commit;
  let externalInit: Uint8Array | undefined;
  const removed: Member[] = [];
  const psks: AppliedProposals["psks"][number][] = [];
  const seen = new Set<string>();
  for (const entry of body.commit.proposals) {
    if (entry.kind !== "proposal") throw new MlsError("invalid-commit", "an external commit with a reference", { clause });
    const { proposal } = entry;
    if (proposal.kind === "external-init" && externalInit === undefined) externalInit = proposal.kemOutput;
    else if (proposal.kind === "psk") {
      requireValidPsk(suite, proposal.psk, { seen });
      psks.push(proposal.psk);
    } else if (proposal.kind === "remove" && removed.length === 0) {
      const leafNode = state.tree.leafAt(proposal.removed);
      if (leafNode === undefined) throw new MlsError("invalid-proposal", "the removal of a leaf that is blank", { clause });
      removed.push(toMember(proposal.removed, leafNode));
    } else throw new MlsError("invalid-proposal", "a proposal that an external commit may not hold", { clause });
  }
  if (externalInit === undefined) throw new MlsError("invalid-proposal", "an external commit without ExternalInit", { clause });
  const [gone] = removed;
  const without = gone === undefined ? state.tree : state.tree.remove(gone.leafIndex);
  if (without.hasEncryptionKey(suite, path.leafNode.encryptionKey)) throw new MlsError("invalid-commit", "a key used twice", { clause });
  // The path replaces all that adding the leaf marks as unmerged.
  const { tree, leafIndex } = without.add(path.leafNode);
  const applied: AppliedProposals = {
    tree,
    extensions: context.extensions,
    newExtensions: undefined,
    added: [],
    removed,
    updated: [],
    psks,
    reInit: undefined,
    pathRequired: true,
  };
  const newTree = await checkPath(state, { applied, committer: leafIndex, path, isJoiner: true });
  // References were refused above.
  const kinds = body.commit.proposals.flatMap((entry) => (entry.kind === "proposal" ? entry.proposal.kind : []));
  return finish(state, { ...applied, content, proposals: kinds, committer: leafIndex, path, newTree, externalInit });
}

interface PathCheck {
  readonly applied: AppliedProposals;
  readonly committer: LeafIndex;
  readonly path: UpdatePath;
  readonly isJoiner?: boolean;
}

async function checkPath(state: GroupState, { applied, committer, path, isJoiner = false }: PathCheck): Promise<RatchetTree> {
  const { suite, context } = state;
  const clause = "RFC 9420 §12.4.2";
  await verifyLeaf({
    suite,
    leaf: path.leafNode,
    sources: ["commit"],
    position: { groupId: context.groupId, leafIndex: committer },
    groupExtensions: applied.extensions,
  });
  const keys = path.nodes.map((node) => node.encryptionKey);
  for (const key of [path.leafNode.encryptionKey, ...keys]) await requireUsableKey(suite, key, "invalid-commit");
  // The tree's own index answers for all its nodes; keys that the path repeats are found with the new tree's.
  for (const key of isJoiner ? keys : [path.leafNode.encryptionKey, ...keys]) {
    if (applied.tree.hasEncryptionKey(suite, key)) throw new MlsError("invalid-commit", "a path with a key of the tree", { clause });
  }
  return mergeUpdatePath({ suite, tree: applied.tree, sender: committer, path, added: leavesOf(applied.added) });
}

/** The leaves of added members. */
export function leavesOf(added: readonly AddedMember[]): ReadonlySet<LeafIndex> {
  return new Set(added.map(({ leafIndex }) => leafIndex));
}

function finish(state: GroupState, checked: Omit<CheckedCommit, "provisional">): CheckedCommit {
  const { suite, context } = state;
  requireUsableTree(suite, state.tree, checked.newTree);
  const provisional: GroupContext = {
    ...context,
    epoch: context.epoch + 1n,
    treeHash: checked.newTree.treeHash(suite),
    // Copies, so that the group does not keep the whole message.
    extensions: checked.newExtensions?.map(({ type, data }) => ({ type, data: data.slice() })) ?? context.extensions,
  };
  return { ...checked, provisional };
}

/**
 * Checks what concerns all leaves of a new tree: no key stands twice, and everybody supports everybody's credentials.
 * @throws MlsError `invalid-tree` or `invalid-leaf`.
 */
export function requireUsableTree(suite: CipherSuite, before: RatchetTree, after: RatchetTree): void {
  after.requireUniqueKeys(suite, before);
  requireCredentialSupport(after.members());
}
