import { encode, equalBytes, toHex } from "@latchkey/codec";
import { decryptWithLabel, verifyWithLabel } from "../crypto/labeled.ts";
import type { CipherSuite } from "../crypto/suite.ts";
import { wipe } from "../crypto/wipe.ts";
import { MlsError } from "../errors.ts";
import { deriveEpochSecret, deriveWelcomeSecret, expandEpochSecret, welcomeKeyAndNonce } from "../key-schedule/epoch-secrets.ts";
import { isConfirmationTag } from "../key-schedule/transcript.ts";
import { credential, extensions, extensionTypes, findExtension } from "../messages/basics.ts";
import { decodeStructure, encodeStructure } from "../messages/coding.ts";
import { groupInfo, groupInfoTbs, groupSecrets } from "../messages/group-context.ts";
import type { GroupContext, GroupInfo, GroupSecrets, Welcome } from "../messages/group-context.ts";
import { decodeMessage } from "../messages/message.ts";
import type { PreSharedKeyId } from "../messages/proposals.ts";
import { leafNode } from "../messages/nodes.ts";
import type { KeyPackage } from "../messages/nodes.ts";
import { requireCredentialSupport, requireDistinctExtensions, requireLifetime, verifyLeaf } from "../tree/leaf-validation.ts";
import { verifyParentNodes } from "../tree/parent-hash.ts";
import { decodeTree } from "../tree/ratchet-tree.ts";
import type { RatchetTree } from "../tree/ratchet-tree.ts";
import { derivePathKeys } from "../tree/tree-kem.ts";
import { directPath, isBelow, leafToNode } from "../tree/tree-math.ts";
import type { LeafIndex, NodeIndex } from "../tree/tree-math.ts";
import { beginEpoch, lookUpPsks } from "./epochs.ts";
import { referenceOf } from "./key-packages.ts";
import { encodeContext } from "./state.ts";
import type { JoinGroupParams, JoinedGroup } from "./types.ts";

const clause = "RFC 9420 §12.4.3.1";

/**
 * Joins a group by a Welcome (RFC 9420 section 12.4.3.1). The caller checks that it is in no group of this id, that the
 * members are who they claim to be, and erases the key package's secrets.
 * @throws MlsError `invalid-welcome`, `invalid-tree`, `invalid-leaf`, `crypto`, `malformed` or `unsupported`.
 */
export async function joinGroup(params: JoinGroupParams): Promise<JoinedGroup> {
  const { suite, keyPackage, privateKeys } = params;
  const body = decodeMessage(params.welcome.slice());
  if (body.kind !== "welcome") throw new MlsError("malformed", "not a Welcome");
  const { welcome } = body;
  if (welcome.cipherSuite !== suite.id || keyPackage.cipherSuite !== suite.id) {
    throw new MlsError("invalid-welcome", "a Welcome of another cipher suite", { clause });
  }
  if (params.nowSeconds !== undefined) requireLifetime(keyPackage.leafNode, params.nowSeconds);
  const secrets = await openSecrets(params, welcome);
  const usage = successorUsage(params, secrets.psks);
  const pskSecret = lookUpPsks(suite, secrets.psks, {
    psk: (id) => (isSuccessorPsk(id) ? params.predecessor?.state.secrets.resumptionPsk : params.psk?.(id)),
    code: "invalid-welcome",
  });
  const info = await openGroupInfo(suite, welcome, { joinerSecret: secrets.joinerSecret, pskSecret });
  const { groupContext, signer } = info;
  const tree = await verifiedTree(suite, info, params.ratchetTree);
  if (usage !== undefined) requireSuccessor(params, { usage, context: groupContext, tree });

  const ownLeaf = findOwnLeaf(tree, keyPackage);
  const held = await ownKeys(params, { tree, ownLeaf, signer, pathSecret: secrets.pathSecret });
  const encodedContext = encodeContext(groupContext);
  const epochSecrets = expandEpochSecret(
    suite,
    deriveEpochSecret(suite, { joinerSecret: secrets.joinerSecret, pskSecret, groupContext: encodedContext }),
  );
  wipe(secrets.joinerSecret, secrets.pathSecret, pskSecret);
  const { confirmationTag } = info;
  const { confirmedTranscriptHash } = groupContext;
  if (!isConfirmationTag(suite, { confirmationKey: epochSecrets.confirmationKey, confirmedTranscriptHash, confirmationTag })) {
    throw new MlsError("invalid-welcome", "a wrong confirmation tag", { clause });
  }
  const state = beginEpoch({
    suite,
    context: groupContext,
    encodedContext,
    secrets: epochSecrets,
    tree,
    ownLeaf,
    signatureSecretKey: privateKeys.signatureSecretKey.slice(),
    privateKeys: held,
    confirmationTag,
  });
  return { state, welcomeSigner: signer };
}

