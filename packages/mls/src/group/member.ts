import type { Credential } from "../messages/basics.ts";
import type { LeafNode } from "../messages/nodes.ts";
import type { LeafIndex } from "../tree/tree-math.ts";

/** One member of a group, as its leaf in the ratchet tree says. */
export interface Member {
  readonly leafIndex: LeafIndex;
  readonly credential: Credential;
  readonly signaturePublicKey: Uint8Array;
  readonly leafNode: LeafNode;
}

/** A leaf as a member. */
export function toMember(leafIndex: LeafIndex, leafNode: LeafNode): Member {
  return { leafIndex, credential: leafNode.credential, signaturePublicKey: leafNode.signatureKey, leafNode };
}
