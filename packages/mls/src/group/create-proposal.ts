import { signWithLabel } from "../crypto/labeled.ts";
import { wipe } from "../crypto/wipe.ts";
import { MlsError } from "../errors.ts";
import { signContent } from "../framing/authenticate.ts";
import { protectPrivateMessage } from "../framing/private-message.ts";
import { protectPublicMessage } from "../framing/public-message.ts";
import { externalSenders, extensionTypes, mls10 } from "../messages/basics.ts";
import type { Extension, ExternalSender } from "../messages/basics.ts";
import { encodeStructure } from "../messages/coding.ts";
import type { AuthenticatedContent, FramedContent, Sender } from "../messages/framing.ts";
import { encodeMessage } from "../messages/message.ts";
import { encodeLeafNodeTbs } from "../messages/nodes.ts";
import type { LeafNode, LeafNodeContent } from "../messages/nodes.ts";
import type { Proposal } from "../messages/proposals.ts";
import { requireLifetime } from "../tree/leaf-validation.ts";
import { pendingOf, requireProposable, withPending } from "./pending.ts";
import { requireActive } from "./state.ts";
import type { GroupState } from "./state.ts";
import type { CreateProposalParams, CreatedProposal, ExternalProposalParams, ProposalRequest } from "./types.ts";

/**
 * Sends a proposal by itself, for any member's commit to refer to (RFC 9420 section 12.1). `state` stays as it is; store `next` before
 * the message is sent: it keeps the proposal, the secret key of an update, and no key that a PrivateMessage used.
 * @throws MlsError `invalid-proposal` or `invalid-leaf` for a change that no commit may hold, `usage` after a ReInit.
 */
export async function createProposal(state: GroupState, params: CreateProposalParams): Promise<CreatedProposal> {
  requireActive(state);
  const { suite, ownLeaf } = state;
  const made = await proposalOf(state, params);
  await requireProposable(state, { proposal: made.proposal, sender: ownLeaf });
  const content: FramedContent = {
    groupId: state.context.groupId,
    epoch: state.context.epoch,
    sender: { kind: "member", leafIndex: ownLeaf },
    authenticatedData: params.authenticatedData.slice(),
    body: { kind: "proposal", proposal: made.proposal },
  };
  const wireFormat = params.wireFormat ?? "public-message";
  const signature = await signContent(suite, {
    wireFormat,
    content,
    groupContext: state.encodedContext,
    secretKey: state.signatureSecretKey,
  });
  const signed: AuthenticatedContent = { wireFormat, content, auth: { signature, confirmationTag: undefined } };
  const pending = { ...pendingOf(suite, signed), updateSecretKey: made.updateSecretKey };
  const { reference } = pending;
  if (wireFormat === "public-message") {
    const { membershipKey } = state.secrets;
    const publicMessage = protectPublicMessage(suite, { content: signed, membershipKey, groupContext: state.encodedContext });
    return { message: encodeMessage({ kind: "public-message", publicMessage }), next: withPending(state, pending), reference };
  }
  const { message: privateMessage, tree } = await protectPrivateMessage(suite, {
    content: signed,
    senderDataSecret: state.secrets.senderDataSecret,
    tree: state.secretTree,
    random: params.random,
  });
  const next = withPending({ ...state, secretTree: tree }, pending);
  return { message: encodeMessage({ kind: "private-message", privateMessage }), next, reference };
}

/**
 * A proposal from outside: somebody asks to be added, or one whom the group names in its external_senders extension proposes a change
 * (RFC 9420 section 12.1.8). Members take it only with `allowExternalProposals`.
 * @throws MlsError `usage` for a kind of proposal that such a sender may not make.
 */
export async function createExternalProposal(params: ExternalProposalParams): Promise<Uint8Array> {
  const { suite, from } = params;
  const sender: Sender = from.kind === "new-member" ? { kind: "new-member-proposal" } : { kind: "external", senderIndex: from.senderIndex };
  const proposal: Proposal =
    from.kind === "new-member" ? { kind: "add", keyPackage: from.keyPackage } : inlineProposal(from.proposal, "RFC 9420 §12.1.8.1");
  const content: FramedContent = {
    groupId: params.groupId.slice(),
    epoch: params.epoch,
    sender,
    authenticatedData: params.authenticatedData.slice(),
    body: { kind: "proposal", proposal },
  };
  const wireFormat = "public-message";
  const signature = await signContent(suite, { wireFormat, content, groupContext: undefined, secretKey: from.signatureSecretKey });
  const publicMessage = protectPublicMessage(suite, {
    content: { wireFormat, content, auth: { signature, confirmationTag: undefined } },
    // Nobody outside has it, and no tag is made for a sender who is no member.
    membershipKey: new Uint8Array(0),
    groupContext: new Uint8Array(0),
  });
  return encodeMessage({ kind: "public-message", publicMessage });
}

/** The group context's extension that names who may propose from outside (RFC 9420 section 12.1.8.1). */
export function externalSendersExtension(senders: readonly ExternalSender[]): Extension {
  return { type: extensionTypes.externalSenders, data: encodeStructure(externalSenders, [...senders], "external_senders") };
}

async function proposalOf(
  state: GroupState,
  params: CreateProposalParams,
): Promise<{ readonly proposal: Proposal; readonly updateSecretKey: Uint8Array | undefined }> {
  const { request } = params;
  if (request.kind === "add") requireLifetime(request.keyPackage.leafNode, params.nowSeconds);
  if (request.kind !== "update") return { proposal: inlineProposal(request, "RFC 9420 §12.1"), updateSecretKey: undefined };
  const current = state.tree.leafAt(state.ownLeaf);
  if (current === undefined) throw new MlsError("removed", "this member is not in the group any more");
  const { suite } = state;
  const seed = params.random(suite.hashBytes);
  const pair = await suite.deriveKemKeyPair(seed);
  wipe(seed);
  return { proposal: { kind: "update", leafNode: await updatedLeaf(state, current, pair.publicKey) }, updateSecretKey: pair.secretKey };
}

async function updatedLeaf(state: GroupState, current: LeafNode, encryptionKey: Uint8Array): Promise<LeafNode> {
  const content: LeafNodeContent = {
    encryptionKey,
    signatureKey: current.signatureKey,
    credential: current.credential,
    capabilities: current.capabilities,
    source: { kind: "update" },
    extensions: current.extensions,
  };
  const signature = await signWithLabel(state.suite, {
    secretKey: state.signatureSecretKey,
    label: "LeafNodeTBS",
    content: encodeLeafNodeTbs(content, { groupId: state.context.groupId, leafIndex: state.ownLeaf }),
  });
  return { ...content, signature };
}

function inlineProposal(request: ProposalRequest, clause: string): Proposal {
  switch (request.kind) {
    case "add":
    case "remove":
    case "psk":
    case "group-context-extensions":
      return request;
    case "reinit":
      return { kind: "reinit", version: mls10, groupId: request.groupId, cipherSuite: request.cipherSuite, extensions: request.extensions };
    case "update":
      throw new MlsError("usage", "an update is of a member's own leaf", { clause });
  }
}
