import { equalBytes } from "@latchkey/codec";
import { othersFirstMs } from "./delay.ts";
import { loseRace } from "./epoch.ts";
import { addLine, nextOrder, set } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { SkipTold } from "./contested.ts";
import type { ConversationState, RosterLeaf } from "./types.ts";

const dayMs = 86_400_000;
/** What stands for an author whom nobody can name. */
const nobody = new Uint8Array(32);
const unblockDelayMs = 4000;

/**
 * A commit that nobody can follow: the epoch goes on, for all members alike (spec G-3). The server has opened a child epoch for it and
 * takes no more messages here, until a commit that comes after it counts.
 */
export function skipCommit(turn: Turn, seq: number, author: RosterLeaf | undefined): void {
  tellSkipped(turn, author);
  // One's own commit that waits was made before this one: the server has refused it, or will.
  loseRace(turn);
  set(turn, { lastCommitSeq: seq });
  openAgain(turn);
}

/** Opens the epoch once more: the server goes on behind a commit that its reader does not follow (spec L-3). */
export function openAgain(turn: Turn): void {
  const { epoch, link } = turn.state;
  if (link.kind !== "following" || epoch === undefined) return;
  set(turn, { link: { ...link, kind: "opening" } });
  turn.effects.push({ kind: "open", epochId: epoch.epochId, access: epoch.access, afterSeq: turn.state.chain.seq, closed: [] });
}

/** One quiet line an author and day, however many commits of theirs there are. */
export function tellSkipped(turn: Turn, author: RosterLeaf | undefined): void {
  const accountId = author?.accountId ?? nobody;
  const now = turn.context.nowMs;
  const recent = turn.state.skipsTold.filter(({ atMs }) => Math.abs(now - atMs) < dayMs);
  if (recent.some((told) => equalBytes(told.accountId, accountId))) return;
  const told: SkipTold = { accountId, atMs: now };
  addLine(turn, { order: nextOrder(turn), author: author?.accountId, body: { kind: "skipped" } });
  set(turn, { skipsTold: [...recent, told] });
}

/** Whether the server takes messages in this epoch: after a skipped commit it takes commits only. */
export function isBlocked({ lastCommitSeq }: ConversationState): boolean {
  return lastCommitSeq > 0;
}

/** Plans a commit that changes nothing, after a random time in which somebody else may commit: it lets messages through again. */
export function planUnblocking(turn: Turn): void {
  const { link } = turn.state;
  if (link.isUnblockPlanned) return;
  set(turn, { link: { ...link, isUnblockPlanned: true } });
  turn.effects.push({ kind: "schedule", name: "unblock", delayMs: othersFirstMs(turn.context.random, unblockDelayMs) });
}
