import { concatBytes, encode, safeUint64, uint32, utf8Bytes } from "@latchkey/codec";
import type { Turn } from "./turn.ts";
import type { RosterLeaf } from "./types.ts";

const label = utf8Bytes("latchkey/removal-rank/1");
/** How long the next in rank waits for the one before it. */
const stepMs = 2000;
/** Ranks that wait for one another alone; all others wait a minute longer. */
const firstRanks = 10;
const othersMs = 60_000;
/** Of the first, so that what comes along is read before. */
const leastMs = 200;

/** How long the member of this rank, from 0, waits before it removes somebody who left (spec R-7). */
export function removalDelayMs(rank: number): number {
  return leastMs + rank * stepMs + (rank < firstRanks ? 0 : othersMs);
}

/** Plans the removal of those who left: after a time in which those before this device in rank may do it. */
export function scheduleRemoval(turn: Turn): void {
  turn.effects.push({ kind: "schedule", name: "remove_leavers", delayMs: removalDelayMs(removalRank(turn)) });
}

/**
 * The place of one's own leaf among those that may remove who left, in this epoch (spec R-7): all but theirs, in an order that is everybody's,
 * another one in each epoch, and that nobody chooses.
 */
function removalRank({ state, context }: Turn): number {
  const { roster, leavers, departed, logId, epoch } = state;
  if (roster?.own === undefined || epoch === undefined) return 0;
  const { epochId } = epoch;
  const going = new Set([...leavers, ...departed].map(({ leafIndex }) => leafIndex));
  const placeOf = ({ leafIndex }: RosterLeaf): Uint8Array =>
    context.sha256(concatBytes(label, logId, encode(safeUint64, epochId), encode(uint32, leafIndex)));
  const own = placeOf(roster.own);
  return [...roster.leaves.values()].filter((leaf) => !going.has(leaf.leafIndex) && isBefore(placeOf(leaf), own)).length;
}

function isBefore(a: Uint8Array, b: Uint8Array): boolean {
  const at = a.findIndex((byte, index) => byte !== b[index]);
  return at !== -1 && (a[at] ?? 0) < (b[at] ?? 0);
}