function isSuccessorPsk({ source }: PreSharedKeyId): boolean {
  return source.kind === "resumption" && source.usage.kind !== "application";
}

/** How the Welcome says that its group succeeds another one; undefined when it does not. @throws MlsError. */
function successorUsage({ predecessor }: JoinGroupParams, psks: readonly PreSharedKeyId[]): "reinit" | "branch" | undefined {
  const [first, ...others] = psks.filter((id) => isSuccessorPsk(id));
  if (first === undefined) return undefined;
  if (predecessor === undefined) throw new MlsError("unsupported", "a group made by ReInit or branching", { clause: "RFC 9420 §11.2" });
  const { source } = first;
  const { groupId, epoch } = predecessor.state.context;
  if (source.kind !== "resumption" || source.usage.kind === "application") return undefined;
  if (others.length > 0 || !equalBytes(source.groupId, groupId) || source.epoch !== epoch) {
    throw new MlsError("invalid-welcome", "a group that succeeds another one than the one given", { clause });
  }
  return source.usage.kind;
}

/** Checks that a new group is what its predecessor's members agreed on (RFC 9420 sections 11.2, 11.3 and 12.4.3.1). @throws MlsError. */
function requireSuccessor(
  { predecessor }: JoinGroupParams,
  { usage, context, tree }: { readonly usage: "reinit" | "branch"; readonly context: GroupContext; readonly tree: RatchetTree },
): void {
  if (predecessor === undefined) return;
  const { state: before, reInit } = predecessor;
  if (context.epoch !== 1n) throw new MlsError("invalid-welcome", "a successor that is past its first epoch", { clause });
  const identities = (of: RatchetTree): Set<string> =>
    new Set(of.members().map(({ leafNode: leaf }) => toHex(encode(credential, leaf.credential))));
  const [old, current] = [identities(before.tree), identities(tree)];
  if (![...current].every((identity) => old.has(identity))) {
    throw new MlsError("invalid-welcome", "a successor with somebody who was not in the group before", { clause: "RFC 9420 §11.3" });
  }
  if (usage === "branch") {
    if (context.cipherSuite !== before.context.cipherSuite) {
      throw new MlsError("invalid-welcome", "a branch with another cipher suite", { clause: "RFC 9420 §11.3" });
    }
    return;
  }
  const isAsked =
    before.isEnded &&
    reInit !== undefined &&
    equalBytes(reInit.groupId, context.groupId) &&
    reInit.cipherSuite === context.cipherSuite &&
    equalBytes(encode(extensions, reInit.extensions), encode(extensions, context.extensions));
  if (!isAsked || old.size !== current.size) {
    throw new MlsError("invalid-welcome", "a successor other than the ReInit asked for", { clause: "RFC 9420 §11.2" });
  }
}

/**
 * The tree of a group info, with the group info's signature and everything about the tree checked (RFC 9420 section 12.4.3.1).
 * @throws MlsError.
 */
export async function verifiedTree(suite: CipherSuite, info: GroupInfo, given: Uint8Array | undefined): Promise<RatchetTree> {
  const { groupContext } = info;
  if (groupContext.cipherSuite !== suite.id) throw new MlsError("invalid-welcome", "a group of another cipher suite", { clause });
  requireDistinctExtensions(groupContext.extensions, "invalid-welcome");
  const encodedTree = given?.slice() ?? findExtension(info.extensions, extensionTypes.ratchetTree);
  if (encodedTree === undefined) throw new MlsError("usage", "the ratchet tree is neither in the group info nor given", { clause });
  const tree = decodeTree(encodedTree);
  await verifySignature(suite, tree, info);
  await verifyTree(suite, tree, info);
  return tree;
}

async function openSecrets({ suite, keyPackage, privateKeys }: JoinGroupParams, welcome: Welcome): Promise<GroupSecrets> {
  const reference = referenceOf(suite, keyPackage);
  const entry = welcome.secrets.find(({ newMember }) => equalBytes(newMember, reference));
  if (entry === undefined) throw new MlsError("invalid-welcome", "a Welcome for another key package", { clause });
  const plaintext = await decryptWithLabel(suite, {
    secretKey: privateKeys.initSecretKey,
    publicKey: keyPackage.initKey,
    label: "Welcome",
    context: welcome.encryptedGroupInfo,
    kemOutput: entry.encryptedGroupSecrets.kemOutput,
    ciphertext: entry.encryptedGroupSecrets.ciphertext,
  });
  const secrets = decodeStructure(groupSecrets, plaintext, "GroupSecrets");
  if (secrets.joinerSecret.length !== suite.hashBytes)
    throw new MlsError("invalid-welcome", "a joiner secret of the wrong size", { clause });
  return secrets;
}

