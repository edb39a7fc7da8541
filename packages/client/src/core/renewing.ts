import { equalBytes } from "@latchkey/codec";
import { renewalDelayMs, renewedBy } from "./renewal.ts";
import type { Renewal, RenewingCommit } from "./renewal.ts";
import { set } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { Roster, RosterLeaf } from "./types.ts";

/** Where a device's part in a group begins: its own leaf is the newest, and how old the others are it does not know. */
export function begunRenewal({ leaves, own }: Roster, nowMs: number): Renewal {
  const others = [...leaves.keys()].filter((leaf) => leaf !== own?.leafIndex);
  return { ownAtMs: nowMs, lastAtMs: 0, order: own === undefined ? others : [...others, own.leafIndex] };
}

/** Notes what a commit did to the leaves, at the end of the epoch that it ends. */
export function noteRenewal(
  turn: Turn,
  { author, after, isOwn, pathAloneAtMs }: { author: RosterLeaf; after: Roster; isOwn: boolean; pathAloneAtMs: number | undefined },
): void {
  const { roster: before, renewal } = turn.state;
  const isFresh = ([leaf, { signaturePublicKey }]: readonly [number, RosterLeaf]): boolean => {
    const known = before?.leaves.get(leaf);
    return known === undefined || !equalBytes(known.signaturePublicKey, signaturePublicKey);
  };
  const fresh = new Set([...after.leaves].filter((entry) => isFresh(entry)).map(([leaf]) => leaf));
  const leaves = [...after.leaves.keys()];
  const commit: RenewingCommit = { author: author.leafIndex, isOwn, pathAloneAtMs, leaves, fresh };
  set(turn, { renewal: renewedBy(renewal, commit, turn.context.nowMs) });
}

/** Looks again when its turn comes. */
export function planRenewal({ state, context, effects }: Turn): void {
  const { roster, renewal, phase } = state;
  if (roster?.own === undefined || roster.leaves.size < 2 || phase.kind !== "active") return;
  const [high = 0, low = 0] = context.random(2);
  const at = { nowMs: context.nowMs, jitter: (high * 256 + low) / 65_536 };
  effects.push({ kind: "schedule", name: "renew", delayMs: renewalDelayMs(renewal, roster.own.leafIndex, at) });
}
