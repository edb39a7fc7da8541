import { CodecError, equalBytes, opaque, uint32, uint8 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { TransparencyError } from "../errors.ts";
import { emptyHash, innerHash, isEmptyHash, leafNodeHash, maxDepth, sharesPath, turnsRight } from "./nodes.ts";
import type { MapLeaf, NodeReader } from "./nodes.ts";

/** What stands at the end of the path to an index. */
export type MapTerminal =
  | { readonly kind: "empty" }
  /** The leaf of the index itself: its version and chain come from elsewhere. */
  | { readonly kind: "leaf" }
  /** Another label's leaf: the index asked for has none. */
  | ({ readonly kind: "other" } & MapLeaf);

/** The path from the root to where an index stands or would stand. */
export interface MapProof {
  /** From the root down; `undefined` for an empty place. */
  readonly siblings: readonly (Uint8Array | undefined)[];
  readonly terminal: MapTerminal;
}

const hash = opaque(32);

/** `uint8 depth; bitmap of empty siblings; the others; terminal`: one encoding for each proof. */
export const mapProofCodec: Codec<MapProof> = {
  write(w, { siblings, terminal }) {
    w.uint8(siblings.length);
    const empties = new Uint8Array((siblings.length + 7) >> 3);
    for (const [i, sibling] of siblings.entries()) {
      // The bitmap has a bit for each sibling.
      if (sibling === undefined) empties[i >> 3] = (empties[i >> 3] ?? 0) | (0x80 >> (i & 7));
    }
    w.bytes(empties);
    for (const sibling of siblings) if (sibling !== undefined) hash.write(w, sibling);
    switch (terminal.kind) {
      case "empty":
        return w.uint8(0);
      case "leaf":
        return w.uint8(1);
      case "other":
        w.uint8(2);
        hash.write(w, terminal.index);
        uint32.write(w, terminal.version);
        return hash.write(w, terminal.chain);
    }
  },
  read(r) {
    const depth = uint8.read(r);
    const empties = r.bytes((depth + 7) >> 3);
    const isEmpty = (i: number): boolean => (((empties[i >> 3] ?? 0) >> (7 - (i & 7))) & 1) === 1;
    for (let i = depth; i < empties.length * 8; i++) {
      if (isEmpty(i)) throw new CodecError("invalid", "a bit behind the last sibling");
    }
    const siblings: (Uint8Array | undefined)[] = [];
    for (let i = 0; i < depth; i++) {
      const sibling = isEmpty(i) ? undefined : hash.read(r);
      if (sibling !== undefined && isEmptyHash(sibling)) throw new CodecError("invalid", "an empty sibling is a bit");
      siblings.push(sibling);
    }
    switch (uint8.read(r)) {
      case 0:
        return { siblings, terminal: { kind: "empty" } };
      case 1:
        return { siblings, terminal: { kind: "leaf" } };
      case 2:
        return { siblings, terminal: { kind: "other", index: hash.read(r), version: uint32.read(r), chain: hash.read(r) } };
      default:
        throw new CodecError("invalid", "unknown end of a path");
    }
  },
};

/** The proof of what the map with this root has at `index`: its leaf, or none. @throws what `read` throws. */
export function proveIndex(params: { root: Uint8Array; index: Uint8Array; read: NodeReader }): MapProof {
  const { index, read } = params;
  const siblings: (Uint8Array | undefined)[] = [];
  let at = params.root;
  for (;;) {
    if (isEmptyHash(at)) return { siblings, terminal: { kind: "empty" } };
    const node = read(at);
    if (node.kind === "leaf") {
      const terminal: MapTerminal = equalBytes(node.index, index)
        ? { kind: "leaf" }
        : { kind: "other", index: node.index, version: node.version, chain: node.chain };
      return { siblings, terminal };
    }
    const isRight = turnsRight(index, siblings.length);
    const sibling = isRight ? node.left : node.right;
    siblings.push(isEmptyHash(sibling) ? undefined : sibling);
    at = isRight ? node.right : node.left;
  }
}

/** The leaf of `index` in the map with this root, if it has one. @throws what `read` throws. */
export function findLeaf(params: { root: Uint8Array; index: Uint8Array; read: NodeReader }): MapLeaf | undefined {
  const { index, read } = params;
  let at = params.root;
  for (let depth = 0; ; depth++) {
    if (isEmptyHash(at)) return undefined;
    const node = read(at);
    if (node.kind === "leaf") return equalBytes(node.index, index) ? node : undefined;
    at = turnsRight(index, depth) ? node.right : node.left;
  }
}

/**
 * Verifies that the map with this root has exactly this leaf at `index`, or none when `leaf` is `undefined` (spec D-1).
 * A root admits one answer for each index.
 * @throws TransparencyError `proof`
 */
export function verifyMapProof(params: {
  root: Uint8Array;
  index: Uint8Array;
  proof: MapProof;
  leaf: { readonly version: number; readonly chain: Uint8Array } | undefined;
}): void {
  const { index, proof, leaf } = params;
  const depth = proof.siblings.length;
  if (depth > maxDepth) throw refused("the path is too long");
  let at = terminalHash(index, depth, proof.terminal, leaf);
  for (let i = depth - 1; i >= 0; i--) {
    const sibling = proof.siblings[i] ?? emptyHash;
    at = turnsRight(index, i) ? innerHash(sibling, at) : innerHash(at, sibling);
  }
  if (!equalBytes(at, params.root)) throw refused("the path does not lead to the map's root");
}

function terminalHash(
  index: Uint8Array,
  depth: number,
  terminal: MapTerminal,
  leaf: { readonly version: number; readonly chain: Uint8Array } | undefined,
): Uint8Array {
  if (terminal.kind === "leaf") {
    if (leaf === undefined) throw refused("the path leads to a leaf where there should be none");
    return leafNodeHash({ index, version: leaf.version, chain: leaf.chain });
  }
  if (leaf !== undefined) throw refused("the path shows that there is no such leaf");
  if (terminal.kind === "empty") return emptyHash;
  if (equalBytes(terminal.index, index) || !sharesPath(terminal.index, index, depth)) throw refused("the path ends at an unrelated leaf");
  return leafNodeHash(terminal);
}

function refused(message: string): TransparencyError {
  return new TransparencyError("proof", "D-1", message);
}
