import { encode, struct, uint32, uint8, optional } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { CipherSuite } from "../crypto/suite.ts";
import { hash } from "../messages/basics.ts";
import { leafNode, parentNode } from "../messages/nodes.ts";
import type { LeafNode, ParentNode } from "../messages/nodes.ts";
import { leafToNode, left, level, nodeToLeaf, right } from "./tree-math.ts";
import type { LeafIndex, NodeIndex } from "./tree-math.ts";

/** A place in the tree: immutable, so trees share what they have in common. Hashes are computed once. */
export type Slot = LeafSlot | ParentSlot;

interface LeafHashInput {
  readonly type: number;
  readonly leafIndex: number;
  readonly leafNode: LeafNode | undefined;
}

interface ParentHashInputs {
  readonly type: number;
  readonly parentNode: ParentNode | undefined;
  readonly leftHash: Uint8Array;
  readonly rightHash: Uint8Array;
}

// TreeHashInput (RFC 9420 section 7.8): node type 1 is a leaf, 2 a parent.
const leafHashInput: Codec<LeafHashInput> = struct<LeafHashInput>({ type: uint8, leafIndex: uint32, leafNode: optional(leafNode) });
const parentHashInput: Codec<ParentHashInputs> = struct<ParentHashInputs>({
  type: uint8,
  parentNode: optional(parentNode),
  leftHash: hash,
  rightHash: hash,
});

/** The tree hash of a leaf (RFC 9420 section 7.8). */
export function leafTreeHash(suite: CipherSuite, leafIndex: LeafIndex, value: LeafNode | undefined): Uint8Array {
  return suite.hash(encode(leafHashInput, { type: 1, leafIndex, leafNode: value }));
}

/** The tree hash of a parent over its children's (RFC 9420 section 7.8). */
export function parentTreeHash(suite: CipherSuite, value: ParentNode | undefined, children: readonly [Uint8Array, Uint8Array]): Uint8Array {
  return suite.hash(encode(parentHashInput, { type: 2, parentNode: value, leftHash: children[0], rightHash: children[1] }));
}

/** The place of a leaf, blank when `value` is undefined. */
export class LeafSlot {
  readonly kind = "leaf";
  readonly leafIndex: LeafIndex;
  readonly value: LeafNode | undefined;
  #hash: Uint8Array | undefined;

  constructor(leafIndex: LeafIndex, value: LeafNode | undefined) {
    this.leafIndex = leafIndex;
    this.value = value;
  }

  get index(): NodeIndex {
    return leafToNode(this.leafIndex);
  }

  /** Leaves below that are not blank. */
  get memberCount(): number {
    return this.value === undefined ? 0 : 1;
  }

  /** Whether neither this place nor any below holds a node: its resolution is empty. */
  get isEmpty(): boolean {
    return this.value === undefined;
  }

  treeHash(suite: CipherSuite): Uint8Array {
    this.#hash ??= leafTreeHash(suite, this.leafIndex, this.value);
    return this.#hash;
  }
}

/** The place of a parent node, blank when `value` is undefined. */
export class ParentSlot {
  readonly kind = "parent";
  readonly index: NodeIndex;
  readonly value: ParentNode | undefined;
  readonly left: Slot;
  readonly right: Slot;
  readonly memberCount: number;
  readonly isEmpty: boolean;
  #hash: Uint8Array | undefined;

  constructor(index: NodeIndex, value: ParentNode | undefined, children: readonly [Slot, Slot]) {
    this.index = index;
    this.value = value;
    this.left = children[0];
    this.right = children[1];
    this.memberCount = this.left.memberCount + this.right.memberCount;
    this.isEmpty = value === undefined && this.left.isEmpty && this.right.isEmpty;
  }

  treeHash(suite: CipherSuite): Uint8Array {
    this.#hash ??= parentTreeHash(suite, this.value, [this.left.treeHash(suite), this.right.treeHash(suite)]);
    return this.#hash;
  }
}

/** The subtree whose top is at `index`, filled by `valueAt`. */
export function buildSlot(
  index: NodeIndex,
  values: { readonly leafAt: (leaf: LeafIndex) => LeafNode | undefined; readonly parentAt: (node: NodeIndex) => ParentNode | undefined },
): Slot {
  const leaf = nodeToLeaf(index);
  if (leaf !== undefined) return new LeafSlot(leaf, values.leafAt(leaf));
  const below = [left(index), right(index)];
  const [leftIndex, rightIndex] = below;
  // Nodes that are not leaves have both children.
  if (leftIndex === undefined || rightIndex === undefined) throw new TypeError("a parent without children");
  return new ParentSlot(index, values.parentAt(index), [buildSlot(leftIndex, values), buildSlot(rightIndex, values)]);
}

/** A subtree without any node. */
export function blankSlot(index: NodeIndex): Slot {
  return buildSlot(index, { leafAt: () => undefined, parentAt: () => undefined });
}

/** A node that path secrets are encrypted to. */
export type ResolvedNode =
  | { readonly kind: "leaf"; readonly index: NodeIndex; readonly leafIndex: LeafIndex; readonly encryptionKey: Uint8Array }
  | { readonly kind: "parent"; readonly index: NodeIndex; readonly encryptionKey: Uint8Array };

/** The resolution of a place: the fewest nodes that cover its members (RFC 9420 section 4.1.1), in order. */
export function resolution(slot: Slot, leafAt: (leaf: LeafIndex) => LeafNode | undefined): ResolvedNode[] {
  const found: ResolvedNode[] = [];
  collectResolution(slot, leafAt, found);
  return found;
}

function collectResolution(slot: Slot, leafAt: (leaf: LeafIndex) => LeafNode | undefined, found: ResolvedNode[]): void {
  if (slot.kind === "leaf") {
    if (slot.value !== undefined) found.push(resolvedLeaf(slot.leafIndex, slot.value));
    return;
  }
  if (slot.value === undefined) {
    if (slot.isEmpty) return;
    collectResolution(slot.left, leafAt, found);
    collectResolution(slot.right, leafAt, found);
    return;
  }
  found.push({ kind: "parent", index: slot.index, encryptionKey: slot.value.encryptionKey });
  for (const leafIndex of slot.value.unmergedLeaves) {
    const value = leafAt(leafIndex);
    if (value !== undefined) found.push(resolvedLeaf(leafIndex, value));
  }
}

function resolvedLeaf(leafIndex: LeafIndex, value: LeafNode): ResolvedNode {
  return { kind: "leaf", index: leafToNode(leafIndex), leafIndex, encryptionKey: value.encryptionKey };
}

/** The leaves that stand below a node: [first, one past the last]. */
export function leafRange(index: NodeIndex): readonly [number, number] {
  const width = 1 << level(index);
  const first = (index - (width - 1)) / 2;
  return [first, first + width];
}

/** The encryption key and, for a leaf, the signature key that a place holds. */
export function slotKeys(slot: Slot): { readonly encryptionKey: Uint8Array; readonly signatureKey: Uint8Array | undefined } | undefined {
  if (slot.value === undefined) return undefined;
  return { encryptionKey: slot.value.encryptionKey, signatureKey: slot.kind === "leaf" ? slot.value.signatureKey : undefined };
}
