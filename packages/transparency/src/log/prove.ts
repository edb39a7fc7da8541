import { TransparencyError } from "../errors.ts";
import { checkTreeNumber, emptyRoot, nodeHash, splitPoint } from "./hashes.ts";

/** A complete subtree: its root covers the entries from `index * 2^level` to before `(index + 1) * 2^level`. */
export interface SubtreeId {
  readonly level: number;
  readonly index: number;
}

/** A complete subtree with its hash, as a log stores it. */
export interface SubtreeHash extends SubtreeId {
  readonly hash: Uint8Array;
}

/**
 * Reads stored hashes of complete subtrees: as many as `ids`, in their order, each 32 bytes. Asked once for each proof, and never for a
 * subtree that the log of that size does not have. It throws when one is missing: there is no partial answer.
 */
export type HashReader = (ids: readonly SubtreeId[]) => Promise<readonly Uint8Array[]>;

interface Range {
  readonly begin: number;
  readonly end: number;
}

const rule = "RFC 6962 2.1";

/**
 * The audit path of entry `index` in the tree of `size` entries, lowest sibling first (RFC 6962 section 2.1.1).
 * @throws TransparencyError when `index` is not inside the tree.
 */
export async function proveInclusion(index: number, size: number, readHashes: HashReader): Promise<readonly Uint8Array[]> {
  return await readParts(inclusionSubtrees(index, size), readHashes);
}

/**
 * The complete subtrees behind `proveInclusion`, one list for each hash of the proof: for who stores the hashes and reads them
 * synchronously. `foldSubtrees` makes the proof of them.
 * @throws TransparencyError when `index` is not inside the tree.
 */
export function inclusionSubtrees(index: number, size: number): readonly (readonly SubtreeId[])[] {
  checkTreeNumber(index, rule);
  checkTreeNumber(size, rule);
  if (index >= size) throw new TransparencyError("proof", rule, "The index is not inside the tree.");
  const siblings: Range[] = [];
  let [begin, end] = [0, size];
  while (end - begin > 1) {
    const middle = begin + splitPoint(end - begin);
    if (index < middle) {
      siblings.push({ begin: middle, end });
      end = middle;
    } else {
      siblings.push({ begin, end: middle });
      begin = middle;
    }
  }
  return siblings.toReversed().map(subtreesOf);
}

/**
 * The proof that the tree of `to` entries continues the one of `from` (RFC 6962 section 2.1.2). Empty when `from` is 0 or `to`.
 * @throws TransparencyError when `from` is above `to`.
 */
export async function proveConsistency(from: number, to: number, readHashes: HashReader): Promise<readonly Uint8Array[]> {
  return await readParts(consistencySubtrees(from, to), readHashes);
}

/**
 * The complete subtrees behind `proveConsistency`, as `inclusionSubtrees` gives them.
 * @throws TransparencyError when `from` is above `to`.
 */
export function consistencySubtrees(from: number, to: number): readonly (readonly SubtreeId[])[] {
  checkTreeNumber(from, rule);
  checkTreeNumber(to, rule);
  if (from > to) throw new TransparencyError("proof", rule, "The old tree is larger than the new one.");
  if (from === 0 || from === to) return [];
  const nodes: Range[] = [];
  let [begin, end] = [0, to];
  while (from !== end) {
    const middle = begin + splitPoint(end - begin);
    if (from <= middle) {
      nodes.push({ begin: middle, end });
      end = middle;
    } else {
      nodes.push({ begin, end: middle });
      begin = middle;
    }
  }
  // The verifier holds the old root: it stands in the proof only where it is not a node of the new tree.
  if (begin !== 0) nodes.push({ begin, end });
  return nodes.toReversed().map(subtreesOf);
}

/** The hash that each of these lists of neighbouring subtrees makes, from the stored hash of each subtree. */
export function foldSubtrees(parts: readonly (readonly SubtreeId[])[], hashOf: (id: SubtreeId) => Uint8Array): readonly Uint8Array[] {
  return parts.map((part) => part.map(hashOf).reduceRight((right, left) => nodeHash(left, right)));
}

/** The root of the first `size` entries (RFC 6962 section 2.1). */
export async function rootAt(size: number, readHashes: HashReader): Promise<Uint8Array> {
  checkTreeNumber(size, rule);
  const [root] = size === 0 ? [] : await readParts([subtreesOf({ begin: 0, end: size })], readHashes);
  return root ?? emptyRoot();
}

/**
 * The hashes that appending one entry to a tree of `size` entries completes, from its own leaf hash up: what the log has to store, in
 * one transaction with the entry.
 */
export async function newHashes(size: number, leafHash: Uint8Array, readHashes: HashReader): Promise<readonly SubtreeHash[]> {
  checkTreeNumber(size + 1, rule);
  const siblings: SubtreeId[] = [];
  for (let [level, index] = [0, size]; index % 2 === 1; level++, index = (index - 1) / 2) siblings.push({ level, index: index - 1 });
  const hashes = siblings.length === 0 ? [] : await readChecked(siblings, readHashes);
  const added: SubtreeHash[] = [{ level: 0, index: size, hash: leafHash }];
  let hash = leafHash;
  for (const [i, left] of hashes.entries()) {
    hash = nodeHash(left, hash);
    added.push({ level: i + 1, index: Math.floor(size / 2 ** (i + 1)), hash });
  }
  return added;
}

/** The complete subtrees, largest first, whose hashes make the root over these entries. `begin` is aligned as RFC 6962 splits. */
function subtreesOf({ begin, end }: Range): SubtreeId[] {
  const ids: SubtreeId[] = [];
  let at = begin;
  while (at < end) {
    let level = 0;
    while (2 ** (level + 1) <= end - at) level++;
    ids.push({ level, index: at / 2 ** level });
    at += 2 ** level;
  }
  return ids;
}

async function readParts(parts: readonly (readonly SubtreeId[])[], readHashes: HashReader): Promise<readonly Uint8Array[]> {
  const ids = parts.flat();
  const hashes = ids.length === 0 ? [] : await readChecked(ids, readHashes);
  let at = 0;
  // Read in the order in which they are folded.
  return parts.map((part) => {
    const own = hashes.slice(at, at + part.length);
    at += part.length;
    return own.reduceRight((right, left) => nodeHash(left, right));
  });
}

async function readChecked(ids: readonly SubtreeId[], readHashes: HashReader): Promise<readonly Uint8Array[]> {
  const hashes = await readHashes(ids);
  if (hashes.length !== ids.length || hashes.some((hash) => hash.length !== 32)) {
    throw new TransparencyError("malformed", rule, "The stored hashes of the tree are incomplete.");
  }
  return hashes;
}
