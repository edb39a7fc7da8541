import { opaqueV, struct } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { keyPackageReference, signWithLabel } from "../crypto/labeled.ts";
import type { CipherSuite, KeyPair } from "../crypto/suite.ts";
import { MlsError } from "../errors.ts";
import { credentialType, mls10 } from "../messages/basics.ts";
import type { Capabilities, Credential, Extension, Lifetime } from "../messages/basics.ts";
import { decodeStructure, encodeStructure } from "../messages/coding.ts";
import { limits } from "../messages/limits.ts";
import { decodeMessage, encodeMessage } from "../messages/message.ts";
import { encodeLeafNodeTbs, keyPackage as keyPackageCodec, keyPackageTbs } from "../messages/nodes.ts";
import type { KeyPackage, KeyPackageContent, LeafNode, LeafNodeContent } from "../messages/nodes.ts";
import {
  isDefaultExtension,
  requireDistinctExtensions,
  requireLifetime,
  requireUsableKey,
  verifyKeyPackageContent,
} from "../tree/leaf-validation.ts";
import type { CreateKeyPackageParams, CreatedKeyPackage, KeyPackagePrivateKeys } from "./types.ts";

interface NewLeafParams {
  readonly suite: CipherSuite;
  readonly encryptionKey: Uint8Array;
  readonly credential: Credential;
  readonly signatureKeyPair: KeyPair;
  readonly lifetime: Lifetime;
  readonly capabilities: Capabilities | undefined;
  readonly leafExtensions: readonly Extension[];
  /** Extension types that this leaf has to support besides its own. */
  readonly supported: readonly number[];
}

/** A signed leaf of source `key-package`. */
export async function createLeaf(params: NewLeafParams): Promise<LeafNode> {
  const { suite, signatureKeyPair } = params;
  requireDistinctExtensions(params.leafExtensions, "invalid-leaf");
  const base = params.capabilities ?? {
    versions: [mls10],
    cipherSuites: [suite.id],
    extensions: [],
    proposals: [],
    credentials: [credentialType(params.credential)],
  };
  const needed = [...params.leafExtensions.map(({ type }) => type), ...params.supported].filter((type) => !isDefaultExtension(type));
  const content: LeafNodeContent = {
    encryptionKey: params.encryptionKey,
    signatureKey: signatureKeyPair.publicKey.slice(),
    credential: params.credential,
    capabilities: { ...base, extensions: [...new Set([...base.extensions, ...needed])] },
    source: { kind: "key-package", lifetime: params.lifetime },
    extensions: params.leafExtensions,
  };
  const signature = await signWithLabel(suite, {
    secretKey: signatureKeyPair.secretKey,
    label: "LeafNodeTBS",
    content: encodeLeafNodeTbs(content, undefined),
  });
  return { ...content, signature };
}

/** The `KeyPackageRef` of a key package (RFC 9420 section 5.2). */
export function referenceOf(suite: CipherSuite, keyPackage: KeyPackage): Uint8Array {
  return keyPackageReference(suite, encodeStructure(keyPackageCodec, keyPackage, "KeyPackage"));
}

/** Makes a key package and its secrets (RFC 9420 section 10). */
export async function createKeyPackage(params: CreateKeyPackageParams): Promise<CreatedKeyPackage> {
  const { suite, random, signatureKeyPair, extensions = [] } = params;
  requireDistinctExtensions(extensions, "invalid-leaf");
  const init = await suite.deriveKemKeyPair(random(suite.hashBytes));
  const leaf = await suite.deriveKemKeyPair(random(suite.hashBytes));
  const leafNode = await createLeaf({
    suite,
    encryptionKey: leaf.publicKey,
    credential: params.credential,
    signatureKeyPair,
    lifetime: params.lifetime,
    capabilities: params.capabilities,
    leafExtensions: params.leafExtensions ?? [],
    supported: extensions.map(({ type }) => type),
  });
  const content: KeyPackageContent = { version: mls10, cipherSuite: suite.id, initKey: init.publicKey, leafNode, extensions };
  const signature = await signWithLabel(suite, {
    secretKey: signatureKeyPair.secretKey,
    label: "KeyPackageTBS",
    content: encodeStructure(keyPackageTbs, content, "KeyPackageTBS"),
  });
  const keyPackage: KeyPackage = { ...content, signature };
  return {
    keyPackage,
    message: encodeMessage({ kind: "key-package", keyPackage }),
    reference: referenceOf(suite, keyPackage),
    privateKeys: {
      initSecretKey: init.secretKey,
      leafSecretKey: leaf.secretKey,
      signatureSecretKey: signatureKeyPair.secretKey.slice(),
    },
  };
}

/** The key package in an `MLSMessage`, not yet verified. @throws MlsError `malformed` or `unsupported`. */
export function decodeKeyPackage(message: Uint8Array): KeyPackage {
  const body = decodeMessage(message.slice());
  if (body.kind !== "key-package") throw new MlsError("malformed", "not a key package");
  return body.keyPackage;
}

/**
 * Checks a key package by itself (RFC 9420 section 10.1). Whether its credential is who it says is for the caller to find out.
 * @throws MlsError `invalid-leaf`.
 */
export async function verifyKeyPackage(suite: CipherSuite, keyPackage: KeyPackage, params: { readonly nowSeconds: bigint }): Promise<void> {
  await verifyKeyPackageContent(suite, keyPackage, []);
  requireLifetime(keyPackage.leafNode, params.nowSeconds);
  for (const key of [keyPackage.initKey, keyPackage.leafNode.encryptionKey]) await requireUsableKey(suite, key, "invalid-leaf");
}

const privateKeysCodec: Codec<KeyPackagePrivateKeys> = struct<KeyPackagePrivateKeys>({
  initSecretKey: opaqueV(limits.keyBytes),
  leafSecretKey: opaqueV(limits.keyBytes),
  signatureSecretKey: opaqueV(limits.keyBytes),
});

/** The secrets of a key package as bytes, for an encrypted store. */
export function encodeKeyPackagePrivateKeys(keys: KeyPackagePrivateKeys): Uint8Array {
  return encodeStructure(privateKeysCodec, keys, "KeyPackagePrivateKeys");
}

/** @throws MlsError `malformed`. */
export function decodeKeyPackagePrivateKeys(bytes: Uint8Array): KeyPackagePrivateKeys {
  return decodeStructure(privateKeysCodec, bytes.slice(), "KeyPackagePrivateKeys");
}
