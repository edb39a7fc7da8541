import { encode } from "@latchkey/codec";
import { encryptWithLabel, signWithLabel } from "../crypto/labeled.ts";
import { wipe } from "../crypto/wipe.ts";
import { MlsError } from "../errors.ts";
import { signContent } from "../framing/authenticate.ts";
import { protectPublicMessage } from "../framing/public-message.ts";
import { deriveWelcomeSecret, welcomeKeyAndNonce, zeroSecret } from "../key-schedule/epoch-secrets.ts";
import { computeConfirmationTag } from "../key-schedule/transcript.ts";
import { extensionTypes, mls10 } from "../messages/basics.ts";
import { encodeStructure } from "../messages/coding.ts";
import type { AuthenticatedContent, FramedContent } from "../messages/framing.ts";
import { groupInfo, groupInfoTbs, groupSecrets } from "../messages/group-context.ts";
import type { GroupContext, GroupInfoContent } from "../messages/group-context.ts";
import { encodeMessage } from "../messages/message.ts";
import type { PreSharedKeyId, Proposal } from "../messages/proposals.ts";
import { requireLifetime, requireUsableKey } from "../tree/leaf-validation.ts";
import { encodeTree } from "../tree/ratchet-tree.ts";
import { createUpdatePath, retainPrivateKeys } from "../tree/tree-kem.ts";
import type { CreatedUpdatePath } from "../tree/tree-kem.ts";
import { isBelow } from "../tree/tree-math.ts";
import type { LeafIndex } from "../tree/tree-math.ts";
import { requireUsableTree } from "./check-commit.ts";
import { beginEpoch, lookUpPsks, nextEpoch } from "./epochs.ts";
import type { NewEpoch } from "./epochs.ts";
import { referenceOf } from "./key-packages.ts";
import { findPending } from "./pending.ts";
import { applyProposals } from "./proposal-list.ts";
import type { AddedMember, AppliedProposals } from "./proposal-list.ts";
import { encodeContext, requireActive } from "./state.ts";
import type { GroupState, PendingProposal } from "./state.ts";
import type { CreateCommitParams, CreatedCommit } from "./types.ts";

/**
 * Makes a commit: a `PublicMessage` with its proposals inline, or by reference to those sent before (RFC 9420 section 12.4.1). `state` stays as it is.
 * @throws MlsError `invalid-proposal` or `invalid-leaf` when the changes are not allowed, `usage` after a ReInit.
 */
