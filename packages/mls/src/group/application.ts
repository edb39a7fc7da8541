import { signContent } from "../framing/authenticate.ts";
import { protectPrivateMessage } from "../framing/private-message.ts";
import type { AuthenticatedContent, FramedContent } from "../messages/framing.ts";
import { MlsError } from "../errors.ts";
import { encodeMessage } from "../messages/message.ts";
import { ratchetPlace } from "../secret-tree/secret-tree.ts";
import { evidenceOf } from "./evidence.ts";
import { requireActive } from "./state.ts";
import type { GroupState } from "./state.ts";
import type { EncryptParams, EncryptedMessage } from "./types.ts";

/**
 * Encrypts application data to the epoch's members (RFC 9420 section 6.3). The returned state has erased the key: it is
 * stored before the message is sent, so that no generation is used twice.
 * @throws MlsError `usage` after a ReInit or when the ratchet is used up.
 */
export async function encryptApplicationMessage(state: GroupState, params: EncryptParams): Promise<EncryptedMessage> {
  requireActive(state);
  const { suite, context } = state;
  const content: FramedContent = {
    groupId: context.groupId,
    epoch: context.epoch,
    sender: { kind: "member", leafIndex: state.ownLeaf },
    authenticatedData: params.authenticatedData,
    body: { kind: "application", data: params.plaintext },
  };
  const signature = await signContent(suite, {
    wireFormat: "private-message",
    content,
    groupContext: state.encodedContext,
    secretKey: state.signatureSecretKey,
  });
  const authenticated: AuthenticatedContent = { wireFormat: "private-message", content, auth: { signature, confirmationTag: undefined } };
  const { message, tree, generation } = await protectPrivateMessage(suite, {
    content: authenticated,
    senderDataSecret: state.secrets.senderDataSecret,
    tree: state.secretTree,
    random: params.random,
    paddingBytes: params.paddingBytes ?? 0,
  });
  return {
    state: { ...state, secretTree: tree },
    message: encodeMessage({ kind: "private-message", privateMessage: message }),
    generation,
    evidence: evidenceOf(authenticated, { groupContext: state.encodedContext, publicKey: ownPublicKey(state) }),
  };
}

/**
 * The generation that the next `encryptApplicationMessage` uses. Nothing that an author signs says it (RFC 9420 section 6.1), and every member has
 * the keys of every ratchet: an author who states it in the authenticated data keeps others from encrypting the same message once more.
 */
export function nextGeneration({ secretTree, ownLeaf }: GroupState): number {
  return secretTree.ratchets.get(ratchetPlace(ownLeaf, "application"))?.generation ?? 0;
}

function ownPublicKey({ tree, ownLeaf }: GroupState): Uint8Array {
  const leaf = tree.leafAt(ownLeaf);
  if (leaf === undefined) throw new MlsError("usage", "not a member of this group");
  return leaf.signatureKey;
}
