import { Writer, equalSecrets } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { signWithLabel, verifyWithLabel } from "../crypto/labeled.ts";
import type { CipherSuite, MaybePromise } from "../crypto/suite.ts";
import { MlsError } from "../errors.ts";
import { mls10 } from "../messages/basics.ts";
import { framedContent, framedContentAuthData, wireFormats } from "../messages/framing.ts";
import type { AuthenticatedContent, FramedContent, FramedWireFormat, PublicMessage } from "../messages/framing.ts";

/** What is signed of a message. `groupContext` is the encoded GroupContext of the message's epoch. */
export interface SignedParts {
  readonly wireFormat: FramedWireFormat;
  readonly content: FramedContent;
  /** Signed over for senders `member` and `new-member-commit`; others may leave it out. */
  readonly groupContext: Uint8Array | undefined;
}

const signatureLabel = "FramedContentTBS";

function write<T>(writer: Writer, codec: Codec<T>, value: T): void {
  codec.write(writer, value);
}

/** The encoded FramedContentTBS (RFC 9420 section 6.1). @throws MlsError `usage` without a group context that is needed. */
export function contentToBeSigned(parts: SignedParts): Uint8Array {
  const { wireFormat, content, groupContext } = parts;
  const writer = new Writer(1024);
  writer.uint16(mls10);
  writer.uint16(wireFormats[wireFormat]);
  write(writer, framedContent, content);
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

interface MembershipParams {
  readonly membershipKey: Uint8Array;
  /** The encoded GroupContext of the message's epoch. */
  readonly groupContext: Uint8Array;
}

/** The MAC over AuthenticatedContentTBM (RFC 9420 section 6.2). */
function membershipTagOf(suite: CipherSuite, content: AuthenticatedContent, params: MembershipParams): Uint8Array {
  const writer = new Writer(1024);
  writer.bytes(contentToBeSigned({ wireFormat: content.wireFormat, content: content.content, groupContext: params.groupContext }));
  write(writer, framedContentAuthData(content.content.body.kind), content.auth);
  return suite.mac(params.membershipKey, writer.finish());
}

/**
 * A PublicMessage of signed content, with the membership tag when a member sends it (RFC 9420 section 6.2).
 * @throws MlsError `usage` for application data, which is never sent in the clear, or content signed for another wire format.
 */
export function protectPublicMessage(suite: CipherSuite, params: { content: AuthenticatedContent } & MembershipParams): PublicMessage {
  const { wireFormat, content, auth } = params.content;
  if (wireFormat !== "public-message") throw new MlsError("usage", "content signed for another wire format");
  if (content.body.kind === "application") throw new MlsError("usage", "application data is never public", { clause: "RFC 9420 §6.2" });
  return {
    content,
    auth,
    membershipTag: content.sender.kind === "member" ? membershipTagOf(suite, params.content, params) : undefined,
  };
}

/**
 * The content of a PublicMessage whose membership tag is right; its signature is for `verifyContent`.
 * @throws MlsError `crypto` for a wrong tag, `malformed` for application data.
 */
export function unprotectPublicMessage(
  suite: CipherSuite,
  params: { message: PublicMessage } & MembershipParams,
): AuthenticatedContent {
  const { content, auth, membershipTag } = params.message;
  if (content.body.kind === "application") {
    throw new MlsError("malformed", "application data in a public message", { clause: "RFC 9420 §6.2" });
  }
  const authenticated: AuthenticatedContent = { wireFormat: "public-message", content, auth };
  if (content.sender.kind === "member") {
    const expected = membershipTagOf(suite, authenticated, params);
    if (membershipTag === undefined || !equalSecrets(expected, membershipTag)) {
      throw new MlsError("crypto", "the membership tag is wrong", { clause: "RFC 9420 §6.2" });
    }
  }
  return authenticated;
}
