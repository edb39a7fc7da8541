import { encode, safeUint64, struct, uint32, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** How often a leaf is renewed in a small group; and in a large one no sooner than a day after it was. */
const weekMs = 7 * dayMs;
/** How long the next in turn waits for the one before it; in the largest groups less, so that all have a turn in the hour. */
const stepMs = 2000;
const turnsMs = 40 * 60_000;
const jitterMs = 500;
/** Who renewed their leaf among the last so many uses up no hour by doing it again: nobody alone keeps the others from it. */
const recentLeaves = 23;

/** What a device knows of the age of the leaves of its group (spec R-6). */
export interface Renewal {
  /** When its own leaf was made or renewed, by its clock. */
  readonly ownAtMs: number;
  /** When the newest commit was made that renews a leaf and nothing else, by the word of its author, and no later than it was read. */
  readonly lastAtMs: number;
  /** All leaves, the one whose path is the oldest first. */
  readonly order: readonly number[];
}

/** Of a group of which nothing is known yet. */
export const noRenewal: Renewal = { ownAtMs: 0, lastAtMs: 0, order: [] };

/** How it is stored. */
export const renewalCodec: Codec<Renewal> = struct<Renewal>({
  ownAtMs: safeUint64,
  lastAtMs: safeUint64,
  order: vector(uint32, { maxBytes: 1 << 20 }),
});

/** Within so many days every leaf of a group of this size is renewed whose device is on when its turn comes (spec R-6). */
export function healsWithinDays(leaves: number): number {
  return Math.max(7, Math.ceil(leaves / 24) + 1);
}

/** How long after it was renewed a leaf is to be renewed again: an hour sooner for each leaf that may have to wait for it. */
function dueAfterMs(leaves: number): number {
  return Math.max(dayMs, weekMs - leaves * hourMs);
}

const hourOf = (atMs: number): number => Math.floor(atMs / hourMs);

/** Whether a device may renew its leaf now: it is due, and nobody did in this hour. Times ahead of the clock count as now. */
export function isRenewalDue({ ownAtMs, lastAtMs, order }: Renewal, nowMs: number): boolean {
  return nowMs >= Math.min(ownAtMs, nowMs) + dueAfterMs(order.length) && hourOf(Math.min(lastAtMs, nowMs)) < hourOf(nowMs);
}

/**
 * How long a device waits before it looks whether it may renew its leaf: until that is due and the hour is nobody's, then for its turn, the oldest
 * leaf first. Who is off is stepped over. Pure. @param jitter from 0 to 1
 */
export function renewalDelayMs(
  { ownAtMs, lastAtMs, order }: Renewal,
  leaf: number,
  { nowMs, jitter }: { nowMs: number; jitter: number },
): number {
  const dueAtMs = Math.min(ownAtMs, nowMs) + dueAfterMs(order.length);
  const freeAtMs = (hourOf(Math.min(lastAtMs, nowMs)) + 1) * hourMs;
  const fromMs = Math.max(nowMs, dueAtMs, freeAtMs);
  const rank = Math.max(0, order.indexOf(leaf));
  return fromMs - nowMs + rank * Math.min(stepMs, turnsMs / Math.max(1, order.length)) + jitter * jitterMs;
}

/**
 * The leaves that were never renewed take one another's places, far apart in the tree: so the first ones to renew theirs fill the nodes near the
 * root, and every later commit costs a part of what it did. By their ages neighbours would come first, and leave the others' halves blank.
 */
export function inTurns(order: readonly number[], unrenewed: ReadonlySet<number>): readonly number[] {
  const turns = spread(order.filter((leaf) => unrenewed.has(leaf)));
  let next = 0;
  return order.map((leaf) => (unrenewed.has(leaf) ? (turns[next++] ?? leaf) : leaf));
}

/** By their bits, from the last to the first. */
export function spread(leaves: readonly number[]): readonly number[] {
  const key = (leaf: number): number => {
    let reversed = 0;
    for (let bit = 0; bit < 32; bit += 1) reversed = reversed * 2 + ((leaf >>> bit) & 1);
    return reversed;
  };
  return leaves.toSorted((a, b) => key(a) - key(b));
}

/** A commit that a device followed, as far as it is about leaves. */
export interface RenewingCommit {
  readonly author: number;
  readonly isOwn: boolean;
  /** When it was made by its author's word, of one that does nothing but renew the leaf. */
  readonly pathAloneAtMs: number | undefined;
  /** The leaves that it leaves in the group, and those of them that were not there before. */
  readonly leaves: readonly number[];
  readonly fresh: ReadonlySet<number>;
  /** Those that their devices never renewed, by the tree. */
  readonly unrenewed: ReadonlySet<number>;
}

/** What is known after a commit. Pure. */
export function renewedBy(renewal: Renewal, commit: RenewingCommit, nowMs: number): Renewal {
  const { author, isOwn, pathAloneAtMs, leaves, fresh, unrenewed } = commit;
  const { ownAtMs, lastAtMs } = renewal;
  const known = renewal.order.length > 0 ? renewal.order : leaves.filter((leaf) => !fresh.has(leaf));
  const isThere = new Set(leaves);
  const old = known.filter((leaf) => leaf !== author && isThere.has(leaf) && !fresh.has(leaf));
  const rest = leaves.filter((leaf) => leaf !== author && fresh.has(leaf));
  const at = known.indexOf(author);
  const isRecent = at >= known.length - Math.min(recentLeaves, Math.floor(known.length / 2));
  return {
    ownAtMs: isOwn ? nowMs : ownAtMs,
    lastAtMs: pathAloneAtMs === undefined || isRecent ? lastAtMs : Math.max(lastAtMs, Math.min(pathAloneAtMs, nowMs)),
    order: inTurns([...old, ...rest, ...(isThere.has(author) ? [author] : [])], unrenewed),
  };
}

/** When a commit that renews its author's leaf was made, as it says; what says nothing of the kind was made when it was read. */
export function renewalStamp(ext: Uint8Array, nowMs: number): number {
  if (ext.length !== stampBytes) return nowMs;
  return Math.min(nowMs, Number(new DataView(ext.buffer, ext.byteOffset).getBigUint64(0)));
}

/** What such a commit says of it, in `ext` of its AuthenticatedData. */
export function encodeRenewalStamp(nowMs: number): Uint8Array {
  return encode(safeUint64, nowMs);
}

const stampBytes = 8;
