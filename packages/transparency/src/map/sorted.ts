import { CodecError, compareBytes, equalBytes, opaque, struct, uint16, uint32, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { TransparencyError } from "../errors.ts";
import { emptyHash, innerHash, leafNodeHash, maxDepth, sharesPath, turnsRight } from "./nodes.ts";
import type { MapLeaf } from "./nodes.ts";
import type { AddedNode } from "./update.ts";

/**
 * A map of leaves that come sorted, in parts, such as a million heads of logs (spec L-11): it is built from the left to the right, and
 * what is remembered between two parts is one path. Whoever keeps the parts and the few nodes that lie over more than one of them can
 * prove every leaf: what lies within a part is computed from it.
 */
export interface SortedMapState {
  /** Parts so far. */
  readonly parts: number;
  /** The newest leaf: how deep it lies depends on the one that follows. None before the first part. */
  readonly open: readonly OpenLeaf[];
  /** Finished subtrees on the left of the path to it, from the root down. */
  readonly lefts: readonly LeftSubtree[];
}

interface OpenLeaf {
  readonly index: Uint8Array;
  readonly hash: Uint8Array;
  /** Least depth at which it may stand: below what it shares with the leaf before it. */
  readonly depth: number;
}

interface LeftSubtree {
  /** Depth of the node whose left side it is. */
  readonly depth: number;
  readonly hash: Uint8Array;
  /** Number of the part that its first leaf is in. */
  readonly part: number;
}

const hash = opaque(32);

/** Keeps a map that is being built over a restart. */
export const sortedMapStateCodec: Codec<SortedMapState> = struct<SortedMapState>({
  parts: uint32,
  open: vector(struct<OpenLeaf>({ index: hash, hash, depth: uint16 }), { maxBytes: 128 }),
  lefts: vector(struct<LeftSubtree>({ depth: uint16, hash, part: uint32 }), { maxBytes: 16_384 }),
});

/** A map before its first leaf. */
export const emptySortedMap: SortedMapState = { parts: 0, open: [], lefts: [] };

/**
 * The map after one more part: at least one leaf, sorted, all of them behind those before. `added` are nodes that lie over several
 * parts; they are inner nodes, and stored before the state that comes with them.
 * @throws TransparencyError `malformed` when the leaves are not in order
 */
export function addSortedPart(state: SortedMapState, leaves: readonly MapLeaf[]): { state: SortedMapState; added: AddedNode[] } {
  const added: AddedNode[] = [];
  const part = state.parts;
  const lefts = [...state.lefts];
  let [open] = state.open;
  // The leaf that is open before this part is of the part before.
  let openPart = part - 1;
  for (const leaf of leaves) {
    let depth = 0;
    if (open !== undefined) {
      const shared = sharedBits(open.index, leaf.index);
      depth = shared + 1;
      lefts.push(fold({ open, part: openPart, lefts, to: depth, added }));
    }
    open = { index: leaf.index, hash: leafNodeHash(leaf), depth };
    openPart = part;
  }
  return { state: { parts: part + 1, open: open === undefined ? [] : [open], lefts }, added };
}

/** The map's root, and the nodes over several parts that end with the last leaf. Without a leaf the root is `emptyHash`. */
export function finishSortedMap(state: SortedMapState): { root: Uint8Array; added: AddedNode[] } {
  const added: AddedNode[] = [];
  const [open] = state.open;
  if (open === undefined) return { root: emptyHash, added };
  const { hash: root } = fold({ open, part: state.parts - 1, lefts: [...state.lefts], to: 0, added });
  return { root, added };
}

/**
 * The end of a path: siblings from `depth` down to the leaf of `index`, within the part that has all leaves which share the first
 * `depth` bits with it. `undefined` when the part has no such leaf.
 */
export function proveInPart(params: {
  /** Sorted. */
  leaves: readonly MapLeaf[];
  index: Uint8Array;
  depth: number;
}): { leaf: MapLeaf; siblings: (Uint8Array | undefined)[] } | undefined {
  const { index } = params;
  let part = params.leaves.filter((leaf) => sharesPath(leaf.index, index, params.depth));
  const leaf = part.find((candidate) => equalBytes(candidate.index, index));
  if (leaf === undefined) return undefined;
  const siblings: (Uint8Array | undefined)[] = [];
  for (let depth = params.depth; part.length > 1; depth++) {
    const [left, right] = split(part, depth);
    const isRight = turnsRight(index, depth);
    const sibling = isRight ? left : right;
    siblings.push(sibling.length === 0 ? undefined : rootOf(sibling, depth + 1));
    part = isRight ? right : left;
  }
  return { leaf, siblings };
}

/** What ends with the open leaf, from where it stands up to `to`: a left subtree of the node above, or the root. Takes what it needs from `lefts`. */
function fold(params: { open: OpenLeaf; part: number; lefts: LeftSubtree[]; to: number; added: AddedNode[] }): LeftSubtree {
  const { open, part, lefts, to, added } = params;
  let at = open.hash;
  let firstPart = part;
  for (let depth = Math.max(open.depth, to); depth > to; depth--) {
    const isRight = turnsRight(open.index, depth - 1);
    const left = isRight && lefts.at(-1)?.depth === depth - 1 ? lefts.pop() : undefined;
    const node = isRight
      ? { kind: "inner" as const, left: left?.hash ?? emptyHash, right: at }
      : { kind: "inner" as const, left: at, right: emptyHash };
    firstPart = left?.part ?? firstPart;
    at = innerHash(node.left, node.right);
    if (firstPart < part) added.push({ hash: at, node });
  }
  return { depth: to - 1, hash: at, part: firstPart };
}

function rootOf(leaves: readonly MapLeaf[], depth: number): Uint8Array {
  const [first] = leaves;
  if (first === undefined) return emptyHash;
  if (leaves.length === 1) return leafNodeHash(first);
  const [left, right] = split(leaves, depth);
  return innerHash(rootOf(left, depth + 1), rootOf(right, depth + 1));
}

function split(leaves: readonly MapLeaf[], depth: number): [MapLeaf[], MapLeaf[]] {
  const at = leaves.findIndex(({ index }) => turnsRight(index, depth));
  return at < 0 ? [[...leaves], []] : [leaves.slice(0, at), leaves.slice(at)];
}

/** How many bits two sorted indices have in common from their beginning. */
function sharedBits(before: Uint8Array, after: Uint8Array): number {
  if (before.length !== 32 || after.length !== 32 || compareBytes(before, after) >= 0) {
    throw new TransparencyError("malformed", "D-1", "the leaves of a map are not in order");
  }
  for (let depth = 0; depth <= maxDepth; depth++) if (turnsRight(before, depth) !== turnsRight(after, depth)) return depth;
  throw new CodecError("invalid", "two indices of 32 bytes that differ, differ in a bit");
}
