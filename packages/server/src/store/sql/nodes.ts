import type { AddedNode, NodeReader } from "@latchkey/transparency";
import type { Steps } from "./steps.ts";

/** The nodes of the directory's map, by their hash: they never change. Every method runs inside the caller's transaction. */
export interface Nodes {
  /** What reads the nodes of the paths to these places, below a root of a map that is kept. It throws an Error for any other node. */
  reader(root: Uint8Array, places: readonly Uint8Array[]): Steps<NodeReader>;
  /** Stores the nodes that a publication added. */
  add(nodes: readonly AddedNode[]): Steps<void>;
  /** Notes what the tree of `size` entries no longer has. */
  setObsolete(size: number, hashes: readonly Uint8Array[]): Steps<void>;
  /** Deletes what no tree from the one of `servedSize` entries on has. */
  prune(servedSize: number): Steps<void>;
}
