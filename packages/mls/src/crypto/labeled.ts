import { Writer, utf8Bytes } from "@latchkey/codec";
import type { CipherSuite, HpkeCiphertext, MaybePromise, RandomBytes } from "./suite.ts";

/** The prefix of MLS's own labels (RFC 9420 section 5.1.2). Other protocols over the same keys bring theirs. */
export const mlsLabelPrefix = "MLS 1.0 ";

// Labels are constants of protocols: a few dozen strings. The bound is for callers that build theirs.
const labelBytes = new Map<string, Uint8Array>();
const mlsLabelBytes = new Map<string, Uint8Array>();

function bytesOfLabel(label: string, prefix: string): Uint8Array {
  if (prefix !== mlsLabelPrefix) return bytesOfWhole(prefix + label);
  let bytes = mlsLabelBytes.get(label);
  if (bytes === undefined) {
    bytes = bytesOfWhole(prefix + label);
    if (mlsLabelBytes.size < 256) mlsLabelBytes.set(label, bytes);
  }
  return bytes;
}

function bytesOfWhole(whole: string): Uint8Array {
  let bytes = labelBytes.get(whole);
  if (bytes === undefined) {
    bytes = utf8Bytes(whole);
    if (labelBytes.size < 256) labelBytes.set(whole, bytes);
  }
  return bytes;
}

function writeVector(writer: Writer, bytes: Uint8Array): void {
  writer.vectorLength(bytes.length);
  writer.bytes(bytes);
}

/** `struct { opaque label<V>; opaque content<V> }`, the shape of SignContent, EncryptContext and RefHashInput. */
function labeled(label: Uint8Array, content: Uint8Array): Uint8Array {
  const writer = new Writer(label.length + content.length + 10);
  writeVector(writer, label);
  writeVector(writer, content);
  return writer.finish();
}

/** What `signWithLabel` signs (RFC 9420 section 5.1.2, SignContent): the evidence that a third party verifies. */
export function signedContent(params: { label: string; content: Uint8Array; prefix?: string }): Uint8Array {
  return labeled(bytesOfLabel(params.label, params.prefix ?? mlsLabelPrefix), params.content);
}

/** SignWithLabel (RFC 9420 section 5.1.2). @throws MlsError `malformed` for a key that is not one. */
export function signWithLabel(
  suite: CipherSuite,
  params: { secretKey: Uint8Array; label: string; content: Uint8Array; prefix?: string },
): MaybePromise<Uint8Array> {
  return suite.sign(params.secretKey, signedContent(params));
}

/** VerifyWithLabel (RFC 9420 section 5.1.2): whether the signature is right. Never throws. */
export function verifyWithLabel(
  suite: CipherSuite,
  params: { publicKey: Uint8Array; label: string; content: Uint8Array; signature: Uint8Array; prefix?: string },
): MaybePromise<boolean> {
  return suite.verify(params.publicKey, signedContent(params), params.signature);
}

/** ExpandWithLabel (RFC 9420 section 8). */
export function expandWithLabel(
  suite: CipherSuite,
  params: { secret: Uint8Array; label: string; context: Uint8Array; sizeBytes: number; prefix?: string },
): Uint8Array {
  const label = bytesOfLabel(params.label, params.prefix ?? mlsLabelPrefix);
  const { context, sizeBytes } = params;
  if (label.length >= 0x40 || context.length >= 0x40) {
    const writer = new Writer(label.length + context.length + 10);
    writer.uint16(sizeBytes);
    writeVector(writer, label);
    writeVector(writer, context);
    return suite.expand(params.secret, writer.finish(), sizeBytes);
  }
  // The same bytes for short labels and contexts, which every message needs five times.
  const info = new Uint8Array(4 + label.length + context.length);
  info[0] = sizeBytes >>> 8;
  info[1] = sizeBytes;
  info[2] = label.length;
  info.set(label, 3);
  info[3 + label.length] = context.length;
  info.set(context, 4 + label.length);
  return suite.expand(params.secret, info, sizeBytes);
}

const none = new Uint8Array(0);

/** DeriveSecret (RFC 9420 section 8): `hashBytes` bytes. */
export function deriveSecret(suite: CipherSuite, secret: Uint8Array, label: string): Uint8Array {
  return expandWithLabel(suite, { secret, label, context: none, sizeBytes: suite.hashBytes });
}

/** DeriveTreeSecret (RFC 9420 section 9). `generation` is a uint32. */
export function deriveTreeSecret(
  suite: CipherSuite,
  params: { secret: Uint8Array; label: string; generation: number; sizeBytes: number },
): Uint8Array {
  const { secret, label, generation, sizeBytes } = params;
  const context = Uint8Array.of(generation >>> 24, generation >>> 16, generation >>> 8, generation);
  return expandWithLabel(suite, { secret, label, context, sizeBytes });
}

/** EncryptWithLabel (RFC 9420 section 5.1.3). @throws MlsError `malformed` for a public key that is not one. */
export function encryptWithLabel(
  suite: CipherSuite,
  params: {
    publicKey: Uint8Array;
    label: string;
    context: Uint8Array;
    plaintext: Uint8Array;
    random: RandomBytes;
    prefix?: string;
  },
): MaybePromise<HpkeCiphertext> {
  const { publicKey, label, context, plaintext, random, prefix = mlsLabelPrefix } = params;
  const info = labeled(bytesOfLabel(label, prefix), context);
  return suite.hpkeSeal({ publicKey, info, aad: none, plaintext, random });
}

/** DecryptWithLabel (RFC 9420 section 5.1.3). @throws MlsError `crypto` when it does not open, `malformed` for invalid keys. */
export function decryptWithLabel(
  suite: CipherSuite,
  params: {
    secretKey: Uint8Array;
    publicKey: Uint8Array;
    label: string;
    context: Uint8Array;
    kemOutput: Uint8Array;
    ciphertext: Uint8Array;
    prefix?: string;
  },
): MaybePromise<Uint8Array> {
  const { secretKey, publicKey, label, context, kemOutput, ciphertext, prefix = mlsLabelPrefix } = params;
  const info = labeled(bytesOfLabel(label, prefix), context);
  return suite.hpkeOpen({ secretKey, publicKey, kemOutput, info, aad: none, ciphertext });
}

/** RefHash (RFC 9420 section 5.2); `label` is whole, no prefix is added. */
export function refHash(suite: CipherSuite, label: string, value: Uint8Array): Uint8Array {
  return suite.hash(labeled(bytesOfLabel(label, ""), value));
}

/** KeyPackageRef of an encoded KeyPackage (RFC 9420 section 5.2). */
export function keyPackageReference(suite: CipherSuite, encodedKeyPackage: Uint8Array): Uint8Array {
  return refHash(suite, "MLS 1.0 KeyPackage Reference", encodedKeyPackage);
}

/** ProposalRef of an encoded AuthenticatedContent that holds the proposal (RFC 9420 section 5.2). */
export function proposalReference(suite: CipherSuite, encodedAuthenticatedContent: Uint8Array): Uint8Array {
  return refHash(suite, "MLS 1.0 Proposal Reference", encodedAuthenticatedContent);
}