async function openGroupInfo(
  suite: CipherSuite,
  welcome: Welcome,
  params: { readonly joinerSecret: Uint8Array; readonly pskSecret: Uint8Array },
): Promise<GroupInfo> {
  const { key, nonce } = welcomeKeyAndNonce(suite, deriveWelcomeSecret(suite, params));
  const plaintext = await suite.open({ key, nonce, aad: new Uint8Array(0), ciphertext: welcome.encryptedGroupInfo });
  wipe(key, nonce);
  return decodeStructure(groupInfo, plaintext, "GroupInfo");
}

async function verifySignature(suite: CipherSuite, tree: RatchetTree, info: GroupInfo): Promise<void> {
  const signerLeaf = tree.leafAt(info.signer);
  if (signerLeaf === undefined) throw new MlsError("invalid-welcome", "a Welcome signed by nobody in the group", { clause });
  const isSigned = await verifyWithLabel(suite, {
    publicKey: signerLeaf.signatureKey,
    label: "GroupInfoTBS",
    content: encodeStructure(groupInfoTbs, info, "GroupInfoTBS"),
    signature: info.signature,
  });
  if (!isSigned) throw new MlsError("crypto", "a group info with a wrong signature", { clause });
}

async function verifyTree(suite: CipherSuite, tree: RatchetTree, { groupContext }: GroupInfo): Promise<void> {
  if (!equalBytes(tree.treeHash(suite), groupContext.treeHash))
    throw new MlsError("invalid-tree", "not the tree of the Welcome", { clause });
  verifyParentNodes(suite, tree);
  tree.requireUniqueKeys(suite);
  const leaves = tree.members();
  requireCredentialSupport(leaves);
  for (const { leafIndex, leafNode: leaf } of leaves) {
    await verifyLeaf({
      suite,
      leaf,
      sources: ["key-package", "update", "commit"],
      position: { groupId: groupContext.groupId, leafIndex },
      groupExtensions: groupContext.extensions,
    });
  }
}

function findOwnLeaf(tree: RatchetTree, keyPackage: KeyPackage): LeafIndex {
  const own = encode(leafNode, keyPackage.leafNode);
  const found = tree
    .members()
    .find(
      (member) =>
        equalBytes(member.leafNode.signature, keyPackage.leafNode.signature) && equalBytes(encode(leafNode, member.leafNode), own),
    );
  if (found === undefined) throw new MlsError("invalid-welcome", "a group without this key package's leaf", { clause });
  return found.leafIndex;
}

interface OwnKeysParams {
  readonly tree: RatchetTree;
  readonly ownLeaf: LeafIndex;
  readonly signer: LeafIndex;
  readonly pathSecret: Uint8Array | undefined;
}

/** The joiner's secret keys. Each parent above that counts it as merged must be among them, or later commits would not reach it. */
async function ownKeys(
  { suite, privateKeys }: JoinGroupParams,
  { tree, ownLeaf, signer, pathSecret }: OwnKeysParams,
): Promise<Map<NodeIndex, Uint8Array>> {
  const keys = new Map<NodeIndex, Uint8Array>([[leafToNode(ownLeaf), privateKeys.leafSecretKey.slice()]]);
  if (pathSecret !== undefined) {
    const steps = tree.filteredDirectPath(signer);
    const first = steps.findIndex(({ copath }) => isBelow(ownLeaf, copath.index));
    if (first === -1) throw new MlsError("invalid-welcome", "a path secret of a node that is not shared", { clause });
    const nodes = steps.slice(first).map(({ index }) => ({ index, encryptionKey: tree.slotAt(index)?.value?.encryptionKey }));
    const derived = await derivePathKeys(suite, pathSecret, nodes);
    if (derived === undefined) throw new MlsError("invalid-welcome", "a path secret that does not fit the tree", { clause });
    for (const [index, secretKey] of derived.privateKeys) keys.set(index, secretKey);
  }
  for (const index of directPath(ownLeaf, tree.leafCount)) {
    const slot = tree.slotAt(index);
    if (slot?.kind !== "parent" || slot.value === undefined || keys.has(index)) continue;
    if (!slot.value.unmergedLeaves.includes(ownLeaf))
      throw new MlsError("invalid-welcome", "a parent node whose secret was withheld", { clause });
  }
  return keys;
}
