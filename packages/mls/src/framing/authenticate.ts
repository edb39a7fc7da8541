import { Writer } from "@latchkey/codec";
import { signWithLabel, verifyWithLabel } from "../crypto/labeled.ts";
import type { CipherSuite, MaybePromise } from "../crypto/suite.ts";
import { MlsError } from "../errors.ts";
import { mls10 } from "../messages/basics.ts";
import { framedContent, wireFormats } from "../messages/framing.ts";
import type { AuthenticatedContent, FramedContent, FramedWireFormat } from "../messages/framing.ts";

/** What is signed of a message. `groupContext` is the encoded GroupContext of the message's epoch. */
export interface SignedParts {
  readonly wireFormat: FramedWireFormat;
  readonly content: FramedContent;
  /** Signed over for senders `member` and `new-member-commit`; others may leave it out. */
  readonly groupContext: Uint8Array | undefined;
}

const signatureLabel = "FramedContentTBS";

/** The encoded FramedContentTBS (RFC 9420 section 6.1). @throws MlsError `usage` without a group context that is needed. */
export function contentToBeSigned(parts: SignedParts): Uint8Array {
  const { wireFormat, content, groupContext } = parts;
  const bodyBytes = content.body.kind === "application" ? content.body.data.length : 1024;
  const writer = new Writer(256 + (groupContext?.length ?? 0) + content.authenticatedData.length + bodyBytes);
  writer.uint16(mls10);
  writer.uint16(wireFormats[wireFormat]);
  framedContent.write(writer, content);
  if (content.sender.kind === "member" || content.sender.kind === "new-member-commit") {
    if (groupContext === undefined) throw new MlsError("usage", "a member's message is signed with the group context");
    writer.bytes(groupContext);
  }
  return writer.finish();
}

/** Signs a message's content (RFC 9420 section 6.1). */
export function signContent(suite: CipherSuite, params: SignedParts & { secretKey: Uint8Array }): MaybePromise<Uint8Array> {
  return signWithLabel(suite, { secretKey: params.secretKey, label: signatureLabel, content: contentToBeSigned(params) });
}

/** Checks a message's signature (RFC 9420 section 6.1). @throws MlsError `crypto` when it is wrong. */
export async function verifyContent(
  suite: CipherSuite,
  params: { content: AuthenticatedContent; groupContext: Uint8Array | undefined; publicKey: Uint8Array },
): Promise<void> {
  const { wireFormat, content, auth } = params.content;
  const valid = await verifyWithLabel(suite, {
    publicKey: params.publicKey,
    label: signatureLabel,
    content: contentToBeSigned({ wireFormat, content, groupContext: params.groupContext }),
    signature: auth.signature,
  });
  if (!valid) throw new MlsError("crypto", "the signature of a message is wrong", { clause: "RFC 9420 §6.1" });
}
