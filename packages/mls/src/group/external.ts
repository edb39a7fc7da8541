import { encode, utf8Bytes } from "@latchkey/codec";
import { signWithLabel } from "../crypto/labeled.ts";
import { wipe } from "../crypto/wipe.ts";
import { MlsError } from "../errors.ts";
import { signContent } from "../framing/authenticate.ts";
import { protectPublicMessage } from "../framing/public-message.ts";
import { deriveExternalKeyPair } from "../key-schedule/epoch-secrets.ts";
import { computeConfirmationTag, interimTranscriptHash } from "../key-schedule/transcript.ts";
import { externalPub, extensionTypes, findExtension } from "../messages/basics.ts";
import type { Extension } from "../messages/basics.ts";
import { decodeStructure, encodeStructure } from "../messages/coding.ts";
import type { AuthenticatedContent, FramedContent } from "../messages/framing.ts";
import { groupInfoTbs } from "../messages/group-context.ts";
import type { GroupContext, GroupInfoContent } from "../messages/group-context.ts";
import { decodeMessage, encodeMessage } from "../messages/message.ts";
import type { Proposal } from "../messages/proposals.ts";
import { encodeTree } from "../tree/ratchet-tree.ts";
import { createUpdatePath } from "../tree/tree-kem.ts";
import { requireUsableTree } from "./check-commit.ts";
import { beginEpoch, lookUpPsks, nextEpoch } from "./epochs.ts";
import { verifiedTree } from "./join-group.ts";
import { createLeaf } from "./key-packages.ts";
import { encodeContext, requireActive } from "./state.ts";
import type { GroupState } from "./state.ts";
import type { ExternalJoinParams } from "./types.ts";

const clause = "RFC 9420 §12.4.3.2";

/**
 * A signed description of the epoch by which somebody can add themself, as an `MLSMessage` (RFC 9420 section 12.4.3). Whoever
 * holds it can join any member's group that takes external commits: by default none does.
 */
export async function createGroupInfo(state: GroupState, params: { readonly withTree?: boolean } = {}): Promise<Uint8Array> {
  requireActive(state);
  const { suite } = state;
  const external = await deriveExternalKeyPair(suite, state.secrets.externalSecret);
  const extensions: Extension[] = [{ type: extensionTypes.externalPub, data: encode(externalPub, { externalPub: external.publicKey }) }];
  if (params.withTree === true) extensions.push({ type: extensionTypes.ratchetTree, data: encodeTree(state.tree) });
  const content: GroupInfoContent = {
    groupContext: state.context,
    extensions,
    confirmationTag: state.confirmationTag,
    signer: state.ownLeaf,
  };
  const signature = await signWithLabel(suite, {
    secretKey: state.signatureSecretKey,
    label: "GroupInfoTBS",
    content: encodeStructure(groupInfoTbs, content, "GroupInfoTBS"),
  });
  return encodeMessage({ kind: "group-info", groupInfo: { ...content, signature } });
}

/**
 * Joins a group without being added: makes the external commit (RFC 9420 section 12.4.3.2). The state is the group's only once the
 * delivery service has taken the message and its members accept such commits (`allowExternalCommits`).
 * @throws MlsError as `joinGroup`; `usage` for a group info without external_pub.
 */
