import { utf8Bytes } from "@latchkey/codec";
import { expandWithLabel } from "../crypto/labeled.ts";
import type { CipherSuite } from "../crypto/suite.ts";
import { wipe } from "../crypto/wipe.ts";
import { MlsError } from "../errors.ts";
import { left, leafToNode, nodeCount, parent, right, root } from "../tree/tree-math.ts";
import type { LeafIndex, NodeIndex } from "../tree/tree-math.ts";
import { advance, keyAt } from "./ratchet.ts";
import type { MessageKey, Ratchet } from "./ratchet.ts";
import { SparseArray } from "./sparse-array.ts";

/** Which of a leaf's two ratchets: proposals and commits, or application data (RFC 9420 section 9.1). */
export type RatchetKind = "handshake" | "application";

/**
 * The secrets that message keys of one epoch come from (RFC 9420 section 9), an immutable value: every use returns
 * the tree without what was used. It holds a node's secret only until the node is divided, a leaf's ratchets from
 * their first use, and at most 1,000 skipped keys a ratchet.
 */
export interface SecretTree {
  /** Width of the tree: a power of two. */
  readonly leafCount: number;
  /** Secrets of undivided nodes, by node index. */
  readonly nodes: SparseArray<Uint8Array>;
  /** Ratchets in use, at `ratchetPlace`. */
  readonly ratchets: SparseArray<Ratchet>;
}

/** Where a ratchet stands in `SecretTree.ratchets`. */
export function ratchetPlace(leafIndex: number, kind: RatchetKind): number {
  return 2 * leafIndex + (kind === "application" ? 1 : 0);
}

const none = new Uint8Array(0);
const leftLabel = utf8Bytes("left");
const rightLabel = utf8Bytes("right");

/** A tree without secrets, to be filled. @throws MlsError `usage` when `leafCount` is no power of two up to 2^20. */
export function emptySecretTree(leafCount: number): SecretTree {
  if (!Number.isInteger(leafCount) || leafCount < 1 || leafCount > 2 ** 20 || (leafCount & (leafCount - 1)) !== 0) {
    throw new MlsError("usage", "the width of a tree is a power of two");
  }
  return {
    leafCount,
    nodes: SparseArray.empty<Uint8Array>(nodeCount(leafCount)),
    ratchets: SparseArray.empty<Ratchet>(2 * leafCount),
  };
}

/** The secret tree of a new epoch. The encryption secret is copied, not kept. */
export function createSecretTree(params: { encryptionSecret: Uint8Array; leafCount: number }): SecretTree {
  const tree = emptySecretTree(params.leafCount);
  return { ...tree, nodes: tree.nodes.with(root(params.leafCount), params.encryptionSecret.slice()) };
}

/** Takes the next key of a ratchet, to send with. @throws MlsError `usage` for a leaf outside the tree. */
export function nextMessageKey(
  suite: CipherSuite,
  tree: SecretTree,
  params: { leafIndex: LeafIndex; ratchet: RatchetKind },
): { tree: SecretTree; generation: number } & MessageKey {
  const opened = withRatchets(suite, tree, params.leafIndex);
  const place = ratchetPlace(params.leafIndex, params.ratchet);
  const { ratchet, generation, key, nonce } = advance(suite, ratchetAt(opened, place));
  return { tree: { ...opened, ratchets: opened.ratchets.with(place, ratchet) }, generation, key, nonce };
}

/**
 * Takes the key of a received message's generation.
 * @throws MlsError `consumed` when that key was used or erased, `too-far` when it is over 1,000 generations, and `lostMessages`, ahead,
 * `malformed` for a leaf outside the tree.
 */
export function messageKeyAt(
  suite: CipherSuite,
  tree: SecretTree,
  params: { leafIndex: LeafIndex; ratchet: RatchetKind; generation: number },
  lostMessages = 0,
): { tree: SecretTree } & MessageKey {
  if (params.leafIndex >= tree.leafCount) throw new MlsError("malformed", "sender outside the tree");
  const opened = withRatchets(suite, tree, params.leafIndex);
  const place = ratchetPlace(params.leafIndex, params.ratchet);
  const { ratchet, key, nonce } = keyAt(suite, ratchetAt(opened, place), params.generation, lostMessages);
  return { tree: { ...opened, ratchets: opened.ratchets.with(place, ratchet) }, key, nonce };
}

function ratchetAt(tree: SecretTree, place: number): Ratchet {
  const ratchet = tree.ratchets.get(place);
  if (ratchet === undefined) throw new MlsError("usage", "a secret tree without this ratchet");
  return ratchet;
}

/** The tree with both ratchets of the leaf: divides the nodes above it and erases each divided node's secret. */
function withRatchets(suite: CipherSuite, tree: SecretTree, leafIndex: LeafIndex): SecretTree {
  if (tree.ratchets.get(ratchetPlace(leafIndex, "application")) !== undefined) return tree;
  if (leafIndex >= tree.leafCount) throw new MlsError("usage", "leaf outside the tree");
  const leafNode = leafToNode(leafIndex);
  let node: NodeIndex | undefined = leafNode;
  let secret = tree.nodes.get(node);
  while (secret === undefined) {
    node = parent(node, tree.leafCount);
    if (node === undefined) throw new MlsError("usage", "a secret tree without this leaf's secret");
    secret = tree.nodes.get(node);
  }
  const expand = (from: Uint8Array, label: string, context: Uint8Array): Uint8Array =>
    expandWithLabel(suite, { secret: from, label, context, sizeBytes: suite.hashBytes });
  // Still the given tree's: whoever gave it goes on with it should the message be false.
  const kept = secret;
  let nodes = tree.nodes;
  while (node !== leafNode) {
    const leftChild: NodeIndex | undefined = left(node);
    const rightChild: NodeIndex | undefined = right(node);
    if (leftChild === undefined || rightChild === undefined) throw new MlsError("usage", "a leaf has no children");
    const goesLeft: boolean = leafNode < node;
    nodes = nodes.with(node, undefined).with(goesLeft ? rightChild : leftChild, expand(secret, "tree", goesLeft ? rightLabel : leftLabel));
    const below = expand(secret, "tree", goesLeft ? leftLabel : rightLabel);
    if (secret !== kept) wipe(secret);
    secret = below;
    node = goesLeft ? leftChild : rightChild;
  }
  const ratchet = (from: Uint8Array, label: RatchetKind): Ratchet => ({
    secret: expand(from, label, none),
    generation: 0,
    skipped: new Map(),
  });
  const [handshake, application] = [ratchet(secret, "handshake"), ratchet(secret, "application")];
  if (secret !== kept) wipe(secret);
  return {
    leafCount: tree.leafCount,
    nodes: nodes.with(leafNode, undefined),
    ratchets: tree.ratchets.with(ratchetPlace(leafIndex, "handshake"), handshake).with(ratchetPlace(leafIndex, "application"), application),
  };
}
