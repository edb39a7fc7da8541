import { concatBytes, toBase64Url } from "@latchkey/codec";
import type { AuthenticationResponseJSON } from "@simplewebauthn/server";
import type { Approval } from "./approvals.ts";

/** What a passkey's answer is checked against. */
export interface ApprovalPlace {
  /** The release's digest (`releaseDigest`), which has to be the challenge that was answered. */
  readonly digest: Uint8Array;
  readonly rpId: string;
  readonly origin: string;
}

/** How often a passkey was used by then, or that its answer does not hold. */
export type ApprovalCheck = { readonly isValid: true; readonly counter: number } | { readonly isValid: false };

/**
 * Verifies one approval by @simplewebauthn/server, which is loaded with the first: the passkey signed this very digest, at this page, for a
 * person whom it had verified by finger, face or code. Needs nothing but what it is given.
 */
export async function checkApproval(
  approval: Pick<Approval, "credential" | "publicKey" | "assertion">,
  place: ApprovalPlace,
): Promise<ApprovalCheck> {
  const { credential, publicKey, assertion } = approval;
  const { verifyAuthenticationResponse } = await import("@simplewebauthn/server");
  const response: AuthenticationResponseJSON = {
    id: credential,
    rawId: credential,
    type: "public-key",
    clientExtensionResults: {},
    response: {
      clientDataJSON: toBase64Url(assertion.clientDataJson),
      authenticatorData: toBase64Url(assertion.authenticatorData),
      signature: toBase64Url(assertion.signature),
    },
  };
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response,
      expectedChallenge: toBase64Url(place.digest),
      expectedOrigin: place.origin,
      expectedRPID: place.rpId,
      requireUserVerification: true,
      // What it was at counts where the passkey is kept; here it is only whether the answer holds.
      credential: { id: credential, publicKey: concatBytes(publicKey), counter: 0 },
    });
    return verified ? { isValid: true, counter: authenticationInfo.newCounter } : { isValid: false };
  } catch {
    return { isValid: false };
  }
}

/** Verifies an Ed25519 signature. @param key 32 bytes */
export async function checkSignature(key: Uint8Array, signature: Uint8Array, message: Uint8Array): Promise<boolean> {
  try {
    const imported = await crypto.subtle.importKey("raw", concatBytes(key), "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", imported, concatBytes(signature), concatBytes(message));
  } catch {
    return false;
  }
}
