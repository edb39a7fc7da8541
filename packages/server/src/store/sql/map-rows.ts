import { emptyHash, isEmptyHash } from "@latchkey/transparency";
import type { MapLeaf, MapNode } from "@latchkey/transparency";

const innerTag = 1;
const leafTag = 2;
const leafBytes = 68;

/** 65 bytes for an inner node, 69 for a leaf. */
export function encodeNode(node: MapNode): Uint8Array {
  if (node.kind === "inner") {
    const bytes = new Uint8Array(65);
    bytes[0] = innerTag;
    bytes.set(node.left, 1);
    bytes.set(node.right, 33);
    return bytes;
  }
  const bytes = new Uint8Array(1 + leafBytes);
  bytes[0] = leafTag;
  writeLeaf(bytes, 1, node);
  return bytes;
}

/** The node of these bytes, its hashes as views of them. @throws Error for anything else. */
export function decodeNode(bytes: Uint8Array): MapNode {
  if (bytes[0] === innerTag && bytes.length === 65) {
    // Empty sides are compared by value everywhere; one array for all of them saves memory.
    const side = (at: number): Uint8Array => {
      const hash = bytes.subarray(at, at + 32);
      return isEmptyHash(hash) ? emptyHash : hash;
    };
    return { kind: "inner", left: side(1), right: side(33) };
  }
  if (bytes[0] === leafTag && bytes.length === 1 + leafBytes) return { kind: "leaf", ...readLeaf(bytes, 1) };
  throw new Error("a node of the directory's map does not decode: the database is damaged");
}

/** 68 bytes a leaf, one after the other. */
export function encodeLeaves(leaves: readonly MapLeaf[]): Uint8Array {
  const bytes = new Uint8Array(leaves.length * leafBytes);
  for (const [at, leaf] of leaves.entries()) writeLeaf(bytes, at * leafBytes, leaf);
  return bytes;
}

/** The leaves of these bytes, their hashes as views of them. @throws Error for anything else. */
export function decodeLeaves(bytes: Uint8Array): MapLeaf[] {
  if (bytes.length % leafBytes !== 0) throw new Error("a page of a map of heads does not decode: the database is damaged");
  return Array.from({ length: bytes.length / leafBytes }, (_, at) => readLeaf(bytes, at * leafBytes));
}

function writeLeaf(bytes: Uint8Array, at: number, { index, version, chain }: MapLeaf): void {
  bytes.set(index, at);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at + 32, version);
  bytes.set(chain, at + 36);
}

function readLeaf(bytes: Uint8Array, at: number): MapLeaf {
  const version = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at + 32);
  return { index: bytes.subarray(at, at + 32), version, chain: bytes.subarray(at + 36, at + leafBytes) };
}
