import { equalBytes } from "@latchkey/codec";
import { zeroHash } from "@latchkey/protocol";
import type { AuthenticatedData } from "@latchkey/protocol";
import { isUnproven } from "./proven.ts";
import { addLine, nextOrder, set } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { Spoken } from "./said.ts";
import type { Roster, RosterLeaf } from "./types.ts";

/** A device has no more messages on their way at a time: one that is so far behind never comes. */
const window = 64;
const dayMs = 86_400_000;

/** What a message says of its place among its device's own (spec L-10). */
export interface Numbered {
  readonly number: number;
  readonly previous: Uint8Array;
  /** What stands for it; zeros where that cannot be said. */
  readonly mark: Uint8Array;
}

/** What a message's number tells. `lost`: so many before it never come. `isFalse`: a number or an order that no honest device gives. */
export interface Counted {
  readonly spoken: Omit<Spoken, "toldAtMs">;
  readonly lost: number;
  readonly isFalse: boolean;
}

/**
 * Counts a message of a device. `unread` are the entries so far that this device could not read, of whomever: they may be what is missing.
 * Messages may overtake each other on their way to the server, by less than the window.
 */
export function countMessage(before: Spoken | undefined, message: Numbered, unread: number): Counted {
  const { number, previous, mark } = message;
  if (before === undefined || number === 0) {
    const first: Omit<Spoken, "toldAtMs"> = before ?? { first: number, number, mark, absent: [], unread };
    return { spoken: first, lost: 0, isFalse: number === 0 };
  }
  const { first, absent } = before;
  if (number <= before.number) {
    const isLate = absent.includes(number) || number < first;
    return { spoken: { ...before, absent: absent.filter((other) => other !== number) }, lost: 0, isFalse: !isLate };
  }
  const gap = number - before.number - 1;
  const unexplained = Math.max(0, gap - (unread - before.unread));
  const from = Math.max(number - unexplained, number - window + 1);
  const open = Array.from({ length: Math.max(0, number - from) }, (_, at) => from + at);
  const stillOpen = absent.filter((other) => other > number - window);
  const lost = absent.length - stillOpen.length + unexplained - open.length;
  const isFalse = gap === 0 && !equalBytes(before.mark, zeroHash) && !equalBytes(before.mark, previous);
  return { spoken: { first, number, mark, absent: [...stillOpen, ...open], unread }, lost, isFalse };
}

/** Counts a message that was read, and tells what is missing or cannot be: one line a device and day, which pauses nothing. */
export function hearNumber(turn: Turn, author: RosterLeaf, said: AuthenticatedData, mark: Uint8Array): void {
  const { spoken, unreadEntries } = turn.state;
  const before = spoken.get(author.leafIndex);
  const message = { number: said.ownNumber, previous: said.previousOwn.slice(), mark };
  const { spoken: after, lost, isFalse } = countMessage(before, message, unreadEntries);
  const toldAtMs = isFalse || lost > 0 ? tell(turn, author, { lost, toldAtMs: before?.toldAtMs ?? 0 }) : (before?.toldAtMs ?? 0);
  set(turn, { spoken: new Map(spoken).set(author.leafIndex, { ...after, toldAtMs }) });
}

/** What of an epoch is not in the log when it ends never comes (spec L-4). Who is not in `after` any more is forgotten. */
export function endNumbers(turn: Turn, after: Roster): void {
  const { roster, spoken } = turn.state;
  if (spoken.size === 0) return;
  const kept = new Map<number, Spoken>();
  for (const [leafIndex, { absent, toldAtMs, ...heard }] of spoken) {
    const was = roster?.leaves.get(leafIndex);
    const now = after.leaves.get(leafIndex);
    const told = was !== undefined && absent.length > 0 ? tell(turn, was, { lost: absent.length, toldAtMs }) : toldAtMs;
    const stands = was !== undefined && now !== undefined && equalBytes(was.signaturePublicKey, now.signaturePublicKey);
    if (stands) kept.set(leafIndex, { ...heard, absent: [], toldAtMs: told });
  }
  set(turn, { spoken: kept });
}

/** Names nobody for what a leaf does that nobody knows to be theirs yet (spec E-28): it stays counted. */
function tell(turn: Turn, { accountId, leafIndex }: RosterLeaf, { lost, toldAtMs }: { lost: number; toldAtMs: number }): number {
  const { nowMs } = turn.context;
  if (isUnproven(turn.state, { leafIndex })) return toldAtMs;
  if (toldAtMs > 0 && Math.abs(nowMs - toldAtMs) < dayMs) return toldAtMs;
  addLine(turn, { order: nextOrder(turn), author: accountId, body: { kind: "misnumbered", missing: lost } });
  return nowMs;
}
