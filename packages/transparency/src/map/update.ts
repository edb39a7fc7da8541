import { compareBytes, equalBytes } from "@latchkey/codec";
import { TransparencyError } from "../errors.ts";
import { chainOf, emptyHash, innerHash, isEmptyHash, leafNodeHash, maxDepth, turnsRight } from "./nodes.ts";
import type { MapLeaf, MapNode, NodeReader } from "./nodes.ts";
import { transitionShape } from "./transition.ts";
import type { Transition, TransitionLeaf } from "./transition.ts";

/** A node of the new tree that the old one did not have. */
export interface AddedNode {
  readonly hash: Uint8Array;
  readonly node: MapNode;
}

/** The values that a label gets. */
export interface MapChange {
  /** 32 bytes, each label once. */
  readonly index: Uint8Array;
  /** 32 bytes each, in order; at least one. */
  readonly commitments: readonly Uint8Array[];
}

/** What `updateMap` did. */
export interface MapUpdate {
  readonly root: Uint8Array;
  /** To be stored before the new root is told to anybody. */
  readonly added: readonly AddedNode[];
  /** Hashes that the new tree no longer has: to be deleted when nobody reads the old root any more. */
  readonly obsolete: readonly Uint8Array[];
  readonly transition: Transition;
  /** How many labels were not in the map before. */
  readonly newLeaves: number;
}

interface Work {
  readonly read: NodeReader;
  readonly added: AddedNode[];
  readonly obsolete: Uint8Array[];
  readonly leaves: TransitionLeaf[];
  readonly shape: number[];
  readonly siblings: Uint8Array[];
  newLeaves: number;
}

/**
 * Adds values to labels of the map with this root. Nothing that is stored changes: the new tree's own nodes are given back,
 * with the transition that proves the step (spec section 40). Reads as many nodes as lie on the paths to the changes.
 * @throws TransparencyError `malformed` when the changes are none, a label comes twice or a size is wrong; what `read` throws.
 */
export function updateMap(params: { root: Uint8Array; changes: readonly MapChange[]; read: NodeReader }): MapUpdate {
  const changes = params.changes
    .map(({ index, commitments }) => ({ index, oldVersion: 0, oldChain: emptyHash, commitments }))
    .sort((a, b) => compareBytes(a.index, b.index));
  checkChanges(changes);
  const work: Work = { read: params.read, added: [], obsolete: [], leaves: [], shape: [], siblings: [], newLeaves: 0 };
  const root = change(work, params.root, changes, 0);
  const transition: Transition = {
    format: 1,
    leaves: work.leaves,
    shape: Uint8Array.from(work.shape),
    siblings: work.siblings,
    ext: new Uint8Array(0),
  };
  return { root, added: work.added, obsolete: work.obsolete, transition, newLeaves: work.newLeaves };
}

/**
 * The map that holds exactly these leaves, such as the map of heads of logs (spec L-11). No leaf: the root is `emptyHash`.
 * @throws TransparencyError `malformed` when an index comes twice.
 */
export function buildMap(leaves: readonly MapLeaf[]): { root: Uint8Array; added: AddedNode[] } {
  const sorted = leaves.toSorted((a, b) => compareBytes(a.index, b.index));
  checkSorted(sorted);
  const added: AddedNode[] = [];
  const build = (part: readonly MapLeaf[], depth: number): Uint8Array => {
    const [first] = part;
    if (first === undefined) return emptyHash;
    if (part.length === 1) return store(added, { kind: "leaf", index: first.index, version: first.version, chain: first.chain });
    const at = split(part, depth);
    return store(added, { kind: "inner", left: build(part.slice(0, at), depth + 1), right: build(part.slice(at), depth + 1) });
  };
  return { root: build(sorted, 0), added };
}

