import { equalBytes, utf8Bytes } from "@latchkey/codec";
import { wipe } from "../crypto/wipe.ts";
import { MlsError } from "../errors.ts";
import { deriveExternalKeyPair, zeroSecret } from "../key-schedule/epoch-secrets.ts";
import { isConfirmationTag } from "../key-schedule/transcript.ts";
import type { AuthenticatedContent } from "../messages/framing.ts";
import type { PreSharedKeyId } from "../messages/proposals.ts";
import { requireLifetime } from "../tree/leaf-validation.ts";
import { decryptUpdatePath, retainPrivateKeys } from "../tree/tree-kem.ts";
import type { PrivateKeys } from "../tree/tree-kem.ts";
import { leafToNode } from "../tree/tree-math.ts";
import { asCheck, checkCommit, leavesOf } from "./check-commit.ts";
import type { CheckedCommit } from "./check-commit.ts";
import { evidenceOf } from "./evidence.ts";
import { beginEpoch, lookUpPsks, nextEpoch } from "./epochs.ts";
import { openMessage } from "./open-message.ts";
import type { OpenedMessage } from "./open-message.ts";
import { toMember } from "./member.ts";
import { pendingOf, requireProposable, withPending } from "./pending.ts";
import { encodeContext } from "./state.ts";
import type { GroupState } from "./state.ts";
import type { InspectedCommit, Processed, ProcessedApplication, ProcessParams, PskLookup } from "./types.ts";

/**
 * Takes in a message of the state's epoch. `state` stays as it is: after a throw the caller goes on with it, and nothing was
 * consumed. Errors of commits say which check failed (`MlsError.check`).
 * @throws MlsError, and whatever `acceptAdd` throws.
 */
export async function processMessage(state: GroupState, message: Uint8Array, params: ProcessParams = {}): Promise<Processed> {
  const opened = await asCheck("public", () => openMessage(state, message, params.lostMessages));
  const { body } = opened.content.content;
  switch (body.kind) {
    case "application":
      return application(state, opened, body.data);
    case "proposal":
      return await processProposal(state, opened, params);
    case "commit":
      return await processCommit(state, opened, params);
  }
}

/**
 * What a commit would do, by its public check alone: for another member's and for one's own.
 * @throws MlsError with `check` "public".
 */
export async function inspectCommit(
  state: GroupState,
  message: Uint8Array,
  params: Pick<ProcessParams, "allowExternalCommits"> = {},
): Promise<InspectedCommit> {
  const checked = await asCheck("public", async () => {
    const { content } = await openMessage(state, message);
    return await checkCommit(state, content, params.allowExternalCommits === true);
  });
  return {
    sender: checked.committer,
    authenticatedData: checked.content.content.authenticatedData,
    proposals: checked.proposals,
    members: checked.newTree.members().map(({ leafIndex, leafNode }) => toMember(leafIndex, leafNode)),
    adds: checked.added,
    removes: checked.removed,
    updates: checked.updated,
    groupContextExtensions: checked.newExtensions,
    hasPath: checked.path !== undefined,
  };
}

function application(state: GroupState, opened: OpenedMessage, data: Uint8Array): ProcessedApplication {
  const { content, sender, generation, secretTree } = opened;
  if (sender === undefined || generation === undefined) throw new MlsError("malformed", "application data outside a private message");
  const { content: framed } = content;
  return {
    kind: "application",
    state: { ...state, secretTree },
    sender,
    authenticatedData: framed.authenticatedData,
    plaintext: data,
    epoch: framed.epoch,
    generation,
    evidence: evidenceOf(content, { groupContext: state.encodedContext, publicKey: opened.signaturePublicKey }),
  };
}

async function processProposal(state: GroupState, opened: OpenedMessage, params: ProcessParams): Promise<Processed> {
  const { content, sender, secretTree } = opened;
  const { sender: from, authenticatedData } = content.content;
  const isAllowed = from.kind === "member" ? params.allowProposals === true : params.allowExternalProposals === true;
  if (!isAllowed) {
    const clause = from.kind === "member" ? "RFC 9420 §12.1" : "RFC 9420 §12.1.8";
    throw new MlsError("unsupported", "proposals by themselves are refused", { clause, check: "public" });
  }
  const pending = pendingOf(state.suite, content);
  const { reference, proposal } = pending;
  await asCheck("public", () => requireProposable(state, pending));
  if (proposal.kind === "add" && params.nowSeconds !== undefined) {
    const { nowSeconds } = params;
    await asCheck("policy", async () => requireLifetime(proposal.keyPackage.leafNode, nowSeconds));
  }
  return {
    kind: "proposal",
    state: withPending({ ...state, secretTree }, pending),
    from: from.kind === "new-member-proposal" ? "new-member" : from.kind === "external" ? "external" : "member",
    sender,
    authenticatedData,
    reference,
    proposal,
  };
}