export async function createCommit(state: GroupState, params: CreateCommitParams): Promise<CreatedCommit> {
  requireActive(state);
  const { suite, ownLeaf } = state;
  const successor = successorPsk(state, params);
  const proposals: Proposal[] = [...proposalsOf(params), ...(successor === undefined ? [] : [{ kind: "psk", psk: successor.id } as const])];
  const referred = referredProposals(state, params.references ?? []);
  for (const { proposal } of [...proposals.map((own) => ({ proposal: own })), ...referred]) {
    if (proposal.kind !== "add") continue;
    requireLifetime(proposal.keyPackage.leafNode, params.nowSeconds);
    await requireUsableKey(suite, proposal.keyPackage.initKey, "invalid-leaf");
  }
  const applied = await applyProposals({
    suite,
    groupId: state.context.groupId,
    tree: state.tree,
    extensions: state.context.extensions,
    committer: ownLeaf,
    changes: [...proposals.map((proposal) => ({ proposal, sender: ownLeaf })), ...referred],
    isFounding: successor !== undefined,
  });
  const provisionalFor = (treeHash: Uint8Array): GroupContext => ({
    ...state.context,
    epoch: state.context.epoch + 1n,
    treeHash,
    extensions: applied.extensions,
  });
  const withPath = applied.pathRequired || params.path !== "auto";
  const path = withPath ? await createPath(state, { applied, provisionalFor, random: params.random }) : undefined;
  const tree = path?.tree ?? applied.tree;
  requireUsableTree(suite, state.tree, tree);

  const content: FramedContent = {
    groupId: state.context.groupId,
    epoch: state.context.epoch,
    sender: { kind: "member", leafIndex: ownLeaf },
    authenticatedData: params.authenticatedData.slice(),
    body: {
      kind: "commit",
      commit: {
        proposals: [
          ...proposals.map((proposal) => ({ kind: "proposal", proposal }) as const),
          ...referred.map(({ reference }) => ({ kind: "reference", reference }) as const),
        ],
        path: path?.path,
      },
    },
  };
  const signature = await signContent(suite, {
    wireFormat: "public-message",
    content,
    groupContext: state.encodedContext,
    secretKey: state.signatureSecretKey,
  });
  const signed: AuthenticatedContent = { wireFormat: "public-message", content, auth: { signature, confirmationTag: undefined } };
  const pskSecret = lookUpPsks(suite, applied.psks, {
    psk: (id) => (id === successor?.id ? successor.psk : params.psk?.(id)),
    code: "usage",
  });
  const epoch = nextEpoch({
    suite,
    provisional: provisionalFor(tree.treeHash(suite)),
    content: signed,
    interimTranscriptHash: state.interimTranscriptHash,
    initSecret: state.secrets.initSecret,
    commitSecret: path?.commitSecret ?? zeroSecret(suite),
    pskSecret,
  });
  const confirmationTag = computeConfirmationTag(suite, {
    confirmationKey: epoch.secrets.confirmationKey,
    confirmedTranscriptHash: epoch.context.confirmedTranscriptHash,
  });
  const publicMessage = protectPublicMessage(suite, {
    content: { ...signed, auth: { signature, confirmationTag } },
    membershipKey: state.secrets.membershipKey,
    groupContext: state.encodedContext,
  });
  const next = beginEpoch({
    suite,
    context: epoch.context,
    encodedContext: epoch.encodedContext,
    secrets: epoch.secrets,
    tree,
    ownLeaf,
    signatureSecretKey: state.signatureSecretKey,
    privateKeys: new Map([...retainPrivateKeys(state.privateKeys, state.tree, tree), ...(path?.privateKeys ?? [])]),
    confirmationTag,
    isEnded: applied.reInit !== undefined,
  });
  const welcomes = await createWelcomes(next, { epoch, path, added: applied.added, psks: applied.psks, pskSecret, params });
  wipe(epoch.joinerSecret, pskSecret, ...(path?.pathSecrets.values() ?? []));
  return { message: encodeMessage({ kind: "public-message", publicMessage }), next, welcomes };
}

/** The proposals of these references, each once. @throws MlsError `usage`. */
function referredProposals(state: GroupState, references: readonly Uint8Array[]): PendingProposal[] {
  const found = references.map((reference) => {
    const pending = findPending(state, reference);
    if (pending === undefined) throw new MlsError("usage", "a reference to a proposal that this epoch does not have");
    return pending;
  });
  return [...new Set(found)];
}

/** The PSK that ties a group being made to the one that it succeeds (RFC 9420 section 8.6). @throws MlsError `usage`. */
function successorPsk(
  state: GroupState,
  { successorOf, random }: CreateCommitParams,
): { readonly id: PreSharedKeyId; readonly psk: Uint8Array } | undefined {
  if (successorOf === undefined) return undefined;
  const { state: before, usage } = successorOf;
  const clause = usage === "reinit" ? "RFC 9420 §11.2" : "RFC 9420 §11.3";
  if (state.context.epoch !== 0n) throw new MlsError("usage", "a group succeeds another one from its first commit on", { clause });
  if (usage === "reinit" && !before.isEnded) throw new MlsError("usage", "the group before was not ended by a ReInit", { clause });
  const { groupId, epoch } = before.context;
  const id: PreSharedKeyId = {
    source: { kind: "resumption", usage: { kind: usage }, groupId, epoch },
    nonce: random(state.suite.hashBytes),
  };
  return { id, psk: before.secrets.resumptionPsk };
}

function proposalsOf(params: CreateCommitParams): Proposal[] {
  const proposals: Proposal[] = [];
  if (params.groupContextExtensions !== undefined) {
    proposals.push({ kind: "group-context-extensions", extensions: params.groupContextExtensions });
  }
  for (const removed of params.removes ?? []) proposals.push({ kind: "remove", removed });
  for (const keyPackage of params.adds ?? []) proposals.push({ kind: "add", keyPackage });
  for (const psk of params.psks ?? []) proposals.push({ kind: "psk", psk });
  if (params.reInit !== undefined) {
    const { groupId, cipherSuite, extensions } = params.reInit;
    proposals.push({ kind: "reinit", groupId, version: mls10, cipherSuite, extensions });
  }
  return proposals;
}

