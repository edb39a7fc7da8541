import { equalBytes } from "@latchkey/codec";
import { MlsError } from "../errors.ts";
import { verifyContent } from "../framing/authenticate.ts";
import { unprotectPrivateMessage } from "../framing/private-message.ts";
import { unprotectPublicMessage } from "../framing/public-message.ts";
import type { AuthenticatedContent } from "../messages/framing.ts";
import { decodeMessage } from "../messages/message.ts";
import type { SecretTree } from "../secret-tree/secret-tree.ts";
import { readExternalSenders } from "../tree/leaf-validation.ts";
import type { LeafIndex } from "../tree/tree-math.ts";
import type { GroupState } from "./state.ts";

/** A message whose tag or encryption and whose signature have been checked. */
export interface OpenedMessage {
  readonly content: AuthenticatedContent;
  /** The sender's leaf, undefined for somebody outside. */
  readonly sender: LeafIndex | undefined;
  readonly signaturePublicKey: Uint8Array;
  /** The secret tree after this message: without the key it used. */
  readonly secretTree: SecretTree;
  readonly generation: number | undefined;
}

/**
 * Opens a message of the state's epoch (RFC 9420 sections 6.1 to 6.3). `lostMessages`: as in `ProcessParams`.
 * @throws MlsError `malformed`, `unsupported`, `wrong-group`, `wrong-epoch`, `crypto`, `consumed` or `too-far`.
 */
export async function openMessage(state: GroupState, message: Uint8Array, lostMessages = 0): Promise<OpenedMessage> {
  // A copy, since the state may keep parts of it.
  const body = decodeMessage(message.slice());
  if (body.kind === "public-message") {
    requireCurrent(state, body.publicMessage.content);
    const content = unprotectPublicMessage(state.suite, {
      message: body.publicMessage,
      membershipKey: state.secrets.membershipKey,
      groupContext: state.encodedContext,
    });
    return { ...(await verified(state, content)), secretTree: state.secretTree, generation: undefined };
  }
  if (body.kind === "private-message") {
    requireCurrent(state, body.privateMessage);
    const { content, tree, generation } = await unprotectPrivateMessage(state.suite, {
      message: body.privateMessage,
      senderDataSecret: state.secrets.senderDataSecret,
      tree: state.secretTree,
      lostMessages,
    });
    return { ...(await verified(state, content)), secretTree: tree, generation };
  }
  throw new MlsError("unsupported", "not a message within a group");
}

function requireCurrent(state: GroupState, { groupId, epoch }: { readonly groupId: Uint8Array; readonly epoch: bigint }): void {
  if (!equalBytes(groupId, state.context.groupId)) throw new MlsError("wrong-group", "a message of another group");
  if (epoch !== state.context.epoch) throw new MlsError("wrong-epoch", "a message of another epoch", { clause: "RFC 9420 §12.4.2" });
}

async function verified(
  state: GroupState,
  content: AuthenticatedContent,
): Promise<Pick<OpenedMessage, "content" | "sender" | "signaturePublicKey">> {
  const { sender, signaturePublicKey } = senderOf(state, content);
  await verifyContent(state.suite, { content, groupContext: state.encodedContext, publicKey: signaturePublicKey });
  return { content, sender, signaturePublicKey };
}

function senderOf(
  state: GroupState,
  { content }: AuthenticatedContent,
): { readonly sender: LeafIndex | undefined; readonly signaturePublicKey: Uint8Array } {
  const { sender, body } = content;
  switch (sender.kind) {
    case "member": {
      const leaf = state.tree.leafAt(sender.leafIndex);
      if (leaf === undefined) throw new MlsError("crypto", "a sender who is no member", { clause: "RFC 9420 §6.1" });
      return { sender: sender.leafIndex, signaturePublicKey: leaf.signatureKey };
    }
    case "new-member-commit": {
      const path = body.kind === "commit" ? body.commit.path : undefined;
      if (path === undefined) throw new MlsError("invalid-commit", "an external commit without path", { clause: "RFC 9420 §12.4.3.2" });
      return { sender: undefined, signaturePublicKey: path.leafNode.signatureKey };
    }
    case "external": {
      const found = readExternalSenders(state.context.extensions)[sender.senderIndex];
      if (found === undefined) throw new MlsError("crypto", "a sender whom the group does not name", { clause: "RFC 9420 §12.1.8.1" });
      return { sender: undefined, signaturePublicKey: found.signatureKey };
    }
    case "new-member-proposal": {
      const proposal = body.kind === "proposal" ? body.proposal : undefined;
      if (proposal?.kind !== "add")
        throw new MlsError("invalid-proposal", "somebody new asks for more than to be added", { clause: "RFC 9420 §12.1.8" });
      return { sender: undefined, signaturePublicKey: proposal.keyPackage.leafNode.signatureKey };
    }
  }
}
