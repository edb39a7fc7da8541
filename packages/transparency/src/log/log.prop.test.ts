import { concatBytes, toHex, utf8Bytes } from "@latchkey/codec";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  consistencySubtrees,
  emptyRoot,
  foldSubtrees,
  inclusionSubtrees,
  IncrementalTree,
  leafHash,
  newHashes,
  newTiles,
  nodeHash,
  proveConsistency,
  proveInclusion,
  rootAt,
  tileBytes,
  tileHashReader,
  tilePath,
  TransparencyError,
  verifyConsistency,
  verifyInclusion,
} from "../index.ts";
import type { HashReader, SubtreeId } from "../index.ts";

const maxSize = 600;
const leaves = Array.from({ length: maxSize }, (_, i) => leafHash(utf8Bytes(`entry ${i}`)));
const leafAt = (index: number): Uint8Array => leaves[index] ?? emptyRoot();

/** MTH of RFC 6962 section 2.1, word for word. */
function definition(part: readonly Uint8Array[]): Uint8Array {
  const [first] = part;
  if (first === undefined) return emptyRoot();
  if (part.length === 1) return first;
  let k = 1;
  while (k * 2 < part.length) k *= 2;
  return nodeHash(definition(part.slice(0, k)), definition(part.slice(k)));
}

const stored = new Map<string, Uint8Array>();
/** Sees what a log of `size` entries stores, and throws for anything else. */
const readerAt =
  (size: number): HashReader =>
  async (ids) =>
    ids.map(({ level, index }) => {
      const hash = stored.get(`${level}/${index}`);
      if (hash === undefined || (index + 1) * 2 ** level > size) throw new Error("a hash that the log does not have was asked for");
      return hash;
    });

for (let size = 0; size < maxSize; size++) {
  for (const { level, index, hash } of await newHashes(size, leafAt(size), readerAt(size))) stored.set(`${level}/${index}`, hash);
}
const roots = Array.from({ length: maxSize + 1 }, (_, size) => definition(leaves.slice(0, size)));
const rootOf = (size: number): Uint8Array => roots[size] ?? emptyRoot();

const sizes = fc.integer({ min: 1, max: maxSize });

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

describe("a log's hashes are the definition's", () => {
  it("stored, incremental and recomputed roots agree at every size", async () => {
    const tree = new IncrementalTree();
    for (let size = 0; size <= maxSize; size++) {
      expect(toHex(tree.root())).toBe(toHex(rootOf(size)));
      expect(tree.size).toBe(size);
      if (size % 7 === 0) expect(toHex(await rootAt(size, readerAt(size)))).toBe(toHex(rootOf(size)));
      tree.append(leafAt(size));
    }
    expect(stored.size).toBeLessThan(2 * maxSize);
  });

  it("a kept right edge continues", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: maxSize - 1 }), fc.integer({ min: 0, max: 40 }), (size, more) => {
        const tree = new IncrementalTree();
        for (const leaf of leaves.slice(0, size)) tree.append(leaf);
        const continued = IncrementalTree.from({ size: tree.size, rightEdge: tree.rightEdge });
        const end = Math.min(size + more, maxSize);
        for (const leaf of leaves.slice(size, end)) continued.append(leaf);
        expect(continued.root()).toEqual(rootOf(end));
      }),
      { numRuns: 40 },
    );
  });

  it("a right edge that does not fit is refused", () => {
    for (const [size, hashes] of [
      [0, 1],
      [3, 1],
      [4, 2],
      [-1, 0],
      [1.5, 1],
    ] as const) {
      expect(() => IncrementalTree.from({ size, rightEdge: leaves.slice(0, hashes) })).toThrow(TransparencyError);
    }
    expect(() => IncrementalTree.from({ size: 1, rightEdge: [new Uint8Array(31)] })).toThrow(TransparencyError);
  });
});

