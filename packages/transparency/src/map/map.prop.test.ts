import { decode, encode, equalBytes, toHex } from "@latchkey/codec";
import { sha256 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  TransparencyError,
  buildMap,
  chainOf,
  decodeTransition,
  emptyHash,
  encodeTransition,
  findLeaf,
  leafNodeHash,
  mapProofCodec,
  memoryNodes,
  proveIndex,
  transitionShape,
  updateMap,
  verifyMapProof,
  verifyTransition,
} from "../index.ts";
import type { MapChange, MapUpdate, MemoryNodes, Transition, TransparencyErrorCode } from "../index.ts";

/** Indices that share long prefixes often: the first byte of few, the rest a hash or zeros. */
const arbitraryIndex = fc.tuple(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(40), fc.boolean()).map(([first, seed, isClose]) => {
  const index = isClose ? new Uint8Array(32) : sha256(Uint8Array.of(seed));
  index[0] = first;
  if (isClose) index[20] = seed;
  return index;
});
const arbitraryBatch = fc.uniqueArray(fc.record({ index: arbitraryIndex, values: fc.integer({ min: 1, max: 3 }) }), {
  minLength: 1,
  maxLength: 25,
  selector: ({ index }) => toHex(index),
});
const arbitraryBatches = fc.array(arbitraryBatch, { minLength: 1, maxLength: 6 });

interface Model {
  nodes: MemoryNodes;
  root: Uint8Array;
  readonly leaves: Map<string, { index: Uint8Array; version: number; chain: Uint8Array }>;
}

const emptyModel = (): Model => ({ nodes: memoryNodes(), root: emptyHash, leaves: new Map() });

function apply(model: Model, batch: readonly { index: Uint8Array; values: number }[]): { update: MapUpdate; before: Uint8Array } {
  const changes: MapChange[] = batch.map(({ index, values }) => ({
    index,
    commitments: Array.from({ length: values }, (_, i) => sha256(Uint8Array.of(model.leaves.size, i, ...index))),
  }));
  const before = model.root;
  const update = updateMap({ root: before, changes, read: model.nodes.read });
  for (const { index, commitments } of changes) {
    const leaf = model.leaves.get(toHex(index)) ?? { index, version: 0, chain: emptyHash };
    model.leaves.set(toHex(index), {
      index,
      version: leaf.version + commitments.length,
      chain: commitments.reduce((chain, commitment) => chainOf(chain, commitment), leaf.chain),
    });
  }
  model.nodes.add(update.added);
  model.root = update.root;
  return { update, before };
}

function refusal(action: () => unknown): TransparencyErrorCode | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof TransparencyError) return error.code;
    throw error;
  }
  return undefined;
}

describe("the map of labels", () => {
  test("[D-1] a map that grew in batches is the map that is built at once, and keeps the nodes of its own tree only", () => {
    fc.assert(
      fc.property(arbitraryBatches, (batches) => {
        const model = emptyModel();
        for (const batch of batches) {
          const { update } = apply(model, batch);
          model.nodes.remove(update.obsolete);
        }
        const whole = buildMap([...model.leaves.values()]);
        expect(toHex(model.root)).toBe(toHex(whole.root));
        expect(model.nodes.count).toBe(whole.added.length);
      }),
    );
  });

  test("[D-1] every label of the map is proved, every other is proved to be absent, and neither passes for the other", () => {
    fc.assert(
      fc.property(arbitraryBatches, fc.array(arbitraryIndex, { maxLength: 10 }), (batches, others) => {
        const model = emptyModel();
        for (const batch of batches) apply(model, batch);
        const { root, nodes } = model;
        for (const { index, version, chain } of model.leaves.values()) {
          const proof = decode(mapProofCodec, encode(mapProofCodec, proveIndex({ root, index, read: nodes.read })));
          verifyMapProof({ root, index, proof, leaf: { version, chain } });
          expect(findLeaf({ root, index, read: nodes.read })).toMatchObject({ version, chain });
          expect(refusal(() => verifyMapProof({ root, index, proof, leaf: undefined }))).toBe("proof");
          expect(refusal(() => verifyMapProof({ root, index, proof, leaf: { version: version + 1, chain } }))).toBe("proof");
          expect(refusal(() => verifyMapProof({ root, index, proof, leaf: { version, chain: sha256(chain) } }))).toBe("proof");
        }
        for (const index of others) {
          if (model.leaves.has(toHex(index))) continue;
          const proof = proveIndex({ root, index, read: nodes.read });
          verifyMapProof({ root, index, proof, leaf: undefined });
          expect(findLeaf({ root, index, read: nodes.read })).toBeUndefined();
          expect(refusal(() => verifyMapProof({ root, index, proof, leaf: { version: 1, chain: emptyHash } }))).toBe("proof");
        }
      }),
      { numRuns: 40 },
    );
  });

  test("[D-1] a proof with any byte changed is refused", () => {
    const model = emptyModel();
    apply(
      model,
      Array.from({ length: 40 }, (_, i) => ({ index: sha256(Uint8Array.of(i)), values: 1 })),
    );
    const { root } = model;
    const present = [...model.leaves.values()][7];
    if (present === undefined) throw new Error("the map has 40 leaves");
    const absent = sha256(Uint8Array.of(200));
    const cases = [
      { index: present.index, leaf: present },
      { index: absent, leaf: undefined },
    ];
    for (const { index, leaf } of cases) {
      const bytes = encode(mapProofCodec, proveIndex({ root, index, read: model.nodes.read }));
      for (let at = 0; at < bytes.length; at++) {
        for (const bit of [1, 0x80]) {
          const changed = bytes.slice();
          changed[at] = (changed[at] ?? 0) ^ bit;
          expect(() => verifyMapProof({ root, index, proof: decode(mapProofCodec, changed), leaf }), `byte ${at}`).toThrow(/./);
        }
      }
    }
  });

  test("[D-1] the leaf of another label stands for an absence only on the path to the label", () => {
    const model = emptyModel();
    apply(
      model,
      Array.from({ length: 8 }, (_, i) => ({ index: sha256(Uint8Array.of(i)), values: 1 })),
    );
    const [victim, ...others] = [...model.leaves.values()];
    if (victim === undefined) throw new Error("the map has 8 leaves");
    for (const other of others) {
      const honest = proveIndex({ root: model.root, index: other.index, read: model.nodes.read });
      const proof = { siblings: honest.siblings, terminal: { kind: "other" as const, ...other } };
      expect(refusal(() => verifyMapProof({ root: model.root, index: victim.index, proof, leaf: undefined }))).toBe("proof");
    }
  });
});