async function processCommit(state: GroupState, opened: OpenedMessage, params: ProcessParams): Promise<Processed> {
  if (opened.sender === state.ownLeaf) {
    throw new MlsError("usage", "one's own commit: adopt the state that createCommit returned", { clause: "RFC 9420 §12.4.1" });
  }
  const checked = await asCheck("public", () => checkCommit(state, opened.content, params.allowExternalCommits === true));
  const { authenticatedData } = opened.content.content;
  const sender = checked.committer;
  await asCheck("policy", async () => {
    for (const { keyPackage } of checked.added) {
      if (params.nowSeconds !== undefined) requireLifetime(keyPackage.leafNode, params.nowSeconds);
      await params.acceptAdd?.(keyPackage.leafNode, keyPackage);
    }
  });
  if (checked.removed.some(({ leafIndex }) => leafIndex === state.ownLeaf)) return { kind: "removed", sender, authenticatedData };
  const next = await asCheck("private", () => enterEpoch(state, checked, params.psk));
  const joined = checked.externalInit !== undefined && checked.path !== undefined ? [toMember(sender, checked.path.leafNode)] : [];
  return {
    kind: "commit",
    state: next,
    sender,
    authenticatedData,
    added: [...checked.added.map(({ leafIndex, keyPackage }) => toMember(leafIndex, keyPackage.leafNode)), ...joined],
    removed: checked.removed,
    updated: checked.path !== undefined && joined.length === 0 ? [...checked.updated, sender] : checked.updated,
    reInit:
      checked.reInit === undefined
        ? undefined
        : { groupId: checked.reInit.groupId, cipherSuite: checked.reInit.cipherSuite, extensions: checked.reInit.extensions },
  };
}

/** The private check of a commit: path secret, key schedule and confirmation tag. @throws MlsError. */
async function enterEpoch(state: GroupState, checked: CheckedCommit, psk: PskLookup | undefined): Promise<GroupState> {
  const { suite } = state;
  const { newTree, provisional, content } = checked;
  const held = heldKeys(state, checked);
  const { commitSecret, pathKeys } = await decryptPath(state, checked, held);
  const pskSecret = lookUpPsks(suite, checked.psks, { psk: (id) => psk?.(id) ?? ownResumptionPsk(state, id), code: "invalid-commit" });
  const externalInit = checked.externalInit === undefined ? undefined : await externalInitSecret(state, checked.externalInit);
  const epoch = nextEpoch({
    suite,
    provisional,
    content,
    interimTranscriptHash: state.interimTranscriptHash,
    initSecret: externalInit ?? state.secrets.initSecret,
    commitSecret,
    pskSecret,
  });
  wipe(epoch.joinerSecret, pskSecret, externalInit);
  const confirmationTag = requireConfirmationTag(state, content, epoch.secrets.confirmationKey, epoch.context.confirmedTranscriptHash);
  return beginEpoch({
    suite,
    context: epoch.context,
    encodedContext: epoch.encodedContext,
    secrets: epoch.secrets,
    tree: newTree,
    ownLeaf: state.ownLeaf,
    signatureSecretKey: state.signatureSecretKey,
    privateKeys: new Map([...retainPrivateKeys(held, checked.tree, newTree), ...pathKeys]),
    confirmationTag,
    isEnded: checked.reInit !== undefined,
  });
}

/** The keys that fit the tree after the proposals: those that stay, and that of one's own update. */
function heldKeys(state: GroupState, checked: CheckedCommit): PrivateKeys {
  const keys = retainPrivateKeys(state.privateKeys, state.tree, checked.tree);
  if (!checked.updated.includes(state.ownLeaf)) return keys;
  const current = checked.tree.leafAt(state.ownLeaf)?.encryptionKey;
  const own = state.proposals.find(
    ({ proposal, sender }) =>
      sender === state.ownLeaf &&
      proposal.kind === "update" &&
      current !== undefined &&
      equalBytes(proposal.leafNode.encryptionKey, current),
  );
  if (own?.updateSecretKey === undefined) {
    throw new MlsError("unsupported", "an update of this member that it did not make", { clause: "RFC 9420 §12.1.2" });
  }
  return keys.set(leafToNode(state.ownLeaf), own.updateSecretKey);
}

async function decryptPath(
  state: GroupState,
  checked: CheckedCommit,
  privateKeys: PrivateKeys,
): Promise<{ readonly commitSecret: Uint8Array; readonly pathKeys: PrivateKeys }> {
  const { suite, ownLeaf } = state;
  const { path, tree, committer } = checked;
  if (path === undefined) return { commitSecret: zeroSecret(suite), pathKeys: new Map() };
  const {
    commitSecret,
    pathSecret,
    privateKeys: pathKeys,
  } = await decryptUpdatePath({
    suite,
    tree,
    sender: committer,
    own: ownLeaf,
    path,
    added: leavesOf(checked.added),
    privateKeys,
    context: encodeContext(checked.provisional),
  });
  wipe(pathSecret);
  return { commitSecret, pathKeys };
}

function requireConfirmationTag(
  { suite }: GroupState,
  content: AuthenticatedContent,
  confirmationKey: Uint8Array,
  confirmedTranscriptHash: Uint8Array,
): Uint8Array {
  const { confirmationTag } = content.auth;
  if (confirmationTag === undefined || !isConfirmationTag(suite, { confirmationKey, confirmedTranscriptHash, confirmationTag })) {
    throw new MlsError("invalid-commit", "a wrong confirmation tag", { clause: "RFC 9420 §12.4.2" });
  }
  return confirmationTag.slice();
}

function ownResumptionPsk(state: GroupState, { source }: PreSharedKeyId): Uint8Array | undefined {
  if (source.kind !== "resumption" || source.epoch !== state.context.epoch) return undefined;
  return equalBytes(source.groupId, state.context.groupId) ? state.secrets.resumptionPsk : undefined;
}

/** The init secret that somebody who adds themself has sent (RFC 9420 section 8.3). */
async function externalInitSecret({ suite, secrets }: GroupState, kemOutput: Uint8Array): Promise<Uint8Array> {
  const pair = await deriveExternalKeyPair(suite, secrets.externalSecret);
  return await suite.hpkeReceiveExport({
    secretKey: pair.secretKey,
    publicKey: pair.publicKey,
    kemOutput,
    info: new Uint8Array(0),
    exporterContext: utf8Bytes("MLS 1.0 external init secret"),
    sizeBytes: suite.hashBytes,
  });
}
