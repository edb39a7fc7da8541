import type { CipherSuite } from "../crypto/suite.ts";
import { MlsError } from "../errors.ts";
import { decodeStructure, encodeStructure } from "../messages/coding.ts";
import { limits } from "../messages/limits.ts";
import { ratchetTreeNodes } from "../messages/nodes.ts";
import type { LeafNode, NodeValue, ParentNode } from "../messages/nodes.ts";
import { addFingerprint, hasFingerprint, removeFingerprint } from "./key-index.ts";
import type { FingerprintSet } from "./key-index.ts";
import { LeafSlot, ParentSlot, blankSlot, buildSlot, resolution, slotKeys } from "./slots.ts";
import type { ResolvedNode, Slot } from "./slots.ts";
import { isBelow, leafToNode, level, nodeCount, right, root } from "./tree-math.ts";
import type { LeafIndex, NodeIndex } from "./tree-math.ts";

/** A step of a filtered direct path: a parent whose child off the path is not empty (RFC 9420 section 4.1.2). */
export interface PathStep {
  readonly index: NodeIndex;
  readonly copath: Slot;
}

/** A leaf that is not blank. */
export interface OccupiedLeaf {
  readonly leafIndex: LeafIndex;
  readonly leafNode: LeafNode;
}

interface KeyIndex {
  readonly encryption: FingerprintSet;
  readonly signature: FingerprintSet;
}

/**
 * A ratchet tree (RFC 9420 section 7): an immutable value. Each operation yields a new tree that shares all but the changed
 * path with the old one, so that keeping an old epoch costs O(log n).
 */
export class RatchetTree {
  readonly top: Slot;
  /** Leaves including blank ones: a power of two. */
  readonly leafCount: number;
  #keys: KeyIndex | undefined;

  private constructor(top: Slot, leafCount: number) {
    this.top = top;
    this.leafCount = leafCount;
  }

  /** The tree of a single member. */
  static ofOne(leafNode: LeafNode): RatchetTree {
    // 0 is a leaf index.
    return new RatchetTree(new LeafSlot(0 as LeafIndex, leafNode), 1);
  }

  /**
   * The tree of nodes in array order, blanks as undefined.
   * @throws MlsError `invalid-tree` when kinds and places disagree or the tree is not in its smallest form.
   */
  static fromNodes(nodes: readonly (NodeValue | undefined)[]): RatchetTree {
    const clause = "RFC 9420 §12.4.3.3";
    if (nodes.length === 0 || nodes.at(-1) === undefined) throw new MlsError("invalid-tree", "the last node is blank", { clause });
    let leafCount = 1;
    while (nodeCount(leafCount) < nodes.length) leafCount *= 2;
    if (leafCount > limits.treeLeaves) throw new MlsError("invalid-tree", "too many leaves", { clause });
    const misplaced = (): MlsError => new MlsError("invalid-tree", "a node of the wrong kind for its place", { clause });
    const top = buildSlot(root(leafCount), {
      leafAt(leaf) {
        const value = nodes[leafToNode(leaf)];
        if (value !== undefined && value.kind !== "leaf") throw misplaced();
        return value?.leafNode;
      },
      parentAt(index) {
        const value = nodes[index];
        if (value !== undefined && value.kind !== "parent") throw misplaced();
        return value?.parentNode;
      },
    });
    if (top.memberCount === 0 || (top.kind === "parent" && top.right.memberCount === 0)) {
      throw new MlsError("invalid-tree", "the tree is not truncated", { clause });
    }
    return new RatchetTree(top, leafCount);
  }

  /** A tree from parts that this package stored itself. */
  static fromParts(leafCount: number, top: Slot): RatchetTree {
    return new RatchetTree(top, leafCount);
  }

  /** The nodes in array order, without blanks at the end. */
  toNodes(): (NodeValue | undefined)[] {
    const nodes: (NodeValue | undefined)[] = Array.from({ length: nodeCount(this.leafCount) });
    const visit = (slot: Slot): void => {
      if (slot.kind === "leaf") {
        if (slot.value !== undefined) nodes[slot.index] = { kind: "leaf", leafNode: slot.value };
        return;
      }
      if (slot.isEmpty) return;
      if (slot.value !== undefined) nodes[slot.index] = { kind: "parent", parentNode: slot.value };
      visit(slot.left);
      visit(slot.right);
    };
    visit(this.top);
    nodes.length = nodes.findLastIndex((node) => node !== undefined) + 1;
    return nodes;
  }

