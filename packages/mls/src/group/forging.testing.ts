import { encode } from "@latchkey/codec";
import { encryptWithLabel, signWithLabel } from "../crypto/labeled.ts";
import { signContent } from "../framing/authenticate.ts";
import { protectPublicMessage } from "../framing/public-message.ts";
import {
  deriveEpochSecret,
  deriveWelcomeSecret,
  expandEpochSecret,
  welcomeKeyAndNonce,
  zeroSecret,
} from "../key-schedule/epoch-secrets.ts";
import { computeConfirmationTag } from "../key-schedule/transcript.ts";
import { encodeStructure } from "../messages/coding.ts";
import type { FramedContent } from "../messages/framing.ts";
import { groupContext, groupInfo, groupInfoTbs, groupSecrets } from "../messages/group-context.ts";
import type { GroupContext, GroupInfoContent } from "../messages/group-context.ts";
import { encodeMessage } from "../messages/message.ts";
import { encodeLeafNodeTbs, ratchetTreeNodes } from "../messages/nodes.ts";
import type { KeyPackage, LeafNode, LeafNodeContent, NodeValue } from "../messages/nodes.ts";
import type { Commit } from "../messages/proposals.ts";
import { RatchetTree } from "../tree/ratchet-tree.ts";
import type { LeafIndex } from "../tree/tree-math.ts";
import { nextEpoch } from "./epochs.ts";
import { nothing, publicMessageOf } from "./group.testing.ts";
import { referenceOf } from "./key-packages.ts";
import type { GroupState } from "./state.ts";
import type { CreatedCommit, CreatedKeyPackage } from "./types.ts";

/** What a member can do that keeps to the formats and to nothing else: everything here is signed and tagged as it should be. */

/** A commit changed by its own author; its confirmation tag stays that of the original. */
export async function reforgeCommit(author: GroupState, message: Uint8Array, change: (commit: Commit) => Commit): Promise<Uint8Array> {
  const { suite } = author;
  const original = publicMessageOf(message);
  if (original.content.body.kind !== "commit") throw new Error("a commit expected");
  const content: FramedContent = { ...original.content, body: { kind: "commit", commit: change(original.content.body.commit) } };
  return await signAsMember(author, content, original.auth.confirmationTag ?? new Uint8Array(suite.hashBytes));
}

/** As `reforgeCommit` for a commit without proposals, with the confirmation tag that the changed commit leads to. */
export async function reforgeWholeCommit(
  author: GroupState,
  created: CreatedCommit,
  change: (commit: Commit) => Commit,
  commitSecret: Uint8Array,
): Promise<Uint8Array> {
  const { suite, encodedContext, context } = author;
  const untagged = publicMessageOf(await reforgeCommit(author, created.message, change));
  const { secrets, context: after } = nextEpoch({
    suite,
    provisional: { ...context, epoch: context.epoch + 1n, treeHash: created.next.context.treeHash },
    content: { wireFormat: "public-message", content: untagged.content, auth: untagged.auth },
    interimTranscriptHash: author.interimTranscriptHash,
    initSecret: author.secrets.initSecret,
    commitSecret: commitSecret.slice(),
    pskSecret: zeroSecret(suite),
  });
  const { confirmationKey } = secrets;
  const confirmationTag = computeConfirmationTag(suite, { confirmationKey, confirmedTranscriptHash: after.confirmedTranscriptHash });
  const publicMessage = protectPublicMessage(suite, {
    content: { wireFormat: "public-message", content: untagged.content, auth: { ...untagged.auth, confirmationTag } },
    membershipKey: author.secrets.membershipKey,
    groupContext: encodedContext,
  });
  return encodeMessage({ kind: "public-message", publicMessage });
}

/** Any handshake content, signed and tagged by a member. */
export async function signAsMember(
  author: GroupState,
  content: FramedContent,
  confirmationTag: Uint8Array | undefined,
): Promise<Uint8Array> {
  const { suite, encodedContext } = author;
  const signature = await signContent(suite, {
    wireFormat: "public-message",
    content,
    groupContext: encodedContext,
    secretKey: author.signatureSecretKey,
  });
  const publicMessage = protectPublicMessage(suite, {
    content: {
      wireFormat: "public-message",
      content,
      auth: { signature, confirmationTag: content.body.kind === "commit" ? confirmationTag : undefined },
    },
    membershipKey: author.secrets.membershipKey,
    groupContext: encodedContext,
  });
  return encodeMessage({ kind: "public-message", publicMessage });
}