/** The subtree of `old` after `changes`, which all lie in it. */
function change(work: Work, old: Uint8Array, changes: readonly TransitionLeaf[], depth: number): Uint8Array {
  if (changes.length === 0) {
    if (isEmptyHash(old)) {
      work.shape.push(transitionShape.empty);
    } else {
      work.shape.push(transitionShape.sibling);
      work.siblings.push(old);
    }
    return old;
  }
  if (isEmptyHash(old)) return place(work, changes, depth);
  const node = work.read(old);
  if (node.kind === "leaf") return place(work, withLeaf(work, node, old, changes), depth);
  work.obsolete.push(old);
  work.shape.push(transitionShape.inner);
  const at = split(changes, depth);
  const left = change(work, node.left, changes.slice(0, at), depth + 1);
  const right = change(work, node.right, changes.slice(at), depth + 1);
  return store(work.added, { kind: "inner", left, right });
}

/** The changes, and the leaf that stood where they go: changed as well, or moved down unchanged. */
function withLeaf(work: Work, leaf: MapLeaf, hash: Uint8Array, changes: readonly TransitionLeaf[]): TransitionLeaf[] {
  const { index, version: oldVersion, chain: oldChain } = leaf;
  const own = changes.find((candidate) => equalBytes(candidate.index, index));
  const before: TransitionLeaf = { index, oldVersion, oldChain, commitments: own?.commitments ?? [] };
  if (own !== undefined) {
    work.obsolete.push(hash);
    return changes.map((candidate) => (candidate === own ? before : candidate));
  }
  return [...changes, before].sort((a, b) => compareBytes(a.index, b.index));
}

/** A subtree of these leaves alone. */
function place(work: Work, leaves: readonly TransitionLeaf[], depth: number): Uint8Array {
  const [first] = leaves;
  if (first === undefined) {
    work.shape.push(transitionShape.empty);
    return emptyHash;
  }
  if (leaves.length === 1) return placeLeaf(work, first);
  work.shape.push(transitionShape.inner);
  const at = split(leaves, depth);
  const left = place(work, leaves.slice(0, at), depth + 1);
  const right = place(work, leaves.slice(at), depth + 1);
  return store(work.added, { kind: "inner", left, right });
}

function placeLeaf(work: Work, leaf: TransitionLeaf): Uint8Array {
  work.shape.push(transitionShape.leaf);
  work.leaves.push(leaf);
  const { index, oldVersion, oldChain, commitments } = leaf;
  // Moved down, its hash stays: it is stored already.
  if (commitments.length === 0) return leafNodeHash({ index, version: oldVersion, chain: oldChain });
  if (oldVersion === 0) work.newLeaves++;
  let chain = oldChain;
  for (const commitment of commitments) chain = chainOf(chain, commitment);
  return store(work.added, { kind: "leaf", index, version: oldVersion + commitments.length, chain });
}

function store(added: AddedNode[], node: MapNode): Uint8Array {
  const hash = node.kind === "leaf" ? leafNodeHash(node) : innerHash(node.left, node.right);
  added.push({ hash, node });
  return hash;
}

/** How many of the sorted leaves go to the left at this depth. */
function split(leaves: readonly { readonly index: Uint8Array }[], depth: number): number {
  if (depth >= maxDepth) throw new TransparencyError("malformed", "D-1", "two labels stand at one place of the map");
  let low = 0;
  let high = leaves.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const leaf = leaves[middle];
    if (leaf !== undefined && turnsRight(leaf.index, depth)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function checkChanges(changes: readonly MapChange[]): void {
  if (changes.length === 0) throw new TransparencyError("malformed", "D-1", "an update of the map changes something");
  for (const { index, commitments } of changes) {
    const isSized = index.length === 32 && commitments.length > 0 && commitments.every((commitment) => commitment.length === 32);
    if (!isSized) throw new TransparencyError("malformed", "D-1", "a change of the map has an index and values of 32 bytes");
  }
  checkSorted(changes);
}

function checkSorted(leaves: readonly { readonly index: Uint8Array }[]): void {
  let before: Uint8Array | undefined;
  for (const { index } of leaves) {
    if (before !== undefined && equalBytes(before, index)) {
      throw new TransparencyError("malformed", "D-1", "a label comes twice in one update of the map");
    }
    before = index;
  }
}
