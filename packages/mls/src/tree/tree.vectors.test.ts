import { decode, encode, equalBytes, fromHex, toHex } from "@latchkey/codec";
import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../crypto/node.ts";
import type { CipherSuite } from "../crypto/suite.ts";
import { groupContext } from "../messages/group-context.ts";
import { proposal, updatePath } from "../messages/proposals.ts";
import { loadVectors } from "../vectors.testing.ts";
import { verifyLeaf } from "./leaf-validation.ts";
import { verifyParentNodes } from "./parent-hash.ts";
import { decodeTree, encodeTree } from "./ratchet-tree.ts";
import { left, leafToNode, nodeCount, parent, right, root, sibling, toLeafIndex } from "./tree-math.ts";
import type { NodeIndex } from "./tree-math.ts";
import { createUpdatePath, decryptUpdatePath, mergeUpdatePath, pathKeyPair } from "./tree-kem.ts";

/** The provider's suite of that number, if it offers it. */
function suiteOf(id: number): CipherSuite | undefined {
  const offered = nodeCrypto.suites.find((candidate) => candidate === id);
  return offered === undefined ? undefined : nodeCrypto.suite(offered);
}

interface TreeMathVector {
  n_leaves: number;
  n_nodes: number;
  root: number;
  left: (number | null)[];
  right: (number | null)[];
  parent: (number | null)[];
  sibling: (number | null)[];
}

const mathVectors = loadVectors<TreeMathVector>("tree-math");
describe.skipIf(mathVectors === undefined)("tree-math", () => {
  it("places every node as the vectors do", () => {
    expect(mathVectors?.length).toBeGreaterThan(0);
    for (const vector of mathVectors ?? []) {
      const count = vector.n_leaves;
      expect(nodeCount(count)).toBe(vector.n_nodes);
      expect(root(count)).toBe(vector.root);
      for (let i = 0; i < vector.n_nodes; i++) {
        // Node numbers below n_nodes, by the loop.
        const node = i as NodeIndex;
        expect(left(node) ?? null).toBe(vector.left[i]);
        expect(right(node) ?? null).toBe(vector.right[i]);
        expect(parent(node, count) ?? null).toBe(vector.parent[i]);
        expect(sibling(node, count) ?? null).toBe(vector.sibling[i]);
      }
    }
  });
});

interface TreeOperationVector {
  cipher_suite: number;
  tree_before: string;
  proposal: string;
  proposal_sender: number;
  tree_hash_before: string;
  tree_after: string;
  tree_hash_after: string;
}

const operationVectors = loadVectors<TreeOperationVector>("tree-operations");
describe.skipIf(operationVectors === undefined)("tree-operations", () => {
  for (const [i, vector] of (operationVectors ?? []).entries()) {
    const suite = suiteOf(vector.cipher_suite);
    it.skipIf(suite === undefined)(`case ${i}, suite ${vector.cipher_suite}`, () => {
      if (suite === undefined) return;
      const before = decodeTree(fromHex(vector.tree_before));
      expect(toHex(before.treeHash(suite))).toBe(vector.tree_hash_before);
      expect(toHex(encodeTree(before))).toBe(vector.tree_before);
      const change = decode(proposal, fromHex(vector.proposal));
      const after =
        change.kind === "add"
          ? before.add(change.keyPackage.leafNode).tree
          : change.kind === "remove"
            ? before.remove(change.removed)
            : change.kind === "update"
              ? before.update(toLeafIndex(vector.proposal_sender), change.leafNode)
              : before;
      expect(toHex(encodeTree(after))).toBe(vector.tree_after);
      expect(toHex(after.treeHash(suite))).toBe(vector.tree_hash_after);
      expect(toHex(encodeTree(before))).toBe(vector.tree_before);
    });
  }
});

interface TreeValidationVector {
  cipher_suite: number;
  tree: string;
  group_id: string;
  resolutions: number[][];
  tree_hashes: string[];
}

const validationVectors = loadVectors<TreeValidationVector>("tree-validation");
describe.skipIf(validationVectors === undefined)("tree-validation", () => {
  for (const [i, vector] of (validationVectors ?? []).entries()) {
    const suite = suiteOf(vector.cipher_suite);
    it.skipIf(suite === undefined)(`case ${i}, suite ${vector.cipher_suite}`, async () => {
      if (suite === undefined) return;
      const tree = decodeTree(fromHex(vector.tree));
      expect(nodeCount(tree.leafCount)).toBe(vector.resolutions.length);
      for (let index = 0; index < vector.resolutions.length; index++) {
        // A node number below the count, by the loop.
        const slot = tree.slotAt(index as NodeIndex);
        if (slot === undefined) throw new Error("a node within the tree");
        expect(tree.resolution(slot).map((node) => node.index)).toEqual(vector.resolutions[index]);
        expect(toHex(slot.treeHash(suite))).toBe(vector.tree_hashes[index]);
      }
      verifyParentNodes(suite, tree);
      tree.requireUniqueKeys(suite);
      for (const { leafIndex, leafNode } of tree.members()) {
        await verifyLeaf({
          suite,
          leaf: leafNode,
          sources: ["key-package", "update", "commit"],
          position: { groupId: fromHex(vector.group_id), leafIndex },
          groupExtensions: [],
        });
      }
    });
  }
});

