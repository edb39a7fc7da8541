import { equalBytes } from "@latchkey/codec";
import { verifyWithLabel } from "../crypto/labeled.ts";
import type { CipherSuite, CipherSuiteId, RandomBytes } from "../crypto/suite.ts";
import { MlsError } from "../errors.ts";
import {
  credentialType,
  extensionTypes,
  externalSenders,
  findExtension,
  mls10,
  proposalTypes,
  requiredCapabilities,
} from "../messages/basics.ts";
import type { Extension, ExternalSender, RequiredCapabilities } from "../messages/basics.ts";
import { decodeStructure, encodeStructure } from "../messages/coding.ts";
import { encodeLeafNodeTbs, keyPackageTbs } from "../messages/nodes.ts";
import type { KeyPackage, LeafNode, LeafPosition } from "../messages/nodes.ts";
import type { OccupiedLeaf } from "./ratchet-tree.ts";

// Extension and proposal types that every client has and none lists (RFC 9420 section 7.2).
const lastDefaultExtension = extensionTypes.externalSenders;
const lastDefaultProposal = proposalTypes.groupContextExtensions;

/** Whether every client supports this extension type without saying so. */
export function isDefaultExtension(type: number): boolean {
  return type >= 1 && type <= lastDefaultExtension;
}

/** The size in bytes of an HPKE public key of the suite's KEM (RFC 9180 section 7.1; X-Wing: decision record). */
const kemPublicKeyBytes: Readonly<Record<CipherSuiteId, number>> = {
  0x0001: 32,
  0x0002: 65,
  0x0003: 32,
  0x0004: 56,
  0x0005: 133,
  0x0006: 56,
  0x0007: 97,
  0xf001: 1216,
};

/** @throws MlsError `code` when it cannot be a public key of the suite's KEM. */
function requireKemPublicKey(suite: CipherSuite, key: Uint8Array, code: "invalid-leaf" | "invalid-commit"): void {
  if (key.length !== kemPublicKeyBytes[suite.id]) throw new MlsError(code, "a public key of the wrong size", { clause: "RFC 9420 §5.1.1" });
}

// Any valid ephemeral key will do: what it encrypts is thrown away.
const fixedBytes: RandomBytes = (size) => new Uint8Array(size).fill(1);
const none = new Uint8Array(0);

/**
 * Checks that one can encrypt to a key, by doing it. A key that parses but always fails (a point of low order, an ML-KEM key
 * out of range) would otherwise stop every later commit.
 * @throws MlsError `code`.
 */
export async function requireUsableKey(suite: CipherSuite, key: Uint8Array, code: "invalid-leaf" | "invalid-commit"): Promise<void> {
  requireKemPublicKey(suite, key, code);
  try {
    await suite.hpkeSeal({ publicKey: key, info: none, aad: none, plaintext: none, random: fixedBytes });
  } catch (cause) {
    throw new MlsError(code, "a public key that nothing can be encrypted to", { clause: "RFC 9180 §7.1.4", cause });
  }
}

/** @throws MlsError `code` when the list names a type twice (RFC 9420 section 13.4). */
export function requireDistinctExtensions(list: readonly Extension[], code: "invalid-leaf" | "invalid-proposal" | "invalid-welcome"): void {
  if (new Set(list.map((entry) => entry.type)).size !== list.length) {
    throw new MlsError(code, "an extension type twice", { clause: "RFC 9420 §13.4" });
  }
}

/** What the group context's required_capabilities extension asks for. @throws MlsError `malformed`. */
export function readRequiredCapabilities(list: readonly Extension[]): RequiredCapabilities | undefined {
  const data = findExtension(list, extensionTypes.requiredCapabilities);
  return data === undefined ? undefined : decodeStructure(requiredCapabilities, data, "required_capabilities");
}

/** Whom the group names as external senders (RFC 9420 section 12.1.8.1). @throws MlsError `malformed`. */
export function readExternalSenders(list: readonly Extension[]): readonly ExternalSender[] {
  const data = findExtension(list, extensionTypes.externalSenders);
  return data === undefined ? [] : decodeStructure(externalSenders, data, "external_senders");
}

/**
 * Checks that a leaf can be in a group of these extensions: its capabilities name each of them and all that they require
 * (RFC 9420 sections 7.3, 11.1 and 13.4).
 * @throws MlsError `invalid-leaf`.
 */
export function requireSupport(leaf: LeafNode, groupExtensions: readonly Extension[]): void {
  const { capabilities } = leaf;
  for (const { type } of groupExtensions) {
    if (!isDefaultExtension(type) && !capabilities.extensions.includes(type)) {
      throw new MlsError("invalid-leaf", "a leaf without support for an extension of the group", { clause: "RFC 9420 §13.4" });
    }
  }
  const required = readRequiredCapabilities(groupExtensions);
  if (required === undefined) return;
  const supported =
    required.extensions.every((type) => isDefaultExtension(type) || capabilities.extensions.includes(type)) &&
    required.proposals.every((type) => (type >= 1 && type <= lastDefaultProposal) || capabilities.proposals.includes(type)) &&
    required.credentials.every((type) => capabilities.credentials.includes(type));
  if (!supported) throw new MlsError("invalid-leaf", "a leaf without the required capabilities", { clause: "RFC 9420 §11.1" });
}

