import { encode, equalBytes, struct } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { CipherSuite } from "../crypto/suite.ts";
import { MlsError } from "../errors.ts";
import { hash, publicKey } from "../messages/basics.ts";
import type { ParentNode } from "../messages/nodes.ts";
import type { PathStep, RatchetTree } from "./ratchet-tree.ts";
import { leafRange, leafTreeHash, parentTreeHash } from "./slots.ts";
import type { ParentSlot, ResolvedNode, Slot } from "./slots.ts";
import type { LeafIndex, NodeIndex } from "./tree-math.ts";
import { isBelow } from "./tree-math.ts";

interface ParentHashInput {
  readonly encryptionKey: Uint8Array;
  readonly parentHash: Uint8Array;
  readonly originalSiblingTreeHash: Uint8Array;
}

const parentHashInput: Codec<ParentHashInput> = struct<ParentHashInput>({
  encryptionKey: publicKey,
  parentHash: hash,
  originalSiblingTreeHash: hash,
});

/** What a new path puts into the tree, and the parent hash that its leaf has to carry. */
export interface HashedPath {
  readonly parents: ReadonlyMap<NodeIndex, ParentNode>;
  readonly leafParentHash: Uint8Array;
}

/**
 * The parent nodes of a new path with their parent hashes (RFC 9420 section 7.9), from the root down. The keys stand in
 * the order of `steps`, one each.
 */
export function hashPath(suite: CipherSuite, steps: readonly PathStep[], encryptionKeys: readonly Uint8Array[]): HashedPath {
  const parents = new Map<NodeIndex, ParentNode>();
  let above: Uint8Array = new Uint8Array(0);
  for (const [i, step] of [...steps.entries()].reverse()) {
    const encryptionKey = encryptionKeys[i];
    if (encryptionKey === undefined) throw new TypeError("a key for each step");
    parents.set(step.index, { encryptionKey, parentHash: above, unmergedLeaves: [] });
    // A path has just reset these parents, so nothing is unmerged and the sibling's hash is its original one.
    above = suite.hash(encode(parentHashInput, { encryptionKey, parentHash: above, originalSiblingTreeHash: step.copath.treeHash(suite) }));
  }
  return { parents, leafParentHash: above };
}

/** The tree hash of a subtree as if `removed` (sorted, some of them below it) had never been added. */
function originalTreeHash(suite: CipherSuite, slot: Slot, removed: readonly LeafIndex[]): Uint8Array {
  if (removed.length === 0) return slot.treeHash(suite);
  if (slot.kind === "leaf") return leafTreeHash(suite, slot.leafIndex, undefined);
  const value =
    slot.value === undefined
      ? undefined
      : { ...slot.value, unmergedLeaves: slot.value.unmergedLeaves.filter((leaf) => !removed.includes(leaf)) };
  return parentTreeHash(suite, value, [
    originalTreeHash(suite, slot.left, below(removed, slot.left)),
    originalTreeHash(suite, slot.right, below(removed, slot.right)),
  ]);
}

function below(leaves: readonly LeafIndex[], slot: Slot): LeafIndex[] {
  return leaves.filter((leaf) => isBelow(leaf, slot.index));
}

/**
 * Checks all that RFC 9420 section 12.4.3.1 asks of parent nodes when joining: each is parent-hash valid (section 7.9.2), its
 * unmerged leaves are sorted, occupied, below it, and listed by every parent between.
 * @throws MlsError `invalid-tree`.
 */
export function verifyParentNodes(suite: CipherSuite, tree: RatchetTree): void {
  const visit = (slot: Slot, unmergedAbove: readonly LeafIndex[]): void => {
    if (slot.kind === "leaf" || slot.isEmpty) return;
    if (slot.value !== undefined) {
      verifyUnmergedLeaves(tree, slot, slot.value, unmergedAbove);
      verifyParentHash(suite, tree, slot, slot.value);
    }
    // Every ancestor's unmerged leaves must be listed by each parent below it on their way.
    const listed = slot.value?.unmergedLeaves ?? unmergedAbove;
    visit(slot.left, below(listed, slot.left));
    visit(slot.right, below(listed, slot.right));
  };
  visit(tree.top, []);
}

function verifyUnmergedLeaves(tree: RatchetTree, slot: ParentSlot, value: ParentNode, unmergedAbove: readonly LeafIndex[]): void {
  const clause = "RFC 9420 §12.4.3.1";
  const [first, end] = leafRange(slot.index);
  let previous = -1;
  for (const leaf of value.unmergedLeaves) {
    if (leaf <= previous) throw new MlsError("invalid-tree", "unmerged leaves out of order", { clause: "RFC 9420 §7.1" });
    if (leaf < first || leaf >= end || tree.leafAt(leaf) === undefined) {
      throw new MlsError("invalid-tree", "an unmerged leaf that is not below its parent", { clause });
    }
    previous = leaf;
  }
  const listed = new Set(value.unmergedLeaves);
  if (!unmergedAbove.every((leaf) => listed.has(leaf))) {
    throw new MlsError("invalid-tree", "an unmerged leaf that a parent between does not list", { clause });
  }
}

function verifyParentHash(suite: CipherSuite, tree: RatchetTree, slot: ParentSlot, value: ParentNode): void {
  let valid = 0;
  if (isChainedThrough(suite, tree, { parent: value, child: slot.left, sibling: slot.right })) valid++;
  if (isChainedThrough(suite, tree, { parent: value, child: slot.right, sibling: slot.left })) valid++;
  if (valid !== 1) throw new MlsError("invalid-tree", "a parent node without its parent hash below", { clause: "RFC 9420 §7.9.2" });
}

/** Whether some node under `child` was set together with the parent. */
function isChainedThrough(
  suite: CipherSuite,
  tree: RatchetTree,
  { parent, child, sibling }: { readonly parent: ParentNode; readonly child: Slot; readonly sibling: Slot },
): boolean {
  const unmerged = new Set(below(parent.unmergedLeaves, child));
  // The node in question is the only one of the resolution that is not an unmerged leaf of the parent: compared by
  // membership, since the resolution lists the others in its own order.
  const others: ResolvedNode[] = [];
  let unmergedFound = 0;
  for (const node of tree.resolution(child)) {
    if (node.kind === "leaf" && unmerged.has(node.leafIndex)) unmergedFound++;
    else others.push(node);
  }
  const [node] = others;
  if (node === undefined || others.length !== 1 || unmergedFound !== unmerged.size) return false;
  const carried = carriedParentHash(tree, node);
  if (carried === undefined) return false;
  const expected = suite.hash(
    encode(parentHashInput, {
      encryptionKey: parent.encryptionKey,
      parentHash: parent.parentHash,
      originalSiblingTreeHash: originalTreeHash(suite, sibling, below(parent.unmergedLeaves, sibling)),
    }),
  );
  return equalBytes(carried, expected);
}

function carriedParentHash(tree: RatchetTree, node: ResolvedNode): Uint8Array | undefined {
  const slot = tree.slotAt(node.index);
  if (slot?.kind === "parent") return slot.value?.parentHash;
  return slot?.value?.source.kind === "commit" ? slot.value.source.parentHash : undefined;
}