interface PathParams {
  readonly applied: AppliedProposals;
  readonly provisionalFor: (treeHash: Uint8Array) => GroupContext;
  readonly random: CreateCommitParams["random"];
}

async function createPath(state: GroupState, { applied, provisionalFor, random }: PathParams): Promise<CreatedUpdatePath> {
  const leaf = applied.tree.leafAt(state.ownLeaf);
  if (leaf === undefined) throw new MlsError("removed", "this member is not in the group any more");
  return await createUpdatePath({
    suite: state.suite,
    tree: applied.tree,
    sender: state.ownLeaf,
    leaf,
    groupId: state.context.groupId,
    signatureSecretKey: state.signatureSecretKey,
    added: new Set(applied.added.map(({ leafIndex }) => leafIndex)),
    contextFor: (treeHash) => encodeContext(provisionalFor(treeHash)),
    random,
  });
}

interface WelcomeParams {
  readonly epoch: NewEpoch;
  readonly path: CreatedUpdatePath | undefined;
  readonly added: readonly AddedMember[];
  readonly psks: readonly PreSharedKeyId[];
  readonly pskSecret: Uint8Array;
  readonly params: CreateCommitParams;
}

/** One Welcome for each joiner, so that none learns who else came (RFC 9420 section 12.4.3). */
async function createWelcomes(next: GroupState, { epoch, path, added, psks, pskSecret, params }: WelcomeParams): Promise<Uint8Array[]> {
  if (added.length === 0) return [];
  const { suite } = next;
  const content: GroupInfoContent = {
    groupContext: next.context,
    extensions: params.treeInWelcome === true ? [{ type: extensionTypes.ratchetTree, data: encodeTree(next.tree) }] : [],
    confirmationTag: next.confirmationTag,
    signer: next.ownLeaf,
  };
  const signature = await signWithLabel(suite, {
    secretKey: next.signatureSecretKey,
    label: "GroupInfoTBS",
    content: encodeStructure(groupInfoTbs, content, "GroupInfoTBS"),
  });
  const { key, nonce } = welcomeKeyAndNonce(suite, deriveWelcomeSecret(suite, { joinerSecret: epoch.joinerSecret, pskSecret }));
  const plaintext = encodeStructure(groupInfo, { ...content, signature }, "GroupInfo");
  // The same key, nonce and plaintext for each joiner: the same ciphertext, made once.
  const encryptedGroupInfo = await suite.seal({ key, nonce, aad: new Uint8Array(0), plaintext });
  wipe(key, nonce);
  const welcomes: Uint8Array[] = [];
  for (const { leafIndex, keyPackage } of added) {
    const joinersSecrets = encode(groupSecrets, {
      joinerSecret: epoch.joinerSecret,
      pathSecret: sharedPathSecret(next, path, leafIndex),
      psks,
    });
    const encryptedGroupSecrets = await encryptWithLabel(suite, {
      publicKey: keyPackage.initKey,
      label: "Welcome",
      context: encryptedGroupInfo,
      plaintext: joinersSecrets,
      random: params.random,
    });
    wipe(joinersSecrets);
    const secrets = [{ newMember: referenceOf(suite, keyPackage), encryptedGroupSecrets }];
    welcomes.push(encodeMessage({ kind: "welcome", welcome: { cipherSuite: suite.id, secrets, encryptedGroupInfo } }));
  }
  return welcomes;
}

/** The path secret of the lowest node above both the committer and the joiner. */
function sharedPathSecret(next: GroupState, path: CreatedUpdatePath | undefined, joiner: LeafIndex): Uint8Array | undefined {
  if (path === undefined) return undefined;
  const step = next.tree.filteredDirectPath(next.ownLeaf).find(({ copath }) => isBelow(joiner, copath.index));
  return step === undefined ? undefined : path.pathSecrets.get(step.index);
}
