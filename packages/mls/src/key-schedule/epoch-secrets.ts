import { deriveSecret, expandWithLabel } from "../crypto/labeled.ts";
import type { CipherSuite, KeyPair, MaybePromise } from "../crypto/suite.ts";
import { wipe } from "../crypto/wipe.ts";

/** The secrets of one epoch (RFC 9420 section 8, table 4), each `hashBytes` long. */
export interface EpochSecrets {
  readonly senderDataSecret: Uint8Array;
  readonly encryptionSecret: Uint8Array;
  readonly exporterSecret: Uint8Array;
  readonly externalSecret: Uint8Array;
  readonly confirmationKey: Uint8Array;
  readonly membershipKey: Uint8Array;
  readonly resumptionPsk: Uint8Array;
  readonly epochAuthenticator: Uint8Array;
  /** Feeds the next epoch. */
  readonly initSecret: Uint8Array;
}

const none = new Uint8Array(0);

/** `hashBytes` zeros: the commit secret of a commit without path, the PSK secret without PSKs. */
export function zeroSecret(suite: CipherSuite): Uint8Array {
  return new Uint8Array(suite.hashBytes);
}

/** joiner_secret (RFC 9420 section 8). `groupContext` is the encoded GroupContext of the new epoch. */
export function deriveJoinerSecret(
  suite: CipherSuite,
  params: { initSecret: Uint8Array; commitSecret: Uint8Array; groupContext: Uint8Array },
): Uint8Array {
  const secret = suite.extract(params.initSecret, params.commitSecret);
  const joinerSecret = expandWithLabel(suite, { secret, label: "joiner", context: params.groupContext, sizeBytes: suite.hashBytes });
  wipe(secret);
  return joinerSecret;
}

/** welcome_secret (RFC 9420 section 8). */
export function deriveWelcomeSecret(suite: CipherSuite, params: { joinerSecret: Uint8Array; pskSecret: Uint8Array }): Uint8Array {
  const secret = suite.extract(params.joinerSecret, params.pskSecret);
  const welcomeSecret = deriveSecret(suite, secret, "welcome");
  wipe(secret);
  return welcomeSecret;
}

/** The AEAD key and nonce of a Welcome's group info (RFC 9420 section 12.4.3.1). Overwrites the secret. */
export function welcomeKeyAndNonce(suite: CipherSuite, welcomeSecret: Uint8Array): { key: Uint8Array; nonce: Uint8Array } {
  const key = expandWithLabel(suite, { secret: welcomeSecret, label: "key", context: none, sizeBytes: suite.aeadKeyBytes });
  const nonce = expandWithLabel(suite, { secret: welcomeSecret, label: "nonce", context: none, sizeBytes: suite.aeadNonceBytes });
  wipe(welcomeSecret);
  return { key, nonce };
}

/** epoch_secret (RFC 9420 section 8). */
export function deriveEpochSecret(
  suite: CipherSuite,
  params: { joinerSecret: Uint8Array; pskSecret: Uint8Array; groupContext: Uint8Array },
): Uint8Array {
  const secret = suite.extract(params.joinerSecret, params.pskSecret);
  const epochSecret = expandWithLabel(suite, { secret, label: "epoch", context: params.groupContext, sizeBytes: suite.hashBytes });
  wipe(secret);
  return epochSecret;
}

/** All secrets of an epoch. A group's first epoch secret is random (RFC 9420 section 11). Overwrites `epochSecret`. */
export function expandEpochSecret(suite: CipherSuite, epochSecret: Uint8Array): EpochSecrets {
  const secrets: EpochSecrets = {
    senderDataSecret: deriveSecret(suite, epochSecret, "sender data"),
    encryptionSecret: deriveSecret(suite, epochSecret, "encryption"),
    exporterSecret: deriveSecret(suite, epochSecret, "exporter"),
    externalSecret: deriveSecret(suite, epochSecret, "external"),
    confirmationKey: deriveSecret(suite, epochSecret, "confirm"),
    membershipKey: deriveSecret(suite, epochSecret, "membership"),
    resumptionPsk: deriveSecret(suite, epochSecret, "resumption"),
    epochAuthenticator: deriveSecret(suite, epochSecret, "authentication"),
    initSecret: deriveSecret(suite, epochSecret, "init"),
  };
  wipe(epochSecret);
  return secrets;
}

/** MLS-Exporter (RFC 9420 section 8.5). */
export function exportFromSecret(
  suite: CipherSuite,
  params: { exporterSecret: Uint8Array; label: string; context: Uint8Array; sizeBytes: number },
): Uint8Array {
  const secret = deriveSecret(suite, params.exporterSecret, params.label);
  const exported = expandWithLabel(suite, { secret, label: "exported", context: suite.hash(params.context), sizeBytes: params.sizeBytes });
  wipe(secret);
  return exported;
}

/** The key pair whose public half group info publishes for external joiners (RFC 9420 section 8). */
export function deriveExternalKeyPair(suite: CipherSuite, externalSecret: Uint8Array): MaybePromise<KeyPair> {
  return suite.deriveKemKeyPair(externalSecret);
}