export async function joinByExternalCommit(
  params: ExternalJoinParams,
): Promise<{ readonly message: Uint8Array; readonly next: GroupState }> {
  const { suite, random, signatureKeyPair } = params;
  const body = decodeMessage(params.groupInfo.slice());
  if (body.kind !== "group-info") throw new MlsError("malformed", "not a group info");
  const { groupInfo } = body;
  const { groupContext } = groupInfo;
  const tree = await verifiedTree(suite, groupInfo, params.ratchetTree);
  const data = findExtension(groupInfo.extensions, extensionTypes.externalPub);
  if (data === undefined) throw new MlsError("usage", "a group info without external_pub", { clause });
  const { kemOutput, exported: initSecret } = await suite.hpkeSendExport({
    publicKey: decodeStructure(externalPub, data, "ExternalPub").externalPub,
    info: new Uint8Array(0),
    exporterContext: utf8Bytes("MLS 1.0 external init secret"),
    sizeBytes: suite.hashBytes,
    random,
  });

  const proposals: Proposal[] = [{ kind: "external-init", kemOutput }];
  if (params.replaces !== undefined) {
    if (tree.leafAt(params.replaces) === undefined)
      throw new MlsError("invalid-proposal", "the removal of a leaf that is blank", { clause });
    proposals.push({ kind: "remove", removed: params.replaces });
  }
  const psks = params.psks ?? [];
  for (const psk of psks) proposals.push({ kind: "psk", psk });
  const pskSecret = lookUpPsks(suite, psks, { psk: params.psk, code: "usage" });

  // A leaf to stand there until the path replaces it.
  const { publicKey: encryptionKey } = await suite.deriveKemKeyPair(random(suite.hashBytes));
  const leaf = await createLeaf({
    suite,
    encryptionKey,
    credential: params.credential,
    signatureKeyPair,
    lifetime: params.lifetime,
    capabilities: params.capabilities,
    leafExtensions: params.leafExtensions ?? [],
    supported: groupContext.extensions.map(({ type }) => type),
  });
  const before = params.replaces === undefined ? tree : tree.remove(params.replaces);
  const placed = before.add(leaf);
  const provisionalFor = (treeHash: Uint8Array): GroupContext => ({ ...groupContext, epoch: groupContext.epoch + 1n, treeHash });
  const path = await createUpdatePath({
    suite,
    tree: placed.tree,
    sender: placed.leafIndex,
    leaf,
    groupId: groupContext.groupId,
    signatureSecretKey: signatureKeyPair.secretKey,
    added: new Set(),
    contextFor: (treeHash) => encodeContext(provisionalFor(treeHash)),
    random,
  });
  requireUsableTree(suite, tree, path.tree);

  const content: FramedContent = {
    groupId: groupContext.groupId,
    epoch: groupContext.epoch,
    sender: { kind: "new-member-commit" },
    authenticatedData: params.authenticatedData.slice(),
    body: { kind: "commit", commit: { proposals: proposals.map((proposal) => ({ kind: "proposal", proposal })), path: path.path } },
  };
  const encodedContext = encodeContext(groupContext);
  const signature = await signContent(suite, {
    wireFormat: "public-message",
    content,
    groupContext: encodedContext,
    secretKey: signatureKeyPair.secretKey,
  });
  const signed: AuthenticatedContent = { wireFormat: "public-message", content, auth: { signature, confirmationTag: undefined } };
  const { confirmedTranscriptHash } = groupContext;
  const epoch = nextEpoch({
    suite,
    provisional: provisionalFor(path.tree.treeHash(suite)),
    content: signed,
    interimTranscriptHash: interimTranscriptHash(suite, { confirmedTranscriptHash, confirmationTag: groupInfo.confirmationTag }),
    initSecret,
    commitSecret: path.commitSecret,
    pskSecret,
  });
  wipe(epoch.joinerSecret, pskSecret, initSecret, ...path.pathSecrets.values());
  const confirmationTag = computeConfirmationTag(suite, {
    confirmationKey: epoch.secrets.confirmationKey,
    confirmedTranscriptHash: epoch.context.confirmedTranscriptHash,
  });
  const next = beginEpoch({
    suite,
    context: epoch.context,
    encodedContext: epoch.encodedContext,
    secrets: epoch.secrets,
    tree: path.tree,
    ownLeaf: placed.leafIndex,
    signatureSecretKey: signatureKeyPair.secretKey.slice(),
    privateKeys: path.privateKeys,
    confirmationTag,
  });
  const publicMessage = protectPublicMessage(suite, {
    content: { ...signed, auth: { signature, confirmationTag } },
    // Nobody outside has it, and no tag is made for a sender who is no member.
    membershipKey: new Uint8Array(0),
    groupContext: encodedContext,
  });
  return { message: encodeMessage({ kind: "public-message", publicMessage }), next };
}
