import { signContent } from "../framing/authenticate.ts";
import { protectPrivateMessage } from "../framing/private-message.ts";
import type { FramedContent } from "../messages/framing.ts";
import { encodeMessage } from "../messages/message.ts";
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
  const { message, tree, generation } = await protectPrivateMessage(suite, {
    content: { wireFormat: "private-message", content, auth: { signature, confirmationTag: undefined } },
    senderDataSecret: state.secrets.senderDataSecret,
    tree: state.secretTree,
    random: params.random,
    paddingBytes: params.paddingBytes ?? 0,
  });
  return {
    state: { ...state, secretTree: tree },
    message: encodeMessage({ kind: "private-message", privateMessage: message }),
    generation,
  };
}
