import { equalBytes } from "@latchkey/codec";
import { TransparencyError } from "../errors.ts";
import { checkTreeNumber, emptyRoot, nodeHash } from "./hashes.ts";

const inclusionRule = "RFC 6962 2.1.1";
const consistencyRule = "RFC 6962 2.1.2";

/**
 * Verifies that the entry with `leafHash` stands at `index` of the tree of `size` entries with `root` (RFC 6962 section 2.1.1 by the
 * algorithm of RFC 9162 section 2.1.3.2).
 * @throws TransparencyError when it does not.
 */
export function verifyInclusion(params: {
  index: number;
  size: number;
  leafHash: Uint8Array;
  proof: readonly Uint8Array[];
  root: Uint8Array;
}): void {
  const { index, size, proof, root } = params;
  checkTreeNumber(index, inclusionRule);
  checkTreeNumber(size, inclusionRule);
  checkHashes([params.leafHash, root, ...proof], inclusionRule);
  if (index >= size) throw refused(inclusionRule, "The index is not inside the tree.");
  let node = index;
  let last = size - 1;
  let hash = params.leafHash;
  for (const sibling of proof) {
    if (last === 0) throw refused(inclusionRule, "The inclusion proof is too long.");
    if (isOdd(node) || node === last) {
      hash = nodeHash(sibling, hash);
      while (!isOdd(node) && node !== 0) {
        node = half(node);
        last = half(last);
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    node = half(node);
    last = half(last);
  }
  if (last !== 0) throw refused(inclusionRule, "The inclusion proof is too short.");
  if (!equalBytes(hash, root)) throw refused(inclusionRule, "The inclusion proof leads to another root.");
}

/**
 * Verifies that the tree of `to` entries with `toRoot` continues the one of `from` entries with `fromRoot` (RFC 6962 section 2.1.2 by
 * the algorithm of RFC 9162 section 2.1.4.2). Every tree continues the empty one, and a tree itself, by an empty proof.
 * @throws TransparencyError when it does not.
 */
export function verifyConsistency(params: {
  from: number;
  to: number;
  fromRoot: Uint8Array;
  toRoot: Uint8Array;
  proof: readonly Uint8Array[];
}): void {
  const { from, to, fromRoot, toRoot, proof } = params;
  checkTreeNumber(from, consistencyRule);
  checkTreeNumber(to, consistencyRule);
  if (from > to) throw refused(consistencyRule, "The tree has shrunk.");
  if (from === 0 && !equalBytes(fromRoot, emptyRoot())) throw refused(consistencyRule, "The empty tree has another root.");
  if (from === to && !equalBytes(fromRoot, toRoot)) throw refused(consistencyRule, "Two trees of one size have different roots.");
  if (from === 0 || from === to) {
    if (proof.length > 0) throw refused(consistencyRule, "The consistency proof is too long.");
    if (from !== to) checkHashes([toRoot], consistencyRule);
    return;
  }
  checkHashes([fromRoot, toRoot, ...proof], consistencyRule);
  verifyGrowth({ from, to, fromRoot, toRoot, proof });
}

function verifyGrowth(params: { from: number; to: number; fromRoot: Uint8Array; toRoot: Uint8Array; proof: readonly Uint8Array[] }): void {
  let node = params.from - 1;
  let last = params.to - 1;
  while (isOdd(node)) {
    node = half(node);
    last = half(last);
  }
  // A complete old tree is itself the first node: the proof leaves it out.
  const path = node === 0 ? [params.fromRoot, ...params.proof] : params.proof;
  const [first, ...rest] = path;
  if (first === undefined) throw refused(consistencyRule, "The consistency proof is too short.");
  let oldHash = first;
  let newHash = first;
  for (const sibling of rest) {
    if (last === 0) throw refused(consistencyRule, "The consistency proof is too long.");
    if (isOdd(node) || node === last) {
      oldHash = nodeHash(sibling, oldHash);
      newHash = nodeHash(sibling, newHash);
      while (!isOdd(node) && node !== 0) {
        node = half(node);
        last = half(last);
      }
    } else {
      newHash = nodeHash(newHash, sibling);
    }
    node = half(node);
    last = half(last);
  }
  if (last !== 0) throw refused(consistencyRule, "The consistency proof is too short.");
  if (!equalBytes(oldHash, params.fromRoot)) throw refused(consistencyRule, "The consistency proof leads to another old root.");
  if (!equalBytes(newHash, params.toRoot)) throw refused(consistencyRule, "The consistency proof leads to another new root.");
}

function checkHashes(hashes: readonly Uint8Array[], rule: string): void {
  if (hashes.some((hash) => hash.length !== 32)) throw new TransparencyError("malformed", rule, "A hash of a tree has 32 bytes.");
}

function refused(rule: string, message: string): TransparencyError {
  return new TransparencyError("proof", rule, message);
}

// Sizes reach 2^53: no bit operations, which would cut them to 32 bits.
function isOdd(value: number): boolean {
  return value % 2 === 1;
}

function half(value: number): number {
  return Math.floor(value / 2);
}
