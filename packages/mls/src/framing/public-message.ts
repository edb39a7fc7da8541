import { Writer, equalSecrets } from "@latchkey/codec";
import type { CipherSuite } from "../crypto/suite.ts";
import { MlsError } from "../errors.ts";
import { framedContentAuthData } from "../messages/framing.ts";
import type { AuthenticatedContent, PublicMessage } from "../messages/framing.ts";
import { contentToBeSigned } from "./authenticate.ts";

interface MembershipParams {
  readonly membershipKey: Uint8Array;
  /** The encoded GroupContext of the message's epoch. */
  readonly groupContext: Uint8Array;
}

/** The MAC over AuthenticatedContentTBM (RFC 9420 section 6.2). */
function membershipTagOf(suite: CipherSuite, content: AuthenticatedContent, params: MembershipParams): Uint8Array {
  const writer = new Writer(1024);
  writer.bytes(contentToBeSigned({ wireFormat: content.wireFormat, content: content.content, groupContext: params.groupContext }));
  framedContentAuthData(content.content.body.kind).write(writer, content.auth);
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
export function unprotectPublicMessage(suite: CipherSuite, params: { message: PublicMessage } & MembershipParams): AuthenticatedContent {
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