describe("proofs of the prover verify, and no others", () => {
  it("inclusion, and every flipped bit, wrong place or length is refused", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), fc.nat(), async (size, at, noise) => {
        const index = at % size;
        const proof = await proveInclusion(index, size, readerAt(size));
        const good = { index, size, leafHash: leafAt(index), proof, root: rootOf(size) };
        expect(() => verifyInclusion(good)).not.toThrow();
        const bad = [
          { ...good, leafHash: flip(good.leafHash, noise % 256) },
          { ...good, root: flip(good.root, noise % 256) },
          { ...good, proof: [...proof, good.root] },
          { ...good, proof: [good.root, ...proof] },
          { ...good, index: size },
          { ...good, index: index + 0.5 },
          ...(size > 1
            ? [
                { ...good, index: (index + 1) % size },
                { ...good, proof: proof.slice(1) },
                { ...good, proof: proof.slice(0, -1) },
              ]
            : []),
          ...proof.map((hash, i) => ({ ...good, proof: proof.with(i, flip(hash, (noise + i) % 256)) })),
        ];
        for (const wrong of bad) expect(() => verifyInclusion(wrong)).toThrow(TransparencyError);
      }),
      { numRuns: 100 },
    );
  });

  it("consistency, and every flipped bit, wrong size or length is refused", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), fc.nat(), async (to, at, noise) => {
        const from = at % (to + 1);
        const proof = await proveConsistency(from, to, readerAt(to));
        const good = { from, to, fromRoot: rootOf(from), toRoot: rootOf(to), proof };
        expect(() => verifyConsistency(good)).not.toThrow();
        const bad = [
          { ...good, fromRoot: flip(good.fromRoot, noise % 256) },
          // Every tree continues the empty one: nothing else binds its root.
          ...(from === 0 ? [] : [{ ...good, toRoot: flip(good.toRoot, noise % 256) }]),
          { ...good, proof: [...proof, good.toRoot] },
          { ...good, proof: [good.toRoot, ...proof] },
          { ...good, from: to + 1 },
          ...(proof.length > 0
            ? [
                { ...good, proof: proof.slice(1) },
                { ...good, proof: proof.slice(0, -1) },
                { ...good, proof: [] },
              ]
            : []),
          ...proof.map((hash, i) => ({ ...good, proof: proof.with(i, flip(hash, (noise + i) % 256)) })),
        ];
        for (const wrong of bad) expect(() => verifyConsistency(wrong)).toThrow(TransparencyError);
      }),
      { numRuns: 100 },
    );
  });

  it("are the same where hashes are read one by one, at once", async () => {
    for (let size = 1; size < 70; size++) {
      const hashOf = ({ level, index }: SubtreeId): Uint8Array => stored.get(`${level}/${index}`) ?? emptyRoot();
      for (const at of [0, size >> 1, size - 1]) {
        expect(foldSubtrees(inclusionSubtrees(at, size), hashOf)).toEqual(await proveInclusion(at, size, readerAt(size)));
        expect(foldSubtrees(consistencySubtrees(at, size), hashOf)).toEqual(await proveConsistency(at, size, readerAt(size)));
      }
    }
  });

  it("refuses to prove what is not there", async () => {
    await expect(proveInclusion(5, 5, readerAt(5))).rejects.toThrow(TransparencyError);
    await expect(proveConsistency(6, 5, readerAt(6))).rejects.toThrow(TransparencyError);
    await expect(proveInclusion(1, 5, async () => [])).rejects.toThrow(TransparencyError);
    await expect(rootAt(-1, readerAt(0))).rejects.toThrow(TransparencyError);
  });
});

describe("tiles carry the whole tree", () => {
  it("proofs made from published tiles alone verify, whatever the steps of publication", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(sizes, { minLength: 1, maxLength: 5 }), fc.nat(), async (steps, at) => {
        const published = new Map<string, Uint8Array>();
        let from = 0;
        for (const to of steps.toSorted((a, b) => a - b)) {
          for (const tile of newTiles(from, to)) {
            const path = tilePath(tile.level, tile.index, tile.width);
            expect(published.has(path)).toBe(false);
            published.set(path, await tileBytes(tile, readerAt(to)));
          }
          const reader = tileHashReader(to, async (tile) => published.get(tilePath(tile.level, tile.index, tile.width)) ?? concatBytes());
          const index = at % to;
          verifyInclusion({ index, size: to, leafHash: leafAt(index), proof: await proveInclusion(index, to, reader), root: rootOf(to) });
          verifyConsistency({ from, to, fromRoot: rootOf(from), toRoot: rootOf(to), proof: await proveConsistency(from, to, reader) });
          expect(await rootAt(to, reader)).toEqual(rootOf(to));
          from = to;
        }
      }),
      { numRuns: 40 },
    );
  });
});
