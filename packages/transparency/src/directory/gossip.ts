import { equalBytes } from "@latchkey/codec";
import { TransparencyError } from "../errors.ts";
import { checkContinues } from "./head.ts";
import { decodeOrRefuse, gossipCodec } from "./structures.ts";
import type { Gossip } from "./structures.ts";
import type { DirectoryView } from "./view.ts";

/** What gossip asks for before it can be judged. */
export type GossipNeed =
  /** It names the tree of the view. */
  | { readonly kind: "nothing" }
  /** A consistency proof between these sizes, from whoever serves the log. */
  | { readonly kind: "consistency"; readonly from: number; readonly to: number };

/** Reads gossip. @throws TransparencyError `malformed` */
export function decodeGossip(bytes: Uint8Array): Gossip {
  const gossip = decodeOrRefuse(gossipCodec, bytes, "D-4");
  if (gossip.size === 0) throw new TransparencyError("malformed", "D-4", "gossip of an empty log");
  return gossip;
}

/**
 * Compares gossip with the view of the same host (spec D-4).
 * @throws TransparencyError `fork` when it names another config or, at the same size, another tree: an alarm. `proof` when it is of another host.
 */
export function gossipNeed(gossip: Gossip, view: DirectoryView): GossipNeed {
  if (gossip.origin !== view.origin) throw new TransparencyError("proof", "D-4", "the gossip is of another directory");
  if (!equalBytes(gossip.configHash, view.configHash)) {
    throw new TransparencyError("fork", "D-4", "the directory showed somebody another configuration");
  }
  if (gossip.size === view.size) {
    if (!equalBytes(gossip.root, view.root)) throw new TransparencyError("fork", "D-4", "the directory showed somebody another tree");
    return { kind: "nothing" };
  }
  return { kind: "consistency", from: Math.min(gossip.size, view.size), to: Math.max(gossip.size, view.size) };
}

/**
 * Verifies that the gossip's tree and the view's are one tree (spec D-4). A larger tree that the gossip names is not signed here:
 * the view does not advance by it.
 * @returns how the gossip's tree stands to the view's.
 * @throws TransparencyError as `gossipNeed`; `missing` without a proof that is needed, `fork` when it does not verify.
 */
export function verifyGossip(params: {
  gossip: Gossip;
  view: DirectoryView;
  /** Between the sizes that `gossipNeed` names. */
  consistency: readonly Uint8Array[] | undefined;
}): "same" | "older" | "newer" {
  const { gossip, view, consistency } = params;
  const need = gossipNeed(gossip, view);
  if (need.kind === "nothing") return "same";
  if (consistency === undefined) throw new TransparencyError("missing", "D-4", "the gossip needs a consistency proof");
  const isOlder = gossip.size < view.size;
  const [fromRoot, toRoot] = isOlder ? [gossip.root, view.root] : [view.root, gossip.root];
  checkContinues({ from: need.from, to: need.to, fromRoot, toRoot, proof: consistency });
  return isOlder ? "older" : "newer";
}
