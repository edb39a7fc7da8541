import { TransparencyError } from "../errors.ts";
import { checkTreeNumber, emptyRoot, nodeHash } from "./hashes.ts";

const rule = "RFC 6962 2.1";

/**
 * A tree that only grows, held as the hashes of its right edge: one for each bit of its size. For replays and audits, which need roots
 * and no proofs. `size` and `rightEdge` are all its state: keep them, and `from` continues.
 */
export class IncrementalTree {
  #size = 0;
  /** Roots of the complete subtrees that make the tree, largest first. */
  #edge: Uint8Array[] = [];

  /**
   * A tree continued from what was kept.
   * @throws TransparencyError when `rightEdge` has not one hash of 32 bytes for each bit of `size`.
   */
  static from(state: { size: number; rightEdge: readonly Uint8Array[] }): IncrementalTree {
    checkTreeNumber(state.size, rule);
    let bits = 0;
    for (let rest = state.size; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2;
    if (state.rightEdge.length !== bits || state.rightEdge.some((hash) => hash.length !== 32)) {
      throw new TransparencyError("malformed", rule, "The right edge does not fit the size of the tree.");
    }
    const tree = new IncrementalTree();
    tree.#size = state.size;
    tree.#edge = state.rightEdge.map((hash) => hash.slice());
    return tree;
  }

  get size(): number {
    return this.#size;
  }

  /** The roots of the complete subtrees that make the tree, largest first. A new array; its hashes must not be changed. */
  get rightEdge(): readonly Uint8Array[] {
    return [...this.#edge];
  }

  /** Adds the entry with this leaf hash at index `size`; the tree keeps the array. */
  append(leafHash: Uint8Array): void {
    let hash = leafHash;
    for (let index = this.#size; index % 2 === 1; index = (index - 1) / 2) {
      const left = this.#edge.pop();
      if (left === undefined) throw new Error("the right edge has a hash for each bit of the size");
      hash = nodeHash(left, hash);
    }
    this.#edge.push(hash);
    this.#size++;
  }

  /** The root over all entries so far (RFC 6962 section 2.1). */
  root(): Uint8Array {
    return this.#edge.length === 0 ? emptyRoot() : this.#edge.reduceRight((right, left) => nodeHash(left, right));
  }
}
