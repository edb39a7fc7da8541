import { maxClosedEpochs, maxEpochsOpen } from "@latchkey/protocol";
import type { EpochAccess } from "@latchkey/protocol";
import { bitsOf, hasBit, numbersIn } from "./contested.ts";
import { leafOf } from "./roster.ts";
import type { ClosedEpoch, ConversationState, EpochKeys, GoneMember, Roster, RosterLeaf } from "./types.ts";

/** How long the keys of a closed epoch are kept (spec L-4). */
const closedEpochMs = 7 * 86_400_000;
/** Members who are gone and are remembered of one epoch: the last. */
const maxGone = 256;

/**
 * Of a commit's epoch: the members that it keeps or adds again, by their places afterwards, and which of them are to be heard yet. One's own
 * and the author's device are not waited for.
 * @param members those of the epoch that stay
 * @param after the group as it is now: who of them is in it no more is counted and has no place
 */
export function keptBy(
  members: readonly RosterLeaf[],
  after: Roster,
  author: RosterLeaf | undefined,
): Pick<ClosedEpoch, "kept" | "keptCount" | "unheard"> {
  const places = members.map((leaf) => ({ leaf, now: leafOf(after, leaf)?.leafIndex }));
  const silent = places.filter(({ leaf, now }) => now !== after.own?.leafIndex && leaf !== author);
  const bits = (some: typeof places): Uint8Array => bitsOf(some.flatMap(({ now }) => now ?? []));
  return { kept: bits(places), keptCount: members.length, unheard: bits(silent) };
}

/** Once a member spoke in a later epoch: it followed the commits before. */
export function withHeard(closed: readonly ClosedEpoch[], { leafIndex }: Pick<RosterLeaf, "leafIndex">): readonly ClosedEpoch[] {
  if (!closed.some(({ unheard }) => hasBit(unheard, leafIndex))) return closed;
  return closed.map((epoch) => ({ ...epoch, unheard: withPlaces(epoch.unheard, new Map([[leafIndex, undefined]])) }));
}

/** Once another epoch has begun: who is in it elsewhere in the tree, or not any more. */
export function withMoved(closed: readonly ClosedEpoch[], before: Roster | undefined, after: Roster): readonly ClosedEpoch[] {
  const moved = new Map<number, number | undefined>();
  const left: RosterLeaf[] = [];
  for (const leaf of before?.leaves.values() ?? []) {
    const to = leafOf(after, leaf)?.leafIndex;
    if (to !== leaf.leafIndex) moved.set(leaf.leafIndex, to);
    if (to === undefined) left.push(leaf);
  }
  if (moved.size === 0) return closed;
  const goneFrom = ({ kept }: ClosedEpoch): readonly GoneMember[] =>
    left
      .filter(({ leafIndex }) => hasBit(kept, leafIndex))
      .map(({ accountId, deviceId, signaturePublicKey }) => ({ accountId, deviceId, signaturePublicKey }));
  return closed.map((epoch) => ({
    ...epoch,
    kept: withPlaces(epoch.kept, moved),
    unheard: withPlaces(epoch.unheard, moved),
    gone: [...epoch.gone, ...goneFrom(epoch)].slice(-maxGone),
  }));
}

/** Where this device was taken out, and its Welcome follows: nobody has a place, and everybody is remembered. */
export function withoutPlaces(closed: readonly ClosedEpoch[], before: Roster | undefined): readonly ClosedEpoch[] {
  return before === undefined ? [] : withMoved(closed, before, { ...before, leaves: new Map(), accounts: new Map(), own: undefined });
}

/** Once this device goes on elsewhere: whoever was heard where it was may not be where it is. */
export function heardAnew(closed: readonly ClosedEpoch[], before: Roster | undefined, after: Roster): readonly ClosedEpoch[] {
  const own = after.own?.leafIndex;
  return withMoved(closed, before, after).map((epoch) => ({
    ...epoch,
    unheard: own === undefined ? epoch.kept : withPlaces(epoch.kept, new Map([[own, undefined]])),
  }));
}

/**
 * Places, where some have another one now, or none. Once for each place and closed epoch, of which there are thousands and hundreds.
 * @param moved by their places before
 */
function withPlaces(places: Uint8Array, moved: ReadonlyMap<number, number | undefined>): Uint8Array {
  const before = numbersIn(places);
  if (!before.some((from) => moved.has(from))) return places;
  return bitsOf(before.flatMap((from) => (moved.has(from) ? (moved.get(from) ?? []) : from)));
}

/**
 * The closed epochs to keep once this one has closed (spec L-4): of seven days, the newest in which somebody is to be heard yet, and as many
 * of the others. However many there are, what is kept is bounded (spec E-2).
 */
export function closeEpoch(
  closed: readonly ClosedEpoch[],
  { epochId, access, envelope }: EpochKeys,
  by: Pick<ClosedEpoch, "child" | "childAuthor" | "kept" | "keptCount" | "unheard"> & { readonly nowMs: number },
): readonly ClosedEpoch[] {
  const { nowMs, ...change } = by;
  const ended: ClosedEpoch = { epochId, access, envelope, closedAtMs: nowMs, stuck: [], asked: [], arrived: [], gone: [], ...change };
  const late = [...closed.filter((epoch) => nowMs - epoch.closedAtMs < closedEpochMs), ended];
  return bounded(late);
}

function isListened({ unheard, gone }: ClosedEpoch): boolean {
  return gone.length > 0 || unheard.some((byte) => byte !== 0);
}

/** Of closed epochs, oldest first, as many as are kept (spec E-2). */
export function bounded(closed: readonly ClosedEpoch[]): readonly ClosedEpoch[] {
  const listened = closed.filter((epoch) => isListened(epoch)).slice(-maxClosedEpochs);
  const others = closed.filter((epoch) => !isListened(epoch)).slice(-maxClosedEpochs);
  if (closed.length === listened.length + others.length) return closed;
  return closed.filter((epoch) => listened.includes(epoch) || others.includes(epoch));
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
