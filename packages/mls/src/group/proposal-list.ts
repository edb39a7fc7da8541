import { encode, toHex } from "@latchkey/codec";
import type { CipherSuite } from "../crypto/suite.ts";
import { MlsError } from "../errors.ts";
import type { Extension } from "../messages/basics.ts";
import { detachedLeafNode } from "../messages/nodes.ts";
import type { KeyPackage } from "../messages/nodes.ts";
import { preSharedKeyId } from "../messages/proposals.ts";
import type { PreSharedKeyId, Proposal } from "../messages/proposals.ts";
import {
  readExternalSenders,
  readRequiredCapabilities,
  requireDistinctExtensions,
  requireSupport,
  requireUsableKey,
  verifyKeyPackageContent,
  verifyLeaf,
} from "../tree/leaf-validation.ts";
import type { RatchetTree } from "../tree/ratchet-tree.ts";
import type { LeafIndex } from "../tree/tree-math.ts";
import { toMember } from "./member.ts";
import type { Member } from "./member.ts";
import type { ReInitRequest } from "./types.ts";

/** A proposal and the member that proposed it: undefined for somebody outside. */
export interface ProposedChange {
  readonly proposal: Proposal;
  readonly sender: LeafIndex | undefined;
}

/** A member added by a commit. */
export interface AddedMember {
  readonly leafIndex: LeafIndex;
  readonly keyPackage: KeyPackage;
}

/** What a list of proposals makes of a tree and its group context's extensions. */
export interface AppliedProposals {
  readonly tree: RatchetTree;
  readonly extensions: readonly Extension[];
  readonly newExtensions: readonly Extension[] | undefined;
  readonly added: readonly AddedMember[];
  readonly removed: readonly Member[];
  readonly updated: readonly LeafIndex[];
  readonly psks: readonly PreSharedKeyId[];
  readonly reInit: ReInitRequest | undefined;
  readonly pathRequired: boolean;
}

/** What `applyProposals` needs. */
export interface ApplyProposalsParams {
  readonly suite: CipherSuite;
  readonly groupId: Uint8Array;
  readonly tree: RatchetTree;
  readonly extensions: readonly Extension[];
  /** Undefined when no one commits yet, and it is only asked what may be proposed. */
  readonly committer: LeafIndex | undefined;
  readonly changes: readonly ProposedChange[];
  /** Whether the group is only being made, so that a PSK may tie it to the one before it. */
  readonly isFounding?: boolean;
}

const listClause = "RFC 9420 §12.2";

function refuse(message: string, clause: string = listClause): MlsError {
  return new MlsError("invalid-proposal", message, { clause });
}

/**
 * Validates the proposal list of a member's commit and applies it (RFC 9420 sections 12.2 and 12.3). What concerns all
 * leaves (unique keys, credential support) is left to the caller, which knows the tree after the path.
 * @throws MlsError `invalid-proposal` or `invalid-leaf`.
 */