  /** The place at a node, or undefined when the tree is smaller. */
  slotAt(index: NodeIndex): Slot | undefined {
    if (index >= nodeCount(this.leafCount)) return undefined;
    let at = this.top;
    while (at.index !== index && at.kind === "parent") at = index < at.index ? at.left : at.right;
    return at;
  }

  /** The leaf node at that place, or undefined when it is blank or beyond the tree. */
  readonly leafAt = (leaf: LeafIndex): LeafNode | undefined => {
    const slot = leaf < this.leafCount ? this.slotAt(leafToNode(leaf)) : undefined;
    return slot?.kind === "leaf" ? slot.value : undefined;
  };

  /** Members from left to right. */
  members(): OccupiedLeaf[] {
    const found: OccupiedLeaf[] = [];
    const visit = (slot: Slot): void => {
      if (slot.memberCount === 0) return;
      if (slot.kind === "parent") {
        visit(slot.left);
        visit(slot.right);
      } else if (slot.value !== undefined) found.push({ leafIndex: slot.leafIndex, leafNode: slot.value });
    };
    visit(this.top);
    return found;
  }

  /** The tree hash (RFC 9420 section 7.8). */
  treeHash(suite: CipherSuite): Uint8Array {
    return this.top.treeHash(suite);
  }

  /** The nodes that stand for the members below `slot` (RFC 9420 section 4.1.1). */
  resolution(slot: Slot): ResolvedNode[] {
    return resolution(slot, this.leafAt);
  }

  /** Parents of a leaf whose child off the path is not empty, from the lowest up. */
  filteredDirectPath(leaf: LeafIndex): PathStep[] {
    const steps: PathStep[] = [];
    let at = this.top;
    while (at.kind === "parent") {
      const goesLeft = isBelow(leaf, at.left.index);
      const copath = goesLeft ? at.right : at.left;
      if (!copath.isEmpty) steps.push({ index: at.index, copath });
      at = goesLeft ? at.left : at.right;
    }
    return steps.reverse();
  }

  /** Adds a leaf at the leftmost blank place, widening the tree when there is none (RFC 9420 section 12.1.1). */
  add(leafNode: LeafNode): { readonly tree: RatchetTree; readonly leafIndex: LeafIndex } {
    const widened = this.top.memberCount === this.leafCount ? this.#extended() : this;
    let at = widened.top;
    while (at.kind === "parent") at = at.left.memberCount < 1 << level(at.left.index) ? at.left : at.right;
    const { leafIndex } = at;
    const top = rewrite(widened.top, leafIndex, leafNode, (slot) => withUnmerged(slot.value, leafIndex));
    return { tree: new RatchetTree(top, widened.leafCount), leafIndex };
  }

  /** Replaces a leaf and blanks its direct path (RFC 9420 section 12.1.2). */
  update(leaf: LeafIndex, leafNode: LeafNode): RatchetTree {
    return new RatchetTree(
      rewrite(this.top, leaf, leafNode, () => undefined),
      this.leafCount,
    );
  }

  /** Blanks a leaf with its direct path, and narrows the tree (RFC 9420 section 12.1.3). */
  remove(leaf: LeafIndex): RatchetTree {
    let top = rewrite(this.top, leaf, undefined, () => undefined);
    let { leafCount } = this;
    while (top.kind === "parent" && top.right.memberCount === 0) {
      top = top.left;
      leafCount /= 2;
    }
    return new RatchetTree(top, leafCount);
  }

  /** Replaces a leaf, sets the given parents and blanks the others of its direct path (RFC 9420 section 7.5). */
  withPath(leaf: LeafIndex, leafNode: LeafNode, parents: ReadonlyMap<NodeIndex, ParentNode>): RatchetTree {
    return new RatchetTree(
      rewrite(this.top, leaf, leafNode, (slot) => parents.get(slot.index)),
      this.leafCount,
    );
  }

