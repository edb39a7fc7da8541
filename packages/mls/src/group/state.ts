import { encode } from "@latchkey/codec";
import type { CipherSuite, CipherSuiteId } from "../crypto/suite.ts";
import { MlsError } from "../errors.ts";
import { exportFromSecret } from "../key-schedule/epoch-secrets.ts";
import type { EpochSecrets } from "../key-schedule/epoch-secrets.ts";
import type { Extension } from "../messages/basics.ts";
import { groupContext } from "../messages/group-context.ts";
import type { GroupContext } from "../messages/group-context.ts";
import type { Proposal } from "../messages/proposals.ts";
import type { SecretTree } from "../secret-tree/secret-tree.ts";
import { encodeTree } from "../tree/ratchet-tree.ts";
import type { RatchetTree } from "../tree/ratchet-tree.ts";
import type { Slot } from "../tree/slots.ts";
import type { LeafIndex } from "../tree/tree-math.ts";
import type { PrivateKeys } from "../tree/tree-kem.ts";
import { toMember } from "./member.ts";
import type { Member } from "./member.ts";

/** A proposal sent by itself that a commit of this epoch may refer to. */
export interface PendingProposal {
  readonly reference: Uint8Array;
  /** Undefined for somebody outside. */
  readonly sender: LeafIndex | undefined;
  readonly proposal: Proposal;
  /** The secret key of one's own update's leaf. */
  readonly updateSecretKey: Uint8Array | undefined;
}

/** The epoch's secrets that outlive its beginning. */
export type KeptSecrets = Omit<EpochSecrets, "encryptionSecret" | "confirmationKey">;

/**
 * One member's view of one epoch: an immutable value that shares structure with its neighbours. Callers pass it on and
 * store it with `encodeGroupState`; its fields are not part of the package's interface.
 */
export interface GroupState {
  readonly suite: CipherSuite;
  readonly context: GroupContext;
  /** `context` as its bytes. */
  readonly encodedContext: Uint8Array;
  readonly tree: RatchetTree;
  readonly ownLeaf: LeafIndex;
  readonly signatureSecretKey: Uint8Array;
  /** Secret keys of the own leaf and of parents above it. */
  readonly privateKeys: PrivateKeys;
  readonly secrets: KeptSecrets;
  readonly confirmationTag: Uint8Array;
  readonly interimTranscriptHash: Uint8Array;
  readonly secretTree: SecretTree;
  readonly proposals: readonly PendingProposal[];
  /** Whether a ReInit ended this group: nothing is sent any more (RFC 9420 section 12.4.2). */
  readonly isEnded: boolean;
}

/** The encoding of a group context. */
export function encodeContext(context: GroupContext): Uint8Array {
  return encode(groupContext, context);
}

/** The secrets to keep once an epoch has begun. */
export function keptSecrets(secrets: EpochSecrets): KeptSecrets {
  return {
    senderDataSecret: secrets.senderDataSecret,
    exporterSecret: secrets.exporterSecret,
    externalSecret: secrets.externalSecret,
    membershipKey: secrets.membershipKey,
    resumptionPsk: secrets.resumptionPsk,
    epochAuthenticator: secrets.epochAuthenticator,
    initSecret: secrets.initSecret,
  };
}

/** @throws MlsError `usage` when a ReInit ended the group. */
export function requireActive(state: GroupState): void {
  if (state.isEnded) throw new MlsError("usage", "the group was ended by a ReInit", { clause: "RFC 9420 §12.4.2" });
}

/** The members, from left to right. */
export function members(state: GroupState): Member[] {
  return state.tree.members().map(({ leafIndex, leafNode }) => toMember(leafIndex, leafNode));
}

/** The member at that leaf, or undefined when there is none. */
export function memberAt(state: GroupState, leafIndex: LeafIndex): Member | undefined {
  const leafNode = state.tree.leafAt(leafIndex);
  return leafNode === undefined ? undefined : toMember(leafIndex, leafNode);
}

/** The leaf that this state belongs to. */
export function ownLeafIndex(state: GroupState): LeafIndex {
  return state.ownLeaf;
}

/** The epoch, 0 for a group just created. */
export function epoch(state: GroupState): bigint {
  return state.context.epoch;
}

/** The group id. Not to be changed. */
export function groupId(state: GroupState): Uint8Array {
  return state.context.groupId;
}

/** The group context's extensions: what all members agree on. */
export function groupContextExtensions(state: GroupState): readonly Extension[] {
  return state.context.extensions;
}

/** The hash of the ratchet tree (RFC 9420 section 7.8). Not to be changed. */
export function treeHash(state: GroupState): Uint8Array {
  return state.context.treeHash;
}

/** The hash of all commits so far (RFC 9420 section 8.2). Not to be changed. */
export function confirmedTranscriptHash(state: GroupState): Uint8Array {
  return state.context.confirmedTranscriptHash;
}

/** The group's cipher suite. */
export function cipherSuiteId(state: GroupState): CipherSuiteId {
  return state.suite.id;
}

/** The encoding of the ratchet tree, for joiners (RFC 9420 section 12.4.3.3). */
export function encodeRatchetTree(state: GroupState): Uint8Array {
  return encodeTree(state.tree);
}

/**
 * How many members a commit reaches only one by one, because no parent node stands for them yet: they joined and have not
 * committed since. 0 means that commits have their smallest size.
 */
export function unmergedLeafCount(state: GroupState): number {
  const alone = new Set<LeafIndex>();
  const visit = (slot: Slot): void => {
    if (slot.kind === "leaf" || slot.memberCount < 2) return;
    for (const leaf of slot.value?.unmergedLeaves ?? []) alone.add(leaf);
    if (slot.value === undefined && slot.left.memberCount > 0 && slot.right.memberCount > 0) {
      for (const leaf of [onlyLeaf(slot.left), onlyLeaf(slot.right)]) if (leaf !== undefined) alone.add(leaf);
    }
    visit(slot.left);
    visit(slot.right);
  };
  visit(state.tree.top);
  return alone.size;
}

function onlyLeaf(slot: Slot): LeafIndex | undefined {
  if (slot.memberCount !== 1) return undefined;
  let at = slot;
  while (at.kind === "parent") at = at.left.memberCount === 1 ? at.left : at.right;
  return at.leafIndex;
}

/** `sizeBytes` of MLS-Exporter output (RFC 9420 section 8.5): the same for all members of the epoch, unknown to others. */
export function exportSecret(state: GroupState, label: string, context: Uint8Array, sizeBytes: number): Uint8Array {
  return exportFromSecret(state.suite, { exporterSecret: state.secrets.exporterSecret, label, context, sizeBytes });
}

/** A value that is equal exactly for members who agree on the epoch (RFC 9420 section 8.7). Safe to show. */
export function epochAuthenticator(state: GroupState): Uint8Array {
  return state.secrets.epochAuthenticator.slice();
}

/** The epoch's resumption PSK (RFC 9420 section 8.6): a secret. */
export function resumptionPsk(state: GroupState): Uint8Array {
  return state.secrets.resumptionPsk.slice();
}
