import { decodeGossip, gossipNeed, proveConsistency, TransparencyError, verifyGossip } from "@latchkey/transparency";
import type { DirectoryView, Gossip, HashReader } from "@latchkey/transparency";
import { toBase64Url } from "@latchkey/codec";
import { ClientError } from "../errors.ts";
import type { PendingGossip } from "./host-record.ts";

/** Time in which gossip must be joined to the own view (spec D-4). */
const deadlineMs = 86_400_000;
/** What waits at a time; more than that of unproven gossip is noise of one member. */
const maxPending = 32;

/** What became of gossip. */
export interface JudgedGossip {
  /** Neither joined to the view nor out of time. */
  readonly pending: readonly PendingGossip[];
  readonly alarms: readonly { readonly error: unknown; readonly about: string }[];
}

/**
 * Joins gossip to the view by proofs that are made from the host's tiles (spec D-4). What contradicts the view outright is an alarm at
 * once; what cannot be joined, whatever the reason, after a day.
 */
export async function judgeGossip(params: {
  view: DirectoryView;
  pending: readonly PendingGossip[];
  nowMs: number;
  hashes: (size: number) => HashReader;
}): Promise<JudgedGossip> {
  const { view, nowMs } = params;
  const pending: PendingGossip[] = [];
  const alarms: { error: unknown; about: string }[] = [];
  for (const item of params.pending) {
    let gossip: Gossip;
    try {
      gossip = decodeGossip(item.gossip);
    } catch (error) {
      if (error instanceof TransparencyError) continue;
      throw error;
    }
    const about = `gossip ${gossip.size} ${toBase64Url(gossip.root)}`;
    try {
      const need = gossipNeed(gossip, view);
      if (need.kind === "nothing") continue;
      try {
        const consistency = await proveConsistency(need.from, need.to, params.hashes(need.to));
        verifyGossip({ gossip, view, consistency });
      } catch (error) {
        if (!(error instanceof TransparencyError) && !(error instanceof ClientError)) throw error;
        if (nowMs - item.sinceMs > deadlineMs) alarms.push({ error: new TransparencyError("fork", "D-4", "no proof within a day"), about });
        else if (pending.length < maxPending) pending.push(item);
      }
    } catch (error) {
      if (!(error instanceof TransparencyError)) throw error;
      // Gossip of another host is nobody's proof of anything.
      if (error.code === "fork") alarms.push({ error, about });
    }
  }
  return { pending, alarms };
}
