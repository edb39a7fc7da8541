import { Writer, concatBytes, equalSecrets } from "@latchkey/codec";
import type { CipherSuite } from "../crypto/suite.ts";
import { encodeConfirmedTranscriptHashInput } from "../messages/framing.ts";
import type { AuthenticatedContent } from "../messages/framing.ts";

/**
 * The confirmed transcript hash after a commit (RFC 9420 section 8.2). `interimTranscriptHash` is that of the epoch
 * which the commit ends, empty for a new group. The commit's confirmation tag is not read.
 */
export function confirmedTranscriptHash(
  suite: CipherSuite,
  params: { interimTranscriptHash: Uint8Array; content: AuthenticatedContent },
): Uint8Array {
  const { wireFormat, content, auth } = params.content;
  const input = encodeConfirmedTranscriptHashInput(wireFormat, content, auth.signature);
  return suite.hash(concatBytes(params.interimTranscriptHash, input));
}

/** The interim transcript hash, which binds the confirmation tag (RFC 9420 section 8.2). */
export function interimTranscriptHash(
  suite: CipherSuite,
  params: { confirmedTranscriptHash: Uint8Array; confirmationTag: Uint8Array },
): Uint8Array {
  const writer = new Writer();
  writer.bytes(params.confirmedTranscriptHash);
  writer.vectorLength(params.confirmationTag.length);
  writer.bytes(params.confirmationTag);
  return suite.hash(writer.finish());
}

/** The confirmation tag of an epoch (RFC 9420 section 6.1). */
export function computeConfirmationTag(
  suite: CipherSuite,
  params: { confirmationKey: Uint8Array; confirmedTranscriptHash: Uint8Array },
): Uint8Array {
  return suite.mac(params.confirmationKey, params.confirmedTranscriptHash);
}

/** Whether the tag is the epoch's, compared in constant time. */
export function isConfirmationTag(
  suite: CipherSuite,
  params: { confirmationKey: Uint8Array; confirmedTranscriptHash: Uint8Array; confirmationTag: Uint8Array },
): boolean {
  return equalSecrets(computeConfirmationTag(suite, params), params.confirmationTag);
}
