import { CodecError, decode, encode, equalBytes, oneOf, opaque, opaqueV, struct, uint16, uint32, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { sha256 } from "@noble/hashes/sha2.js";
import { TransparencyError } from "../errors.ts";
import { chainOf, emptyHash, innerHash, isEmptyHash, leafNodeHash, maxDepth, turnsRight } from "./nodes.ts";

/** A leaf that a transition touches: what it was, and what was added to it. */
export interface TransitionLeaf {
  readonly index: Uint8Array;
  /** 0 when the leaf is new; `oldChain` is then zeros. */
  readonly oldVersion: number;
  readonly oldChain: Uint8Array;
  /** 32 bytes each, in order; none when the leaf only had to move down to make room for a neighbour. */
  readonly commitments: readonly Uint8Array[];
}

/** What a publication did to the map, so that anyone can compute the old and the new root (spec section 40). */
export interface Transition {
  readonly format: 1;
  /** By index, each once. */
  readonly leaves: readonly TransitionLeaf[];
  /** `transitionShape` numbers: the new tree down to the touched leaves, each node before its children. */
  readonly shape: Uint8Array;
  /** Hashes of the untouched parts, in the order of `shape`. */
  readonly siblings: readonly Uint8Array[];
  readonly ext: Uint8Array;
}

/** What a node of `Transition.shape` is. */
export const transitionShape: Readonly<Record<"sibling" | "empty" | "leaf" | "inner", number>> = {
  sibling: 0,
  empty: 1,
  leaf: 2,
  inner: 3,
};

/** Most leaves that one publication may touch, neighbours that move down among them: a batch of half as many labels always fits. */
export const maxTransitionLeaves = 65_536;

const format: Codec<1> = oneOf(uint16, [1]);
const hash = opaque(32);

export const transitionCodec: Codec<Transition> = struct<Transition>({
  format,
  leaves: vector(
    struct<TransitionLeaf>({
      index: hash,
      oldVersion: uint32,
      oldChain: hash,
      commitments: vector(hash, { maxBytes: 32 * 65_536 }),
    }),
    { maxBytes: 1 << 26, maxItems: maxTransitionLeaves, minItems: 1 },
  ),
  shape: opaqueV(1 << 24, 1),
  siblings: vector(hash, { maxBytes: 1 << 27 }),
  ext: opaqueV(4096),
});

/** H(encoded transition): the log entry's `changesHash`. */
export function changesHashOf(encodedTransition: Uint8Array): Uint8Array {
  return sha256(encodedTransition);
}

/** Reads a transition. @throws TransparencyError `malformed` */
export function decodeTransition(bytes: Uint8Array): Transition {
  try {
    return decode(transitionCodec, bytes);
  } catch (cause) {
    if (cause instanceof CodecError) throw new TransparencyError("malformed", "D-3", "a transition does not decode", { cause });
    throw cause;
  }
}

/** The bytes of a transition. */
export function encodeTransition(transition: Transition): Uint8Array {
  return encode(transitionCodec, transition);
}

/** A part of the tree before and after. `leaf` hashes stand at their shortest prefix: next to nothing they move up. */
interface Part {
  readonly oldHash: Uint8Array;
  readonly oldKind: "empty" | "leaf" | "other";
  readonly newHash: Uint8Array;
  readonly newKind: "empty" | "leaf" | "other";
  readonly isTouched: boolean;
}

const emptyPart: Part = { oldHash: emptyHash, oldKind: "empty", newHash: emptyHash, newKind: "empty", isTouched: false };

/**
 * Verifies that the map with `newRoot` is the map with `oldRoot` and the transition's commitments at the ends of their
 * chains: no leaf was removed, no chain was rewound, and the new tree has its one shape if the old one had it.
 * @returns how many labels got a value, and how many of these are new.
 * @throws TransparencyError `malformed` for a transition that describes no tree, `proof` for one between other roots.
 */
export function verifyTransition(params: { oldRoot: Uint8Array; newRoot: Uint8Array; transition: Transition }): {
  changed: number;
  added: number;
} {
  const { leaves, shape, siblings } = params.transition;
  let nextShape = 0;
  let nextLeaf = 0;
  let nextSibling = 0;
  let changed = 0;
  let added = 0;
  const path = new Uint8Array(32);

  const touchedLeaf = (depth: number): Part => {
    const leaf = leaves[nextLeaf++];
    if (leaf === undefined) throw malformed("a transition has fewer leaves than its shape");
    checkPlace(leaf.index, path, depth);
    const { index, oldVersion, oldChain, commitments } = leaf;
    if (oldVersion === 0 && !isEmptyHash(oldChain)) throw malformed("a new leaf of a transition has a chain");
    if (oldVersion === 0 && commitments.length === 0) throw malformed("a new leaf of a transition has no value");
    if (oldVersion + commitments.length > 0xffff_ffff) throw malformed("a leaf of a transition has too many values");
    if (commitments.length > 0) changed++;
    if (oldVersion === 0) added++;
    const oldHash = oldVersion === 0 ? emptyHash : leafNodeHash({ index, version: oldVersion, chain: oldChain });
    let chain = oldChain;
    for (const commitment of commitments) chain = chainOf(chain, commitment);
    const newHash = commitments.length === 0 ? oldHash : leafNodeHash({ index, version: oldVersion + commitments.length, chain });
    return { oldHash, oldKind: oldVersion === 0 ? "empty" : "leaf", newHash, newKind: "leaf", isTouched: true };
  };

  const part = (depth: number): Part => {
    switch (shape[nextShape++]) {
      case transitionShape.sibling: {
        const sibling = siblings[nextSibling++];
        if (sibling === undefined) throw malformed("a transition has fewer siblings than its shape");
        if (isEmptyHash(sibling)) throw malformed("a sibling of a transition is empty");
        return { oldHash: sibling, oldKind: "other", newHash: sibling, newKind: "other", isTouched: false };
      }
      case transitionShape.empty:
        return emptyPart;
      case transitionShape.leaf:
        return touchedLeaf(depth);
      case transitionShape.inner: {
        if (depth >= maxDepth) throw malformed("a transition is too deep");
        const left = part(depth + 1);
        const bit = 0x80 >> (depth & 7);
        // The array has 32 bytes and the depth is below 256.
        path[depth >> 3] = (path[depth >> 3] ?? 0) | bit;
        const right = part(depth + 1);
        path[depth >> 3] = (path[depth >> 3] ?? 0) & ~bit;
        return join(left, right);
      }
      default:
        throw malformed("the shape of a transition is cut off or unknown");
    }
  };

  const root = part(0);
  if (nextShape !== shape.length || nextLeaf !== leaves.length || nextSibling !== siblings.length) {
    throw malformed("a transition has more than its shape");
  }
  if (!root.isTouched || changed === 0) throw malformed("a transition changes nothing");
  if (!equalBytes(root.oldHash, params.oldRoot)) throw new TransparencyError("proof", "D-3", "a transition starts at another map");
  if (!equalBytes(root.newHash, params.newRoot)) throw new TransparencyError("proof", "D-3", "a transition ends at another map");
  return { changed, added };
}

function join(left: Part, right: Part): Part {
  if (!left.isTouched && !right.isTouched) throw malformed("a transition opens a part that it does not touch");
  const isLonely = (left.newKind === "leaf" && right.newKind === "empty") || (left.newKind === "empty" && right.newKind === "leaf");
  if (isLonely) throw malformed("a leaf of a transition stands below its shortest prefix");
  const newHash = innerHash(left.newHash, right.newHash);
  const common = { newHash, newKind: "other", isTouched: true } as const;
  if (left.oldKind === "empty" && right.oldKind !== "other") return { oldHash: right.oldHash, oldKind: right.oldKind, ...common };
  if (right.oldKind === "empty" && left.oldKind !== "other") return { oldHash: left.oldHash, oldKind: left.oldKind, ...common };
  const isSame = equalBytes(left.oldHash, left.newHash) && equalBytes(right.oldHash, right.newHash);
  return { oldHash: isSame ? newHash : innerHash(left.oldHash, right.oldHash), oldKind: "other", ...common };
}

function checkPlace(index: Uint8Array, path: Uint8Array, depth: number): void {
  for (let i = 0; i < depth; i++) {
    if (turnsRight(index, i) !== turnsRight(path, i)) throw malformed("a leaf of a transition stands at another's place");
  }
}

function malformed(message: string): TransparencyError {
  return new TransparencyError("malformed", "D-3", message);
}
