import { compareBytes, decode, encode, toHex } from "@latchkey/codec";
import { sha256 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  addSortedPart,
  buildMap,
  emptyHash,
  emptySortedMap,
  finishSortedMap,
  memoryNodes,
  proveInPart,
  proveIndex,
  sortedMapStateCodec,
  verifyMapProof,
} from "../index.ts";
import type { MapLeaf, MapNode, MapProof } from "../index.ts";

/** Indices that share long prefixes often. */
const arbitraryIndex = fc.tuple(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(60), fc.boolean()).map(([first, seed, isClose]) => {
  const index = isClose ? new Uint8Array(32) : sha256(Uint8Array.of(seed));
  index[0] = first;
  if (isClose) index[seed % 32] = seed;
  return index;
});
const arbitraryLeaves = fc
  .uniqueArray(arbitraryIndex, { maxLength: 60, selector: toHex })
  .map((indices) =>
    indices.map((index, at): MapLeaf => ({ index, version: at, chain: sha256(index) })).toSorted((a, b) => compareBytes(a.index, b.index)),
  );

interface Built {
  readonly root: Uint8Array;
  readonly nodes: ReadonlyMap<string, MapNode>;
  readonly parts: readonly (readonly MapLeaf[])[];
}

/** Built part by part, with a restart between any two of them. */
function build(leaves: readonly MapLeaf[], sizes: readonly number[]): Built {
  const nodes = new Map<string, MapNode>();
  const parts: MapLeaf[][] = [];
  let state = emptySortedMap;
  for (let at = 0, turn = 0; at < leaves.length; turn++) {
    const part = leaves.slice(at, at + (sizes[turn % sizes.length] ?? 1));
    at += part.length;
    const next = addSortedPart(decode(sortedMapStateCodec, encode(sortedMapStateCodec, state)), part);
    for (const { hash, node } of next.added) nodes.set(toHex(hash), node);
    state = next.state;
    parts.push(part);
  }
  const { root, added } = finishSortedMap(state);
  for (const { hash, node } of added) nodes.set(toHex(hash), node);
  return { root, nodes, parts };
}

/** As a server proves it: from the root along the nodes that are kept, then within the part. */
function prove({ root, nodes, parts }: Built, index: Uint8Array): MapProof | undefined {
  const siblings: (Uint8Array | undefined)[] = [];
  let at = root;
  for (;;) {
    const node = nodes.get(toHex(at));
    if (node?.kind !== "inner") break;
    const isRight = ((index[siblings.length >> 3] ?? 0) >> (7 - (siblings.length & 7))) & 1;
    const sibling = isRight ? node.left : node.right;
    siblings.push(compareBytes(sibling, emptyHash) === 0 ? undefined : sibling);
    at = isRight ? node.right : node.left;
  }
  const part = parts.findLast(([first]) => first !== undefined && compareBytes(first.index, index) <= 0);
  const end = proveInPart({ leaves: part ?? [], index, depth: siblings.length });
  return end === undefined ? undefined : { siblings: [...siblings, ...end.siblings], terminal: { kind: "leaf" } };
}

test("[L-11] a map that is built from sorted parts has the root and the paths of one that is built at once, whatever the parts", () => {
  fc.assert(
    fc.property(arbitraryLeaves, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }), (leaves, sizes) => {
      const whole = buildMap(leaves);
      const nodes = memoryNodes();
      nodes.add(whole.added);
      const built = build(leaves, sizes);
      expect(toHex(built.root)).toBe(toHex(whole.root));
      for (const leaf of leaves) {
        const { index } = leaf;
        const proof = prove(built, index);
        expect(proof).toEqual(proveIndex({ root: whole.root, index, read: nodes.read }));
        if (proof !== undefined) verifyMapProof({ root: built.root, index, proof, leaf });
      }
      const absent = sha256(Uint8Array.of(1, 2, 3));
      expect(prove(built, absent)).toBeUndefined();
    }),
  );
});

test("of a large map few nodes are kept, and one path while it is built", () => {
  const leaves = Array.from({ length: 4096 }, (_, at): MapLeaf => {
    const index = sha256(new Uint8Array(new Uint32Array([at]).buffer));
    return { index, version: 1, chain: index };
  }).toSorted((a, b) => compareBytes(a.index, b.index));
  const { nodes, root } = build(leaves, [32]);
  expect(nodes.size).toBeLessThan(leaves.length / 3);
  expect(toHex(root)).toBe(toHex(buildMap(leaves).root));
  let state = emptySortedMap;
  let longest = 0;
  for (const leaf of leaves) {
    ({ state } = addSortedPart(state, [leaf]));
    longest = Math.max(longest, encode(sortedMapStateCodec, state).length);
  }
  expect(longest).toBeLessThan(2048);
});

test("leaves that are out of order, or come twice, are refused", () => {
  const leaf = (first: number): MapLeaf => ({ index: new Uint8Array(32).fill(first), version: 1, chain: emptyHash });
  const { state } = addSortedPart(emptySortedMap, [leaf(1), leaf(5)]);
  for (const first of [1, 4, 5]) expect(() => addSortedPart(state, [leaf(first)])).toThrow(expect.objectContaining({ code: "malformed" }));
});