  /** Whether some node has this encryption key. */
  hasEncryptionKey(suite: CipherSuite, key: Uint8Array): boolean {
    return hasFingerprint(this.#keyIndex(suite).encryption, suite.hash(key));
  }

  /**
   * Checks that encryption keys of all nodes and signature keys of all leaves differ (RFC 9420 sections 7.3 and 12.4.3.1).
   * With the (checked) tree that this one was made from, only what changed is looked at.
   * @throws MlsError `invalid-tree`.
   */
  requireUniqueKeys(suite: CipherSuite, before?: RatchetTree): void {
    if (this.#keys !== undefined) return;
    const changes: { removed: Slot[]; added: Slot[] } = { removed: [], added: [] };
    compareSlots(before?.top, this.top, changes);
    let { encryption, signature }: KeyIndex =
      before === undefined ? { encryption: undefined, signature: undefined } : before.#keyIndex(suite);
    for (const slot of changes.removed) {
      const keys = slotKeys(slot);
      if (keys === undefined) continue;
      encryption = removeFingerprint(encryption, suite.hash(keys.encryptionKey));
      if (keys.signatureKey !== undefined) signature = removeFingerprint(signature, suite.hash(keys.signatureKey));
    }
    for (const slot of changes.added) {
      const keys = slotKeys(slot);
      if (keys === undefined) continue;
      const withEncryption = addFingerprint(encryption, suite.hash(keys.encryptionKey));
      if (withEncryption === "present")
        throw new MlsError("invalid-tree", "two nodes share an encryption key", { clause: "RFC 9420 §7.3" });
      encryption = withEncryption;
      if (keys.signatureKey === undefined) continue;
      const withSignature = addFingerprint(signature, suite.hash(keys.signatureKey));
      if (withSignature === "present") throw new MlsError("invalid-tree", "two leaves share a signature key", { clause: "RFC 9420 §7.3" });
      signature = withSignature;
    }
    this.#keys = { encryption, signature };
  }

  #keyIndex(suite: CipherSuite): KeyIndex {
    this.requireUniqueKeys(suite);
    // Set by the line above, which throws otherwise.
    return this.#keys as KeyIndex;
  }

  #extended(): RatchetTree {
    const leafCount = 2 * this.leafCount;
    if (leafCount > limits.treeLeaves) throw new MlsError("invalid-proposal", "the group is full");
    const index = root(leafCount);
    const beside = right(index);
    // A tree of two or more leaves has a root with children.
    if (beside === undefined) throw new TypeError("a root without children");
    return new RatchetTree(new ParentSlot(index, undefined, [this.top, blankSlot(beside)]), leafCount);
  }
}

/** The encoding of `ratchet_tree` (RFC 9420 section 12.4.3.3). */
export function encodeTree(tree: RatchetTree): Uint8Array {
  return encodeStructure(ratchetTreeNodes, tree.toNodes(), "ratchet_tree");
}

/** @throws MlsError `malformed` for bytes that do not decode, `invalid-tree` for a tree that cannot be. */
export function decodeTree(bytes: Uint8Array): RatchetTree {
  return RatchetTree.fromNodes(decodeStructure(ratchetTreeNodes, bytes, "ratchet_tree"));
}

/** The places that differ between two trees: those of `before` that are gone and those of `after` that are new. */
export function compareSlots(before: Slot | undefined, after: Slot | undefined, changes: { removed: Slot[]; added: Slot[] }): void {
  if (before === after) return;
  const heightBefore = before === undefined ? -1 : level(before.index);
  const heightAfter = after === undefined ? -1 : level(after.index);
  // A tree that grew or shrank has the other one as its leftmost part.
  if (before !== undefined && heightBefore >= heightAfter) changes.removed.push(before);
  if (after !== undefined && heightAfter >= heightBefore) changes.added.push(after);
  const [leftBefore, rightBefore] = heightBefore < heightAfter ? [before, undefined] : childrenOf(before);
  const [leftAfter, rightAfter] = heightAfter < heightBefore ? [after, undefined] : childrenOf(after);
  if (leftBefore !== undefined || leftAfter !== undefined) compareSlots(leftBefore, leftAfter, changes);
  if (rightBefore !== undefined || rightAfter !== undefined) compareSlots(rightBefore, rightAfter, changes);
}

function childrenOf(slot: Slot | undefined): readonly [Slot | undefined, Slot | undefined] {
  return slot?.kind === "parent" ? [slot.left, slot.right] : [undefined, undefined];
}

function withUnmerged(value: ParentNode | undefined, leaf: LeafIndex): ParentNode | undefined {
  if (value === undefined) return undefined;
  const at = value.unmergedLeaves.findIndex((other) => other > leaf);
  return { ...value, unmergedLeaves: value.unmergedLeaves.toSpliced(at === -1 ? value.unmergedLeaves.length : at, 0, leaf) };
}

function rewrite(
  slot: Slot,
  leaf: LeafIndex,
  leafNode: LeafNode | undefined,
  parentValue: (slot: ParentSlot) => ParentNode | undefined,
): Slot {
  if (slot.kind === "leaf") return new LeafSlot(leaf, leafNode);
  const children: readonly [Slot, Slot] = isBelow(leaf, slot.left.index)
    ? [rewrite(slot.left, leaf, leafNode, parentValue), slot.right]
    : [slot.left, rewrite(slot.right, leaf, leafNode, parentValue)];
  return new ParentSlot(slot.index, parentValue(slot), children);
}
