import { sha256 } from "@noble/hashes/sha2.js";
import { TransparencyError } from "../errors.ts";

/** What stands for a place of the map where there is no leaf: 32 zeros (spec section 40). Nobody may change it. */
export const emptyHash: Uint8Array = new Uint8Array(32);

/** A leaf: how many values its label has had, and the chain of commitments to them. */
export interface MapLeaf {
  /** 32 bytes: where the leaf stands. */
  readonly index: Uint8Array;
  /** 1 or more in the map of labels; a sequence number in a map of heads. */
  readonly version: number;
  /** 32 bytes. */
  readonly chain: Uint8Array;
}

/** A node of the map. Nodes are stored by their hash and never change. */
export type MapNode =
  | { readonly kind: "inner"; readonly left: Uint8Array; readonly right: Uint8Array }
  | ({ readonly kind: "leaf" } & MapLeaf);

/**
 * Finds a stored node. Synchronous: a publication reads thousands of them.
 * @throws TransparencyError `missing` when no node with this hash is stored; it is never asked for `emptyHash`.
 */
export type NodeReader = (hash: Uint8Array) => MapNode;

/** Nodes kept in memory: for tests, witnesses and maps of heads. */
export interface MemoryNodes {
  readonly read: NodeReader;
  /** Adds what `updateMap` or `buildMap` gave as `added`. */
  add(nodes: readonly { readonly hash: Uint8Array; readonly node: MapNode }[]): void;
  /** Removes what `updateMap` gave as `obsolete`, when nobody reads the older roots any more. */
  remove(hashes: readonly Uint8Array[]): void;
  readonly count: number;
}

/** Deepest place at which two leaves may part: deeper, two hashes would have to agree in all but the last bit. */
export const maxDepth = 255;

// Filled and hashed at once, never awaited in between.
const innerInput = new Uint8Array(65);
innerInput[0] = 0x03;
const leafInput = new Uint8Array(69);
leafInput[0] = 0x02;
const chainInput = new Uint8Array(65);
chainInput[0] = 0x04;

/** H(0x03 || left || right) of two hashes of 32 bytes (spec section 40). */
export function innerHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  innerInput.set(left, 1);
  innerInput.set(right, 33);
  return sha256(innerInput);
}

/** H(0x02 || index || uint32 version || chain) (spec section 40). */
export function leafNodeHash(leaf: MapLeaf): Uint8Array {
  const { index, version, chain } = leaf;
  leafInput.set(index, 1);
  leafInput[33] = version >>> 24;
  leafInput[34] = version >>> 16;
  leafInput[35] = version >>> 8;
  leafInput[36] = version;
  leafInput.set(chain, 37);
  return sha256(leafInput);
}

/** H(0x04 || chain || commitment): the chain after one more value (spec section 40). */
export function chainOf(chain: Uint8Array, commitment: Uint8Array): Uint8Array {
  chainInput.set(chain, 1);
  chainInput.set(commitment, 33);
  return sha256(chainInput);
}

/** The hash that stands for this node in its parent. */
export function mapNodeHash(node: MapNode): Uint8Array {
  return node.kind === "leaf" ? leafNodeHash(node) : innerHash(node.left, node.right);
}

/** Whether the path to `index` turns right at this depth (0 is the root): its bit, most significant first. */
export function turnsRight(index: Uint8Array, depth: number): boolean {
  return (((index[depth >> 3] ?? 0) >> (7 - (depth & 7))) & 1) === 1;
}

/** Whether both indices have the same first `depth` bits. */
export function sharesPath(a: Uint8Array, b: Uint8Array, depth: number): boolean {
  const whole = depth >> 3;
  for (let i = 0; i < whole; i++) if (a[i] !== b[i]) return false;
  const rest = depth & 7;
  return rest === 0 || ((a[whole] ?? 0) ^ (b[whole] ?? 0)) >> (8 - rest) === 0;
}

/** Whether these are the 32 zeros of an empty place. */
export function isEmptyHash(hash: Uint8Array): boolean {
  for (let i = 0; i < 32; i++) if (hash[i] !== 0) return false;
  return true;
}

/** An empty store of nodes in memory. */
export function memoryNodes(): MemoryNodes {
  const stored = new Map<string, MapNode>();
  return {
    read(hash) {
      const node = stored.get(keyOf(hash));
      if (node === undefined) throw new TransparencyError("missing", "D-1", "a node of the map is not stored");
      return node;
    },
    add(nodes) {
      for (const { hash, node } of nodes) stored.set(keyOf(hash), node);
    },
    remove(hashes) {
      for (const hash of hashes) stored.delete(keyOf(hash));
    },
    get count() {
      return stored.size;
    },
  };
}

/** The bytes as characters: made much faster than hexadecimal. */
function keyOf(hash: Uint8Array): string {
  return String.fromCharCode(...hash);
}