/** Checks that every member supports every member's credential type (RFC 9420 section 7.3). @throws MlsError `invalid-leaf`. */
export function requireCredentialSupport(leaves: readonly OccupiedLeaf[]): void {
  const inUse = new Set(leaves.map(({ leafNode }) => credentialType(leafNode.credential)));
  for (const { leafNode } of leaves) {
    for (const type of inUse) {
      if (!leafNode.capabilities.credentials.includes(type)) {
        throw new MlsError("invalid-leaf", "a member without support for another one's credential", { clause: "RFC 9420 §7.3" });
      }
    }
  }
}

/** How to judge a leaf. */
export interface VerifyLeafParams {
  readonly suite: CipherSuite;
  readonly leaf: LeafNode;
  /** The sources that are possible where it was found. */
  readonly sources: readonly LeafNode["source"]["kind"][];
  /** Where it stands or is to stand; undefined for a key package's. */
  readonly position: LeafPosition | undefined;
  readonly groupExtensions: readonly Extension[];
}

/**
 * Checks a leaf by itself: source, keys, signature, extensions and support (RFC 9420 section 7.3). Uniqueness, lifetime and
 * the other members' support are checked by those who know them.
 * @throws MlsError `invalid-leaf`.
 */
export async function verifyLeaf({ suite, leaf, sources, position, groupExtensions }: VerifyLeafParams): Promise<void> {
  const clause = "RFC 9420 §7.3";
  if (!sources.includes(leaf.source.kind)) throw new MlsError("invalid-leaf", "a leaf from another source", { clause });
  requireKemPublicKey(suite, leaf.encryptionKey, "invalid-leaf");
  requireDistinctExtensions(leaf.extensions, "invalid-leaf");
  const { capabilities } = leaf;
  if (!capabilities.versions.includes(mls10) || !capabilities.cipherSuites.includes(suite.id)) {
    throw new MlsError("invalid-leaf", "a leaf without support for the version or cipher suite", { clause });
  }
  if (!leaf.extensions.every(({ type }) => isDefaultExtension(type) || capabilities.extensions.includes(type))) {
    throw new MlsError("invalid-leaf", "a leaf without support for its own extensions", { clause });
  }
  requireSupport(leaf, groupExtensions);
  const isSigned = await verifyWithLabel(suite, {
    publicKey: leaf.signatureKey,
    label: "LeafNodeTBS",
    content: encodeLeafNodeTbs(leaf, position),
    signature: leaf.signature,
  });
  if (!isSigned) throw new MlsError("invalid-leaf", "a leaf with a wrong signature", { clause });
}

/** Checks the time range of a leaf that still has one. @throws MlsError `invalid-leaf`. */
export function requireLifetime(leaf: LeafNode, nowSeconds: bigint): void {
  if (leaf.source.kind !== "key-package") return;
  const { notBefore, notAfter } = leaf.source.lifetime;
  if (nowSeconds < notBefore || nowSeconds > notAfter) {
    throw new MlsError("invalid-leaf", "a key package outside its lifetime", { clause: "RFC 9420 §7.3" });
  }
}

/**
 * Checks a key package for use in a group of these extensions (RFC 9420 section 10.1), all but its lifetime.
 * @throws MlsError `invalid-leaf`.
 */
export async function verifyKeyPackageContent(
  suite: CipherSuite,
  keyPackage: KeyPackage,
  groupExtensions: readonly Extension[],
): Promise<void> {
  const clause = "RFC 9420 §10.1";
  if (keyPackage.cipherSuite !== suite.id) throw new MlsError("invalid-leaf", "a key package of another cipher suite", { clause });
  requireKemPublicKey(suite, keyPackage.initKey, "invalid-leaf");
  if (equalBytes(keyPackage.initKey, keyPackage.leafNode.encryptionKey)) {
    throw new MlsError("invalid-leaf", "one key used for two purposes", { clause });
  }
  requireDistinctExtensions(keyPackage.extensions, "invalid-leaf");
  await verifyLeaf({ suite, leaf: keyPackage.leafNode, sources: ["key-package"], position: undefined, groupExtensions });
  const isSigned = await verifyWithLabel(suite, {
    publicKey: keyPackage.leafNode.signatureKey,
    label: "KeyPackageTBS",
    content: encodeStructure(keyPackageTbs, keyPackage, "KeyPackageTBS"),
    signature: keyPackage.signature,
  });
  if (!isSigned) throw new MlsError("invalid-leaf", "a key package with a wrong signature", { clause });
}
