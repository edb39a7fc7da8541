import type { LeafIndex } from "@latchkey/mls";
import { maxClosedEpochs, maxEpochsOpen } from "@latchkey/protocol";
import type { EpochAccess } from "@latchkey/protocol";
import { bitsOf, hasBit, numbersIn } from "./contested.ts";
import { closedEpochMs } from "./keys.ts";
import { leafOf } from "./roster.ts";
import type { ClosedEpoch, ConversationState, Roster, RosterLeaf } from "./types.ts";

/**
 * Of a commit's epoch: the leaves that it keeps, how many members it keeps or adds again, and which of them are to be heard yet. One's own
 * and the author's are not waited for.
 */
export function keptBy(
  before: Roster | undefined,
  after: Roster,
  author: LeafIndex | undefined,
): Pick<ClosedEpoch, "kept" | "keptCount" | "unheard"> {
  const again = [...(before?.leaves.values() ?? [])].map((leaf) => ({ leaf, now: leafOf(after, leaf)?.leafIndex }));
  const stay = again.filter(({ leaf, now }) => now === leaf.leafIndex).map(({ leaf }) => leaf.leafIndex);
  const silent = again.filter(({ leaf, now }) => now !== after.own?.leafIndex && leaf.leafIndex !== author);
  return {
    kept: bitsOf(stay),
    keptCount: again.filter(({ now }) => now !== undefined).length,
    unheard: bitsOf(silent.flatMap(({ now }) => now ?? [])),
  };
}

/** Once a member spoke in a later epoch: it followed the commits before. */
export function withHeard(closed: readonly ClosedEpoch[], { leafIndex }: Pick<RosterLeaf, "leafIndex">): readonly ClosedEpoch[] {
  if (!closed.some(({ unheard }) => hasBit(unheard, leafIndex))) return closed;
  return closed.map((epoch) => withPlaces(epoch, [{ from: leafIndex, to: undefined }]));
}

/** Once another epoch has begun: who is in it elsewhere in the tree, or not any more. */
export function withMoved(closed: readonly ClosedEpoch[], before: Roster | undefined, after: Roster): readonly ClosedEpoch[] {
  const moved = [...(before?.leaves.values() ?? [])]
    .map((leaf) => ({ from: leaf.leafIndex, to: leafOf(after, leaf)?.leafIndex }))
    .filter(({ from, to }) => from !== to);
  return moved.length === 0 ? closed : closed.map((epoch) => withPlaces(epoch, moved));
}

/** Who of those that are to be heard has another place, or none. */
function withPlaces(epoch: ClosedEpoch, moved: readonly { readonly from: number; readonly to: number | undefined }[]): ClosedEpoch {
  const found = moved.filter(({ from }) => hasBit(epoch.unheard, from));
  if (found.length === 0) return epoch;
  const others = numbersIn(epoch.unheard).filter((leaf) => !found.some(({ from }) => from === leaf));
  return { ...epoch, unheard: bitsOf([...others, ...found.flatMap(({ to }) => to ?? [])]) };
}

function isListened({ unheard }: ClosedEpoch): boolean {
  return unheard.some((byte) => byte !== 0);
}

/**
 * Epochs that are opened along with one's own: those that closed while somebody said nothing behind them, who may be left behind there, and
 * that in which this device has a word to say itself (spec G-5, E-26).
 */
export function heardClosed({ closedEpochs, arrival }: ConversationState, nowMs: number): readonly EpochAccess[] {
  const isOwn = ({ epochId }: ClosedEpoch): boolean => arrival?.isWritten === false && arrival.epochId === epochId;
  const isHeard = (closed: ClosedEpoch): boolean => !isOwn(closed) && isListened(closed) && nowMs - closed.closedAtMs < closedEpochMs;
  const own = closedEpochs.filter(isOwn);
  return [...own, ...closedEpochs.filter(isHeard).slice(own.length - maxClosedEpochs)].map(({ epochId, access }) => ({ epochId, access }));
}

/** Whether the server gives what is said in a closed epoch whole, as on this connection its key was shown (spec L-3). */
export function isOpened({ link, closedEpochs, epoch }: ConversationState, epochId: number): boolean {
  if (link.opened === undefined || epoch === undefined) return false;
  const { epochId: first, closed } = link.opened;
  const since = closedEpochs.filter((other) => other.epochId >= first).map((other) => other.epochId);
  return [...closed, ...since, epoch.epochId].slice(-maxEpochsOpen).includes(epochId);
}