describe("transitions of the map", () => {
  test("[D-3] every batch has a transition that leads from the root before to the root after", () => {
    fc.assert(
      fc.property(arbitraryBatches, (batches) => {
        const model = emptyModel();
        for (const batch of batches) {
          const had = model.leaves.size;
          const { update, before } = apply(model, batch);
          const transition = decodeTransition(encodeTransition(update.transition));
          expect(verifyTransition({ oldRoot: before, newRoot: update.root, transition })).toEqual({
            changed: batch.length,
            added: model.leaves.size - had,
          });
          expect(update.newLeaves).toBe(model.leaves.size - had);
        }
      }),
    );
  });

  test("[D-3] a transition with any byte changed is refused", () => {
    const { transition, oldRoot, newRoot } = example();
    const bytes = encodeTransition(transition);
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      // Its extensions say nothing of the map: the entry's hash of the transition covers them.
      if (at === bytes.length - 1) continue;
      const code = refusal(() => verifyTransition({ oldRoot, newRoot, transition: decodeTransition(changed) }));
      expect(code, `byte ${at}`).toMatch(/^(malformed|proof)$/);
    }
  });

  test("[D-3] a rewound chain, a deleted leaf, a changed neighbour and an overwritten leaf are refused", () => {
    const { model, transition, oldRoot, index } = example();
    const own = model.leaves.get(toHex(index));
    if (own === undefined) throw new Error("the example changed this leaf");
    const at = transition.leaves.findIndex((leaf) => equalBytes(leaf.index, index));
    const commitment = sha256(Uint8Array.of(99));
    const withLeaf = (change: object): Transition => ({
      ...transition,
      leaves: transition.leaves.map((leaf, i) => (i === at ? { ...leaf, ...change } : leaf)),
    });
    const leaves = [...model.leaves.values()];
    const others = leaves.filter((leaf) => !equalBytes(leaf.index, index));
    const treeWith = (leaf: { version: number; chain: Uint8Array }): Uint8Array => buildMap([...others, { index, ...leaf }]).root;
    // Rewound: one value, as if the label had had none.
    const rewound = { oldVersion: 0, oldChain: emptyHash, commitments: [commitment] };
    const rewoundRoot = treeWith({ version: 1, chain: chainOf(emptyHash, commitment) });
    expect(refusal(() => verifyTransition({ oldRoot, newRoot: rewoundRoot, transition: withLeaf(rewound) }))).toBe("proof");
    // A value replaced: the version before, with another end.
    const replacedRoot = treeWith({ version: own.version, chain: chainOf(emptyHash, commitment) });
    const replaced = { oldVersion: own.version - 1, oldChain: emptyHash, commitments: [commitment] };
    expect(refusal(() => verifyTransition({ oldRoot, newRoot: replacedRoot, transition: withLeaf(replaced) }))).toBe("proof");
    // Deleted: another leaf is no longer in the new tree.
    const deletedRoot = buildMap(leaves.slice(1)).root;
    expect(refusal(() => verifyTransition({ oldRoot, newRoot: deletedRoot, transition }))).toBe("proof");
    // A neighbour changed without saying so: its sibling hash is that of the new tree.
    const siblings = transition.siblings.map((sibling, i) => (i === 0 ? sha256(sibling) : sibling));
    expect(refusal(() => verifyTransition({ oldRoot, newRoot: model.root, transition: { ...transition, siblings } }))).toBe("proof");
  });

  test("[D-3] a transition whose shape and leaves do not fit is malformed", () => {
    const { transition, oldRoot, newRoot } = example();
    const code = (change: Partial<Transition>): TransparencyErrorCode | undefined =>
      refusal(() => verifyTransition({ oldRoot, newRoot, transition: { ...transition, ...change } }));
    const extra = { index: sha256(Uint8Array.of(77)), oldVersion: 0, oldChain: emptyHash, commitments: [emptyHash] };
    expect(code({ leaves: transition.leaves.slice(1) })).toBe("malformed");
    expect(code({ leaves: [...transition.leaves, extra] })).toBe("malformed");
    expect(code({ leaves: transition.leaves.toReversed() })).toBe("malformed");
    expect(code({ siblings: transition.siblings.slice(1) })).toBe("malformed");
    expect(code({ siblings: [...transition.siblings, emptyHash] })).toBe("malformed");
    expect(code({ siblings: transition.siblings.map(() => emptyHash) })).toBe("malformed");
    expect(code({ shape: transition.shape.slice(0, -1) })).toBe("malformed");
    expect(code({ shape: Uint8Array.of(...transition.shape, transitionShape.empty ?? 1) })).toBe("malformed");
    expect(code({ shape: Uint8Array.of(9) })).toBe("malformed");
    expect(code({ shape: new Uint8Array(300).fill(transitionShape.inner ?? 3) })).toBe("malformed");
    expect(code({ leaves: transition.leaves.map((leaf) => ({ ...leaf, oldVersion: 0 })) })).toBe("malformed");
    expect(code({ leaves: transition.leaves.map((leaf) => ({ ...leaf, commitments: [] })) })).toBe("malformed");
  });

  test("[D-3] a lone leaf below its shortest prefix is malformed, though the roots fit", () => {
    const index = new Uint8Array(32);
    const commitment = sha256(index);
    const leaf = leafNodeHash({ index, version: 1, chain: chainOf(emptyHash, commitment) });
    const deep = sha256(Uint8Array.of(0x03, ...leaf, ...emptyHash));
    const leaves = [{ index, oldVersion: 0, oldChain: emptyHash, commitments: [commitment] }];
    const common = { format: 1 as const, leaves, siblings: [], ext: new Uint8Array(0) };
    expect(verifyTransition({ oldRoot: emptyHash, newRoot: leaf, transition: { ...common, shape: Uint8Array.of(2) } }).added).toBe(1);
    const lonely = { ...common, shape: Uint8Array.of(3, 2, 1) };
    expect(refusal(() => verifyTransition({ oldRoot: emptyHash, newRoot: deep, transition: lonely }))).toBe("malformed");
  });

  test("an update without a change, with a label twice or with other sizes is refused", () => {
    const { read } = memoryNodes();
    const index = new Uint8Array(32);
    const code = (changes: readonly MapChange[]): TransparencyErrorCode | undefined =>
      refusal(() => updateMap({ root: emptyHash, changes, read }));
    expect(code([])).toBe("malformed");
    expect(code([{ index, commitments: [] }])).toBe("malformed");
    expect(code([{ index: new Uint8Array(31), commitments: [emptyHash] }])).toBe("malformed");
    expect(code([{ index, commitments: [new Uint8Array(31)] }])).toBe("malformed");
    expect(
      code([
        { index, commitments: [emptyHash] },
        { index, commitments: [emptyHash] },
      ]),
    ).toBe("malformed");
    expect(refusal(() => updateMap({ root: sha256(index), changes: [{ index, commitments: [emptyHash] }], read }))).toBe("missing");
  });
});

/** A map of 30 leaves, then a batch that changes one of them and adds three. */
function example(): { model: Model; transition: Transition; oldRoot: Uint8Array; newRoot: Uint8Array; index: Uint8Array } {
  const model = emptyModel();
  apply(
    model,
    Array.from({ length: 30 }, (_, i) => ({ index: sha256(Uint8Array.of(i)), values: 2 })),
  );
  const index = sha256(Uint8Array.of(3));
  const added = [50, 51, 52].map((seed) => ({ index: sha256(Uint8Array.of(seed)), values: 1 }));
  const { update, before } = apply(model, [{ index, values: 1 }, ...added]);
  return { model, transition: update.transition, oldRoot: before, newRoot: update.root, index };
}
