import { encode } from "@latchkey/codec";
import { expandWithLabel } from "../crypto/labeled.ts";
import type { CipherSuite, RandomBytes } from "../crypto/suite.ts";
import { wipe } from "../crypto/wipe.ts";
import { MlsError } from "../errors.ts";
import { decodeStructure, encodeStructure } from "../messages/coding.ts";
import { privateContentAad, privateMessageContent, senderData, senderDataAad } from "../messages/framing.ts";
import type { AuthenticatedContent, ContentType, PrivateMessage } from "../messages/framing.ts";
import { messageKeyAt, nextMessageKey } from "../secret-tree/secret-tree.ts";
import type { RatchetKind, SecretTree } from "../secret-tree/secret-tree.ts";
import type { LeafIndex } from "../tree/tree-math.ts";

const reuseGuardBytes = 4;

function ratchetOf(contentType: ContentType): RatchetKind {
  return contentType === "application" ? "application" : "handshake";
}

/** The key and nonce that hide the sender (RFC 9420 section 6.3.2): of the ciphertext's first `hashBytes` bytes. */
export function senderDataKeyAndNonce(
  suite: CipherSuite,
  params: { senderDataSecret: Uint8Array; ciphertext: Uint8Array },
): { key: Uint8Array; nonce: Uint8Array } {
  const secret = params.senderDataSecret;
  const context = params.ciphertext.subarray(0, suite.hashBytes);
  return {
    key: expandWithLabel(suite, { secret, label: "key", context, sizeBytes: suite.aeadKeyBytes }),
    nonce: expandWithLabel(suite, { secret, label: "nonce", context, sizeBytes: suite.aeadNonceBytes }),
  };
}

/** The nonce, with the reuse guard mixed into it (RFC 9420 section 6.3.1). */
function guarded(nonce: Uint8Array, reuseGuard: Uint8Array): Uint8Array {
  for (let i = 0; i < reuseGuardBytes; i++) nonce[i] = (nonce[i] ?? 0) ^ (reuseGuard[i] ?? 0);
  return nonce;
}

/**
 * Encrypts signed content of a member as a PrivateMessage (RFC 9420 section 6.3). The tree that comes back has erased
 * the key; whoever sends the message stores that tree first.
 * @throws MlsError `usage` for content of another sender type or signed for another wire format.
 */
export async function protectPrivateMessage(
  suite: CipherSuite,
  params: {
    content: AuthenticatedContent;
    senderDataSecret: Uint8Array;
    tree: SecretTree;
    random: RandomBytes;
    /** Zeros after the content, hidden in the ciphertext; 0 when absent. */
    paddingBytes?: number;
  },
): Promise<{ message: PrivateMessage; tree: SecretTree; generation: number }> {
  const { wireFormat, content, auth } = params.content;
  if (wireFormat !== "private-message") throw new MlsError("usage", "content signed for another wire format");
  if (content.sender.kind !== "member") throw new MlsError("usage", "only members send private messages", { clause: "RFC 9420 §6.3" });
  const { groupId, epoch, authenticatedData, body } = content;
  const contentType = body.kind;
  const { leafIndex } = content.sender;

  const { tree, generation, key, nonce } = nextMessageKey(suite, params.tree, { leafIndex, ratchet: ratchetOf(contentType) });
  const reuseGuard = params.random(reuseGuardBytes);
  const ciphertext = await suite.seal({
    key,
    nonce: guarded(nonce, reuseGuard),
    aad: encodeStructure(privateContentAad, { groupId, epoch, contentType, authenticatedData }, "PrivateContentAAD"),
    plaintext: encodeStructure(
      privateMessageContent(contentType),
      { body, auth, paddingBytes: params.paddingBytes ?? 0 },
      "PrivateMessageContent",
    ),
  });
  wipe(key, nonce);
  const hidden = senderDataKeyAndNonce(suite, { senderDataSecret: params.senderDataSecret, ciphertext });
  const encryptedSenderData = await suite.seal({
    ...hidden,
    aad: encode(senderDataAad, { groupId, epoch, contentType }),
    plaintext: encode(senderData, { leafIndex, generation, reuseGuard }),
  });
  wipe(hidden.key, hidden.nonce);
  return { message: { groupId, epoch, contentType, authenticatedData, encryptedSenderData, ciphertext }, tree, generation };
}

/**
 * Decrypts a PrivateMessage (RFC 9420 section 6.3). Whether the sender's leaf is occupied, and the signature, are for
 * the caller to check before it keeps the returned tree: a message that fails burns no key.
 * @throws MlsError `crypto` when it does not decrypt, `malformed` for content or padding that is not well-formed,
 * `consumed` or `too-far` for a generation that cannot be decrypted.
 */
export async function unprotectPrivateMessage(
  suite: CipherSuite,
  params: { message: PrivateMessage; senderDataSecret: Uint8Array; tree: SecretTree; lostMessages?: number },
): Promise<{ content: AuthenticatedContent; tree: SecretTree; generation: number; leafIndex: LeafIndex }> {
  const { groupId, epoch, contentType, authenticatedData, encryptedSenderData, ciphertext } = params.message;
  const hidden = senderDataKeyAndNonce(suite, { senderDataSecret: params.senderDataSecret, ciphertext });
  const opened = await suite.open({
    ...hidden,
    aad: encode(senderDataAad, { groupId, epoch, contentType }),
    ciphertext: encryptedSenderData,
  });
  wipe(hidden.key, hidden.nonce);
  const { leafIndex, generation, reuseGuard } = decodeStructure(senderData, opened, "SenderData");
  const place = { leafIndex, ratchet: ratchetOf(contentType), generation };
  const { tree, key, nonce } = messageKeyAt(suite, params.tree, place, params.lostMessages);
  const plaintext = await suite.open({
    key,
    nonce: guarded(nonce, reuseGuard),
    aad: encode(privateContentAad, { groupId, epoch, contentType, authenticatedData }),
    ciphertext,
  });
  wipe(key, nonce);
  const { body, auth } = decodeStructure(privateMessageContent(contentType), plaintext, "PrivateMessageContent");
  const content: AuthenticatedContent = {
    wireFormat: "private-message",
    content: { groupId, epoch, sender: { kind: "member", leafIndex }, authenticatedData, body },
    auth,
  };
  return { content, tree, generation, leafIndex };
}
