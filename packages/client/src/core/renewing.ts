import { equalBytes } from "@latchkey/codec";
import { members } from "@latchkey/mls";
import type { GroupState } from "@latchkey/mls";
import { renewalDelayMs, renewedBy, spread } from "./renewal.ts";
import type { Renewal, RenewingCommit } from "./renewal.ts";
import { set } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { Roster, RosterLeaf } from "./types.ts";

/** Where a device's part in a group begins: its own leaf is the newest, and how old the others are it does not know. */
export function begunRenewal(group: GroupState, { leaves, own }: Roster, nowMs: number): Renewal {
  const unrenewed = unrenewedIn(group);
  const others = [...leaves.keys()].filter((leaf) => leaf !== own?.leafIndex);
  const oldest = spread(others.filter((leaf) => unrenewed.has(leaf)));
  const order = [...oldest, ...spread(others.filter((leaf) => !unrenewed.has(leaf)))];
  return { ownAtMs: nowMs, lastAtMs: 0, order: own === undefined ? order : [...order, own.leafIndex] };
}

/** Leaves as they were added. */
function unrenewedIn(group: GroupState): ReadonlySet<number> {
  const added = members(group).filter(({ leafNode }) => leafNode.source.kind === "key-package");
  return new Set(added.map(({ leafIndex }) => leafIndex));
}

/** Notes what a commit did to the leaves, at the end of the epoch that it ends. */
export function noteRenewal(
  turn: Turn,
  commit: Pick<RenewingCommit, "isOwn" | "pathAloneAtMs"> & {
    readonly author: RosterLeaf;
    readonly group: GroupState;
    readonly after: Roster;
  },
): void {
  const { roster: before, renewal } = turn.state;
  const { author, after, group, isOwn, pathAloneAtMs } = commit;
  const isFresh = ([leaf, { signaturePublicKey }]: readonly [number, RosterLeaf]): boolean => {
    const known = before?.leaves.get(leaf);
    return known === undefined || !equalBytes(known.signaturePublicKey, signaturePublicKey);
  };
  const fresh = new Set([...after.leaves].filter((entry) => isFresh(entry)).map(([leaf]) => leaf));
  const leaves = [...after.leaves.keys()];
  const noted: RenewingCommit = { author: author.leafIndex, isOwn, pathAloneAtMs, leaves, fresh, unrenewed: unrenewedIn(group) };
  set(turn, { renewal: renewedBy(renewal, noted, turn.context.nowMs) });
}

/** Looks again when its turn comes. */
export function planRenewal({ state, context, effects }: Turn): void {
  const { roster, renewal, phase } = state;
  if (roster?.own === undefined || roster.leaves.size < 2 || phase.kind !== "active") return;
  const [high = 0, low = 0] = context.random(2);
  const at = { nowMs: context.nowMs, jitter: (high * 256 + low) / 65_536 };
  effects.push({ kind: "schedule", name: "renew", delayMs: renewalDelayMs(renewal, roster.own.leafIndex, at) });
}
