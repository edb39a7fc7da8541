import { concatBytes, encode } from "@latchkey/codec";
import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../crypto/node.ts";
import { MlsError } from "../errors.ts";
import { ratchetTreeNodes } from "../messages/nodes.ts";
import type { LeafNode, NodeValue, ParentNode } from "../messages/nodes.ts";
import { RatchetTree, decodeTree, encodeTree } from "./ratchet-tree.ts";
import { verifyParentNodes } from "./parent-hash.ts";
import { toLeafIndex } from "./tree-math.ts";
import type { NodeIndex } from "./tree-math.ts";

const suite = nodeCrypto.suite(1);
const empty = new Uint8Array(0);

function leaf(name: number): LeafNode {
  return {
    encryptionKey: Uint8Array.of(1, name),
    signatureKey: Uint8Array.of(2, name),
    credential: { kind: "basic", identity: Uint8Array.of(name) },
    capabilities: { versions: [1], cipherSuites: [1], extensions: [], proposals: [], credentials: [1] },
    source: { kind: "update" },
    extensions: [],
    signature: empty,
  };
}

function parentNode(name: number, unmerged: readonly number[] = []): ParentNode {
  return { encryptionKey: Uint8Array.of(3, name), parentHash: empty, unmergedLeaves: unmerged.map(toLeafIndex) };
}

function treeOf(count: number): RatchetTree {
  let tree = RatchetTree.ofOne(leaf(0));
  for (let i = 1; i < count; i++) ({ tree } = tree.add(leaf(i)));
  return tree;
}

/** The hash of a tree made anew, without anything remembered. */
function freshHash(tree: RatchetTree): Uint8Array {
  return decodeTree(encodeTree(tree)).treeHash(suite);
}

