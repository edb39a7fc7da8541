import { decode, encode, optional, struct, uint16, uint8, variant, vector } from "@latchkey/codec";
import type { Codec, Writer } from "@latchkey/codec";
import type { LeafIndex } from "../tree/tree-math.ts";
import {
  capabilities,
  credential,
  extensions,
  hash,
  identifier,
  leafIndex,
  lifetime,
  protocolVersion,
  publicKey,
  signature,
} from "./basics.ts";
import type { Capabilities, Credential, Extension, Lifetime } from "./basics.ts";
import { limits } from "./limits.ts";

/** Where a leaf node came from (RFC 9420 section 7.2). */
export type LeafNodeSource =
  | { readonly kind: "key-package"; readonly lifetime: Lifetime }
  | { readonly kind: "update" }
  | { readonly kind: "commit"; readonly parentHash: Uint8Array };

/** A leaf node without its signature. */
export interface LeafNodeContent {
  readonly encryptionKey: Uint8Array;
  readonly signatureKey: Uint8Array;
  readonly credential: Credential;
  readonly capabilities: Capabilities;
  readonly source: LeafNodeSource;
  readonly extensions: readonly Extension[];
}

/** A member's (or future member's) leaf node (RFC 9420 section 7.2). */
export interface LeafNode extends LeafNodeContent {
  readonly signature: Uint8Array;
}

const leafNodeSource = variant<LeafNodeSource>(uint8, {
  "key-package": [1, struct<{ lifetime: Lifetime }>({ lifetime })],
  update: [2, struct<Record<never, never>>({})],
  commit: [3, struct<{ parentHash: Uint8Array }>({ parentHash: hash })],
});

const leafNodeFields: { readonly [K in keyof LeafNodeContent]-?: Codec<LeafNodeContent[K]> } = {
  encryptionKey: publicKey,
  signatureKey: publicKey,
  credential,
  capabilities,
  source: leafNodeSource,
  extensions,
};

const leafNodeContent: Codec<LeafNodeContent> = struct<LeafNodeContent>(leafNodeFields);
/** `LeafNode`. */
export const leafNode: Codec<LeafNode> = struct<LeafNode>({ ...leafNodeFields, signature });

/** The same leaf in bytes of its own: a tree that kept views would keep the whole message that each leaf came in. */
export function detachedLeafNode(leaf: LeafNode): LeafNode {
  return decode(leafNode, encode(leafNode, leaf).slice());
}

/** Where a leaf stands; signed over by leaves of source `update` and `commit`. */
export interface LeafPosition {
  readonly groupId: Uint8Array;
  readonly leafIndex: LeafIndex;
}

/**
 * The encoding of `LeafNodeTBS`. A leaf of source `key-package` is signed without its position, whatever is given.
 */
export function encodeLeafNodeTbs(leaf: LeafNodeContent, position: LeafPosition | undefined): Uint8Array {
  const tbs: Codec<LeafNodeContent> = {
    write(w: Writer, value) {
      leafNodeContent.write(w, value);
      if (value.source.kind === "key-package" || position === undefined) return;
      identifier.write(w, position.groupId);
      w.uint32(position.leafIndex);
    },
    read: (r) => leafNodeContent.read(r),
  };
  return encode(tbs, leaf);
}

/** A parent node (RFC 9420 section 7.1). */
export interface ParentNode {
  readonly encryptionKey: Uint8Array;
  readonly parentHash: Uint8Array;
  /** In strictly ascending order. */
  readonly unmergedLeaves: readonly LeafIndex[];
}

/** `ParentNode`. */
export const parentNode: Codec<ParentNode> = struct<ParentNode>({
  encryptionKey: publicKey,
  parentHash: hash,
  unmergedLeaves: vector(leafIndex, { maxBytes: 4 * limits.treeLeaves }),
});

/** A node of the ratchet tree as it travels (RFC 9420 section 12.4.3.3). */
export type NodeValue =
  | { readonly kind: "leaf"; readonly leafNode: LeafNode }
  | { readonly kind: "parent"; readonly parentNode: ParentNode };

/** `Node`. */
export const node: Codec<NodeValue> = variant<NodeValue>(uint8, {
  leaf: [1, struct<{ leafNode: LeafNode }>({ leafNode })],
  parent: [2, struct<{ parentNode: ParentNode }>({ parentNode })],
});

/** `optional<Node> ratchet_tree<V>`: nodes from left to right, blanks as `undefined`. */
export const ratchetTreeNodes: Codec<(NodeValue | undefined)[]> = vector(optional(node), {
  maxBytes: limits.messageBytes,
  maxItems: 2 * limits.treeLeaves,
});

/** A key package without its signature: `KeyPackageTBS`. */
export interface KeyPackageContent {
  readonly version: 1;
  readonly cipherSuite: number;
  readonly initKey: Uint8Array;
  readonly leafNode: LeafNode;
  readonly extensions: readonly Extension[];
}

/** What others need to add a client to a group (RFC 9420 section 10). */
export interface KeyPackage extends KeyPackageContent {
  readonly signature: Uint8Array;
}

const keyPackageFields: { readonly [K in keyof KeyPackageContent]-?: Codec<KeyPackageContent[K]> } = {
  version: protocolVersion,
  cipherSuite: uint16,
  initKey: publicKey,
  leafNode,
  extensions,
};

/** `KeyPackageTBS`. */
export const keyPackageTbs: Codec<KeyPackageContent> = struct<KeyPackageContent>(keyPackageFields);
/** `KeyPackage`. */
export const keyPackage: Codec<KeyPackage> = struct<KeyPackage>({ ...keyPackageFields, signature });
