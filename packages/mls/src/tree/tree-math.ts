import { MlsError } from "../errors.ts";

declare const leafBrand: unique symbol;
declare const nodeBrand: unique symbol;

/** A leaf, counted from the left: 0, 1, 2 ... */
export type LeafIndex = number & { readonly [leafBrand]: true };
/** A node of the array representation (RFC 9420 appendix C): leaves at even places, parents between them. */
export type NodeIndex = number & { readonly [nodeBrand]: true };

/** `value` as a leaf index. @throws MlsError `usage` when it is no uint32. */
export function toLeafIndex(value: number): LeafIndex {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) throw new MlsError("usage", "not a leaf index");
  // Checked just above: the brand adds no more than that.
  return value as LeafIndex;
}

// Arithmetic on node numbers yields node numbers; trees have at most 2^20 leaves, so 32-bit operators are safe.
const asNode = (value: number): NodeIndex => value as NodeIndex;

/** How far above the leaves the node stands: 0 for a leaf. */
export function level(node: NodeIndex): number {
  // node ^ (node + 1) has one set bit more than node has trailing ones.
  return 31 - Math.clz32(node ^ (node + 1));
}

/** The number of nodes of a tree of `leafCount` leaves, a power of two. */
export function nodeCount(leafCount: number): number {
  return leafCount === 0 ? 0 : 2 * leafCount - 1;
}

/** The node at which a leaf stands. */
export function leafToNode(leaf: LeafIndex): NodeIndex {
  return asNode(2 * leaf);
}

/** The leaf at a node, or undefined for a parent node. */
export function nodeToLeaf(node: NodeIndex): LeafIndex | undefined {
  // Half of an even node number is the number of its leaf.
  return (node & 1) === 0 ? ((node >>> 1) as LeafIndex) : undefined;
}

/** The root of a tree of `leafCount` leaves, a power of two. */
export function root(leafCount: number): NodeIndex {
  return asNode(leafCount - 1);
}

/** The left child, or undefined for a leaf. */
export function left(node: NodeIndex): NodeIndex | undefined {
  const height = level(node);
  return height === 0 ? undefined : asNode(node - (1 << (height - 1)));
}

/** The right child, or undefined for a leaf. */
export function right(node: NodeIndex): NodeIndex | undefined {
  const height = level(node);
  return height === 0 ? undefined : asNode(node + (1 << (height - 1)));
}

/** The parent, or undefined for the root of a tree of `leafCount` leaves. */
export function parent(node: NodeIndex, leafCount: number): NodeIndex | undefined {
  if (node === root(leafCount)) return undefined;
  const height = level(node);
  const isRightChild = ((node >>> (height + 1)) & 1) === 1;
  return asNode(isRightChild ? node - (1 << height) : node + (1 << height));
}

/** The other child of the node's parent, or undefined for the root. */
export function sibling(node: NodeIndex, leafCount: number): NodeIndex | undefined {
  const above = parent(node, leafCount);
  if (above === undefined) return undefined;
  return node < above ? right(above) : left(above);
}

/** The parents of a leaf from the lowest up to the root. */
export function directPath(leaf: LeafIndex, leafCount: number): NodeIndex[] {
  const path: NodeIndex[] = [];
  for (let at = parent(leafToNode(leaf), leafCount); at !== undefined; at = parent(at, leafCount)) path.push(at);
  return path;
}

/** Whether `leaf` stands below (or at) `node`. */
export function isBelow(leaf: LeafIndex, node: NodeIndex): boolean {
  const height = level(node);
  return (2 * leaf) >>> (height + 1) === node >>> (height + 1);
}
