import { concatBytes, equalBytes, struct, uint16 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { verifyWithLabel } from "../crypto/labeled.ts";
import type { CipherSuite } from "../crypto/suite.ts";
import { MlsError } from "../errors.ts";
import { protocolVersion } from "../messages/basics.ts";
import type { Extension } from "../messages/basics.ts";
import { decodeStructure } from "../messages/coding.ts";
import { contentToBeSigned } from "../framing/authenticate.ts";
import { framedContent, wireFormats } from "../messages/framing.ts";
import type { AuthenticatedContent, FramedContent } from "../messages/framing.ts";
import { groupContext } from "../messages/group-context.ts";
import type { GroupContext } from "../messages/group-context.ts";
import type { LeafIndex } from "../tree/tree-math.ts";
import type { MessageEvidence } from "./types.ts";

interface SignedMessage {
  readonly version: 1;
  readonly wireFormat: number;
  readonly content: FramedContent;
  readonly context: GroupContext;
}

// FramedContentTBS of a member (RFC 9420 section 6.1).
const signedMessage: Codec<SignedMessage> = struct<SignedMessage>({
  version: protocolVersion,
  wireFormat: uint16,
  content: framedContent,
  context: groupContext,
});

/** Evidence of a message that was signed under `groupContext`, the encoded context of its epoch (RFC 9420 section 6.1). */
export function evidenceOf(
  { wireFormat, content, auth }: AuthenticatedContent,
  signer: { readonly groupContext: Uint8Array; readonly publicKey: Uint8Array },
): MessageEvidence {
  const { groupContext, publicKey } = signer;
  const signed = contentToBeSigned({ wireFormat, content, groupContext });
  return {
    content: signed.slice(0, signed.length - groupContext.length),
    context: groupContext.slice(),
    signature: auth.signature,
    signaturePublicKey: publicKey,
  };
}

/** What evidence proves that the holder of its key has signed. */
export interface ProvenMessage {
  readonly groupId: Uint8Array;
  readonly epoch: bigint;
  readonly sender: LeafIndex;
  readonly authenticatedData: Uint8Array;
  readonly plaintext: Uint8Array;
  /** Which tree, hence which members, the signer saw. */
  readonly treeHash: Uint8Array;
  readonly confirmedTranscriptHash: Uint8Array;
  /** Of the group's context, as the signer saw it. */
  readonly extensions: readonly Extension[];
}

/**
 * Verifies evidence of an application message (`ProcessedApplication.evidence`) without any secret of its group. It proves that
 * the holder of `signaturePublicKey` signed this content for this epoch of this group: whose key that is, and that others got
 * the same ciphertext, is for the caller to know (README, "Evidence"). RFC 9420 section 6.1.
 * @throws MlsError `crypto` for a wrong signature, `malformed` for bytes that are no member's application message.
 */
export async function verifyMessageEvidence(suite: CipherSuite, evidence: MessageEvidence): Promise<ProvenMessage> {
  const { signature, signaturePublicKey } = evidence;
  const signedContent = concatBytes(evidence.content, evidence.context);
  const isSigned = await verifyWithLabel(suite, {
    publicKey: signaturePublicKey,
    label: "FramedContentTBS",
    content: signedContent,
    signature,
  });
  if (!isSigned) throw new MlsError("crypto", "evidence with a wrong signature", { clause: "RFC 9420 §6.1" });
  return readMessageEvidence(evidence);
}

/**
 * What evidence says, without a look at its signature: of what one verified oneself when it came.
 * @throws MlsError `malformed` for bytes that are no member's application message.
 */
export function readMessageEvidence(evidence: Pick<MessageEvidence, "content" | "context">): ProvenMessage {
  const signedContent = concatBytes(evidence.content, evidence.context);
  const { wireFormat, content, context } = decodeStructure(signedMessage, signedContent, "FramedContentTBS");
  const { groupId, epoch, sender, authenticatedData, body } = content;
  const isOfOneEpoch = epoch === context.epoch && equalBytes(groupId, context.groupId);
  if (wireFormat !== wireFormats["private-message"] || body.kind !== "application" || sender.kind !== "member" || !isOfOneEpoch) {
    throw new MlsError("malformed", "evidence of something else than a member's application message", { clause: "RFC 9420 §6.1" });
  }
  const { treeHash, confirmedTranscriptHash, extensions } = context;
  const sent = { groupId, epoch, sender: sender.leafIndex, authenticatedData, plaintext: body.data };
  return { ...sent, treeHash, confirmedTranscriptHash, extensions };
}