export async function applyProposals(params: ApplyProposalsParams): Promise<AppliedProposals> {
  const { suite, groupId, changes } = params;
  requireValidList(params);
  const ofKind = <K extends Proposal["kind"]>(kind: K): { proposal: Extract<Proposal, { kind: K }>; sender: LeafIndex | undefined }[] =>
    // Filtered by the kind, which the compiler does not carry over.
    changes.filter(({ proposal }) => proposal.kind === kind) as {
      proposal: Extract<Proposal, { kind: K }>;
      sender: LeafIndex | undefined;
    }[];

  const newExtensions = ofKind("group-context-extensions")[0]?.proposal.extensions;
  if (newExtensions !== undefined) {
    requireDistinctExtensions(newExtensions, "invalid-proposal");
    readRequiredCapabilities(newExtensions);
    readExternalSenders(newExtensions);
  }
  const extensions = newExtensions ?? params.extensions;

  let { tree } = params;
  const updates = ofKind("update").map(({ proposal, sender }) => {
    if (sender === undefined) throw refuse("an update by somebody outside", "RFC 9420 §12.1.8");
    return { proposal, sender };
  });
  for (const { proposal, sender } of updates) {
    const current = tree.leafAt(sender);
    if (current === undefined) throw refuse("an update of a leaf that is blank");
    if (tree.hasEncryptionKey(suite, proposal.leafNode.encryptionKey)) throw refuse("an update without a new key", "RFC 9420 §7.3");
    const position = { groupId, leafIndex: sender };
    await verifyLeaf({ suite, leaf: proposal.leafNode, sources: ["update"], position, groupExtensions: extensions });
    await requireUsableKey(suite, proposal.leafNode.encryptionKey, "invalid-leaf");
  }
  for (const { proposal, sender } of updates) tree = tree.update(sender, detachedLeafNode(proposal.leafNode));

  const removed: Member[] = [];
  for (const { proposal } of ofKind("remove")) {
    const leafNode = tree.leafAt(proposal.removed);
    if (leafNode === undefined) throw refuse("the removal of a leaf that is blank", "RFC 9420 §12.1.3");
    removed.push(toMember(proposal.removed, leafNode));
    tree = tree.remove(proposal.removed);
  }

  const added: AddedMember[] = [];
  for (const { proposal } of ofKind("add")) {
    await verifyKeyPackageContent(suite, proposal.keyPackage, extensions);
    await requireUsableKey(suite, proposal.keyPackage.leafNode.encryptionKey, "invalid-leaf");
    const placed = tree.add(detachedLeafNode(proposal.keyPackage.leafNode));
    tree = placed.tree;
    added.push({ leafIndex: placed.leafIndex, keyPackage: proposal.keyPackage });
  }
  if (newExtensions !== undefined) for (const { leafNode } of tree.members()) requireSupport(leafNode, newExtensions);

  return {
    tree,
    extensions,
    newExtensions,
    added,
    removed,
    updated: updates.map(({ sender }) => sender),
    psks: ofKind("psk").map(({ proposal }) => proposal.psk),
    reInit: ofKind("reinit")[0]?.proposal,
    pathRequired: changes.length === 0 || changes.some(({ proposal }) => requiresPath(proposal)),
  };
}

function requiresPath(proposal: Proposal): boolean {
  return !(proposal.kind === "add" || proposal.kind === "psk" || proposal.kind === "reinit");
}

function requireValidList({ suite, committer, changes, isFounding = false }: ApplyProposalsParams): void {
  const touched = new Set<LeafIndex>();
  const psks = new Set<string>();
  let contextChanges = 0;
  for (const { proposal, sender } of changes) {
    switch (proposal.kind) {
      case "add":
        break;
      case "update":
      case "remove": {
        const leaf = proposal.kind === "update" ? sender : proposal.removed;
        if (leaf !== undefined && leaf === committer)
          throw refuse(proposal.kind === "update" ? "an update by the committer" : "the removal of the committer");
        if (leaf === undefined) break;
        if (touched.has(leaf)) throw refuse("two changes of one leaf");
        touched.add(leaf);
        break;
      }
      case "psk":
        requireValidPsk(suite, proposal.psk, { seen: psks, isFounding });
        break;
      case "reinit":
        if (changes.length > 1) throw refuse("a ReInit beside other proposals");
        break;
      case "external-init":
        throw refuse("an ExternalInit in a member's commit");
      case "group-context-extensions":
        if (++contextChanges > 1) throw refuse("two changes of the group context");
        break;
    }
  }
}

/** Checks a PSK proposal (RFC 9420 section 12.1.4) and that it is not in `seen`, where it is put. @throws MlsError `invalid-proposal`. */
export function requireValidPsk(
  suite: CipherSuite,
  psk: PreSharedKeyId,
  { seen, isFounding = false }: { readonly seen: Set<string>; readonly isFounding?: boolean },
): void {
  const { source, nonce } = psk;
  if (!isFounding && source.kind === "resumption" && source.usage.kind !== "application") {
    throw refuse("a PSK for another use than the group itself", "RFC 9420 §12.1.4");
  }
  if (nonce.length !== suite.hashBytes) throw refuse("a PSK nonce of the wrong size", "RFC 9420 §12.1.4");
  const id = toHex(encode(preSharedKeyId, psk));
  if (seen.has(id)) throw refuse("one PSK twice");
  seen.add(id);
}