/** A leaf of the author's, signed again. */
export async function resignLeaf(author: GroupState, leaf: LeafNodeContent): Promise<LeafNode> {
  const { encryptionKey, signatureKey, credential, capabilities, source, extensions } = leaf;
  const content: LeafNodeContent = { encryptionKey, signatureKey, credential, capabilities, source, extensions };
  const signature = await signWithLabel(author.suite, {
    secretKey: author.signatureSecretKey,
    label: "LeafNodeTBS",
    content: encodeLeafNodeTbs(content, { groupId: author.context.groupId, leafIndex: author.ownLeaf }),
  });
  return { ...content, signature };
}

/** What a forged Welcome may claim. */
export interface ForgedWelcome {
  /** The nodes of the tree that it vouches for. */
  readonly nodes: readonly (NodeValue | undefined)[];
  /** The tree hash in its group context; that of `nodes` when those are a tree. */
  readonly treeHash?: Uint8Array;
  readonly context?: Partial<GroupContext>;
  readonly signer?: LeafIndex;
  readonly pathSecret?: Uint8Array;
  readonly signatureSecretKey?: Uint8Array;
  readonly confirmationTag?: Uint8Array;
}

/** A Welcome for `joiner` into a group that need not exist, by somebody who can sign as `author`. */
export async function forgeWelcome(
  author: GroupState,
  joiner: CreatedKeyPackage | { readonly keyPackage: KeyPackage },
  forged: ForgedWelcome,
): Promise<{ readonly welcome: Uint8Array; readonly ratchetTree: Uint8Array }> {
  const { suite } = author;
  const context: GroupContext = { ...author.context, treeHash: forged.treeHash ?? hashOf(author, forged.nodes), ...forged.context };
  const encodedContext = encode(groupContext, context);
  const joinerSecret = suite.hash(Uint8Array.of(1, 2, 3));
  const pskSecret = zeroSecret(suite);
  const { confirmationKey } = expandEpochSecret(suite, deriveEpochSecret(suite, { joinerSecret, pskSecret, groupContext: encodedContext }));
  const confirmationTag =
    forged.confirmationTag ?? computeConfirmationTag(suite, { confirmationKey, confirmedTranscriptHash: context.confirmedTranscriptHash });
  const content: GroupInfoContent = { groupContext: context, extensions: [], confirmationTag, signer: forged.signer ?? author.ownLeaf };
  const signature = await signWithLabel(suite, {
    secretKey: forged.signatureSecretKey ?? author.signatureSecretKey,
    label: "GroupInfoTBS",
    content: encodeStructure(groupInfoTbs, content, "GroupInfoTBS"),
  });
  const { key, nonce } = welcomeKeyAndNonce(suite, deriveWelcomeSecret(suite, { joinerSecret, pskSecret }));
  const encryptedGroupInfo = await suite.seal({ key, nonce, aad: nothing, plaintext: encode(groupInfo, { ...content, signature }) });
  let seed = 0;
  const encryptedGroupSecrets = await encryptWithLabel(suite, {
    publicKey: joiner.keyPackage.initKey,
    label: "Welcome",
    context: encryptedGroupInfo,
    plaintext: encode(groupSecrets, { joinerSecret, pathSecret: forged.pathSecret, psks: [] }),
    random: (size) => suite.expand(suite.hash(Uint8Array.of(seed++)), nothing, size),
  });
  const secrets = [{ newMember: referenceOf(suite, joiner.keyPackage), encryptedGroupSecrets }];
  return {
    welcome: encodeMessage({ kind: "welcome", welcome: { cipherSuite: suite.id, secrets, encryptedGroupInfo } }),
    ratchetTree: encode(ratchetTreeNodes, [...forged.nodes]),
  };
}

function hashOf(author: GroupState, nodes: readonly (NodeValue | undefined)[]): Uint8Array {
  try {
    return RatchetTree.fromNodes(nodes).treeHash(author.suite);
  } catch {
    return author.suite.hash(nothing);
  }
}