interface TreeKemVector {
  cipher_suite: number;
  group_id: string;
  epoch: number;
  confirmed_transcript_hash: string;
  ratchet_tree: string;
  leaves_private: {
    index: number;
    encryption_priv: string;
    signature_priv: string;
    path_secrets: { node: number; path_secret: string }[];
  }[];
  update_paths: { sender: number; update_path: string; path_secrets: (string | null)[]; commit_secret: string; tree_hash_after: string }[];
}

const kemVectors = loadVectors<TreeKemVector>("treekem");
describe.skipIf(kemVectors === undefined)("treekem", () => {
  for (const [i, vector] of (kemVectors ?? []).entries()) {
    const suite = suiteOf(vector.cipher_suite);
    it.skipIf(suite === undefined)(`case ${i}, suite ${vector.cipher_suite}`, { timeout: 120_000 }, async () => {
      if (suite === undefined) return;
      const tree = decodeTree(fromHex(vector.ratchet_tree));
      const contextFor = (treeHash: Uint8Array): Uint8Array =>
        encode(groupContext, {
          version: 1,
          cipherSuite: suite.id,
          groupId: fromHex(vector.group_id),
          epoch: BigInt(vector.epoch),
          treeHash,
          confirmedTranscriptHash: fromHex(vector.confirmed_transcript_hash),
          extensions: [],
        });
      const keysOf = new Map<number, Map<NodeIndex, Uint8Array>>();
      for (const held of vector.leaves_private) {
        const keys = new Map<NodeIndex, Uint8Array>([[leafToNode(toLeafIndex(held.index)), fromHex(held.encryption_priv)]]);
        for (const { node, path_secret } of held.path_secrets) {
          const pair = await pathKeyPair(suite, fromHex(path_secret));
          // Node numbers are the vector's own.
          const index = node as NodeIndex;
          expect(tree.slotAt(index)?.value?.encryptionKey).toEqual(pair.publicKey);
          keys.set(index, pair.secretKey);
        }
        keysOf.set(held.index, keys);
      }
      const added = new Set<never>();
      for (const update of vector.update_paths) {
        const sender = toLeafIndex(update.sender);
        const path = decode(updatePath, fromHex(update.update_path));
        const merged = mergeUpdatePath({ suite, tree, sender, path, added });
        expect(toHex(merged.treeHash(suite))).toBe(update.tree_hash_after);
        const context = contextFor(merged.treeHash(suite));
        const own = tree.leafAt(sender);
        const signer = vector.leaves_private.find((held) => held.index === update.sender);
        if (own === undefined || signer === undefined) throw new Error("a sender in the tree");
        let seed = 0;
        const fresh = await createUpdatePath({
          suite,
          tree,
          sender,
          leaf: own,
          groupId: fromHex(vector.group_id),
          signatureSecretKey: fromHex(signer.signature_priv),
          added,
          contextFor,
          random: (size) => suite.expand(suite.hash(Uint8Array.of(seed++)), new Uint8Array(0), size),
        });
        expect(
          equalBytes(mergeUpdatePath({ suite, tree, sender, path: fresh.path, added }).treeHash(suite), fresh.tree.treeHash(suite)),
        ).toBe(true);
        for (const { leafIndex } of tree.members()) {
          if (leafIndex === update.sender) continue;
          const privateKeys = keysOf.get(leafIndex);
          if (privateKeys === undefined) throw new Error("keys of each member");
          const receiver = { suite, tree, sender, own: leafIndex, privateKeys, added };
          const received = await decryptUpdatePath({ ...receiver, path, context });
          expect(toHex(received.pathSecret)).toBe(update.path_secrets[leafIndex]);
          expect(toHex(received.commitSecret)).toBe(update.commit_secret);
          const again = await decryptUpdatePath({ ...receiver, path: fresh.path, context: contextFor(fresh.tree.treeHash(suite)) });
          expect(again.commitSecret).toEqual(fresh.commitSecret);
        }
      }
    });
  }
});