describe("a ratchet tree", () => {
  it("grows to the next power of two and shrinks back", () => {
    let tree = treeOf(5);
    expect(tree.leafCount).toBe(8);
    tree = tree.remove(toLeafIndex(4));
    expect(tree.leafCount).toBe(4);
    tree = tree.remove(toLeafIndex(1)).remove(toLeafIndex(3)).remove(toLeafIndex(2));
    expect(tree.leafCount).toBe(1);
    expect(tree.members().map(({ leafIndex }) => leafIndex)).toEqual([0]);
  });

  it("does not shrink while a right half is occupied", () => {
    let tree = treeOf(8);
    for (const index of [0, 1, 2, 3, 4, 5, 6]) tree = tree.remove(toLeafIndex(index));
    expect(tree.leafCount).toBe(8);
    expect(tree.members().map(({ leafIndex }) => leafIndex)).toEqual([7]);
    // Nobody off its path: there is no node to set.
    expect(tree.filteredDirectPath(toLeafIndex(7))).toEqual([]);
    expect(tree.add(leaf(9)).leafIndex).toBe(0);
  });

  it("lists a new leaf as unmerged, in order, at each parent above that is not blank", () => {
    // Node numbers 1 and 3 of a tree of four leaves.
    const parents = new Map([1, 3].map((index) => [index as NodeIndex, parentNode(index)]));
    const set = treeOf(4).withPath(toLeafIndex(0), leaf(10), parents);
    const unmerged = (tree: RatchetTree, index: number): readonly number[] | undefined => {
      // A node number of the test's own.
      const slot = tree.slotAt(index as NodeIndex);
      return slot?.kind === "parent" ? slot.value?.unmergedLeaves : undefined;
    };
    // A blank leaf under parents that are set, as another member's path over a smaller group leaves it.
    const holes = RatchetTree.fromNodes(set.toNodes().map((node, index) => (index === 2 || index === 4 ? undefined : node)));
    const first = holes.add(leaf(20));
    expect(first.leafIndex).toBe(1);
    const second = first.tree.add(leaf(21));
    expect(second.leafIndex).toBe(2);
    expect([unmerged(second.tree, 1), unmerged(second.tree, 3), unmerged(second.tree, 5)]).toEqual([[1], [1, 2], undefined]);
    expect([unmerged(first.tree, 1), unmerged(first.tree, 3)]).toEqual([[1], [1]]);
    expect(unmerged(second.tree.remove(toLeafIndex(1)), 3)).toBeUndefined();
    const wider = second.tree.add(leaf(22));
    expect([wider.leafIndex, wider.tree.leafCount, unmerged(wider.tree, 3)]).toEqual([4, 8, [1, 2]]);
  });

  it("shares what did not change, and remembers hashes rightly", () => {
    const before = treeOf(64);
    const hash = before.treeHash(suite);
    const after = before.update(toLeafIndex(3), leaf(200));
    const [top, changed] = [before.top, after.top];
    if (top.kind !== "parent" || changed.kind !== "parent") throw new Error("a tree of many");
    expect(changed.right).toBe(top.right);
    expect(changed.left).not.toBe(top.left);
    expect(after.treeHash(suite)).toEqual(freshHash(after));
    expect(before.treeHash(suite)).toEqual(hash);
    expect(freshHash(before)).toEqual(hash);
  });

  it("finds keys used twice, also when only the change is looked at", () => {
    const before = treeOf(9);
    before.requireUniqueKeys(suite);
    for (const twice of [
      leaf(3),
      { ...leaf(50), signatureKey: leaf(3).signatureKey },
      { ...leaf(50), encryptionKey: leaf(3).encryptionKey },
    ]) {
      const { tree } = before.add(twice);
      expect(() => tree.requireUniqueKeys(suite, before)).toThrow(MlsError);
      expect(() => before.add(twice).tree.requireUniqueKeys(suite)).toThrow(MlsError);
    }
    // A key may come back once its leaf is gone, in the same step.
    const swapped = before.remove(toLeafIndex(3)).add(leaf(3)).tree;
    swapped.requireUniqueKeys(suite, before);
    expect(swapped.hasEncryptionKey(suite, leaf(3).encryptionKey)).toBe(true);
    const smaller = before.remove(toLeafIndex(8));
    smaller.requireUniqueKeys(suite, before);
    expect(smaller.hasEncryptionKey(suite, leaf(8).encryptionKey)).toBe(false);
    expect(smaller.hasEncryptionKey(suite, leaf(7).encryptionKey)).toBe(true);
  });

  it("refuses encodings that cannot be a tree", () => {
    const node = (value: LeafNode): NodeValue => ({ kind: "leaf", leafNode: value });
    const above = (value: ParentNode): NodeValue => ({ kind: "parent", parentNode: value });
    const bad: (NodeValue | undefined)[][] = [
      [],
      [undefined],
      [node(leaf(0)), undefined, undefined],
      [above(parentNode(0))],
      [node(leaf(0)), node(leaf(1))],
      [node(leaf(0)), above(parentNode(1))],
      [node(leaf(0)), undefined, node(leaf(1)), above(parentNode(1))],
    ];
    for (const nodes of bad) expect(() => decodeTree(encode(ratchetTreeNodes, nodes))).toThrow(MlsError);
    const good = encodeTree(treeOf(5));
    for (let size = 0; size < good.length; size++) expect(() => decodeTree(good.subarray(0, size))).toThrow(MlsError);
    expect(() => decodeTree(concatBytes(good, Uint8Array.of(0)))).toThrow(MlsError);
  });

  it("refuses parent nodes whose unmerged leaves or hashes are wrong", () => {
    const base = treeOf(4);
    const cases: [string, Map<NodeIndex, ParentNode>][] = [
      ["out of order", new Map([[3 as NodeIndex, parentNode(3, [2, 1])]])],
      ["twice", new Map([[3 as NodeIndex, parentNode(3, [1, 1])]])],
      ["not below", new Map([[1 as NodeIndex, parentNode(1, [3])]])],
      ["beyond the tree", new Map([[3 as NodeIndex, parentNode(3, [9])]])],
      [
        "not listed between",
        new Map([
          [1 as NodeIndex, parentNode(1)],
          [3 as NodeIndex, parentNode(3, [1])],
        ]),
      ],
      ["no parent hash below", new Map([[3 as NodeIndex, parentNode(3)]])],
    ];
    for (const [what, parents] of cases) {
      expect(() => verifyParentNodes(suite, base.withPath(toLeafIndex(0), leaf(0), parents)), what).toThrow(MlsError);
    }
    verifyParentNodes(suite, base);
  });
});
